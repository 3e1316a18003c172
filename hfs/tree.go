package hfs

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Kinds of nodes (TN1150, "Node Descriptor"). Others hold nothing of files.
const (
	leafNode  = 0xFF
	indexNode = 0x00
)

const (
	descriptorSize = 14
	maxDepth       = 16 // of a tree: each level has at least two times the nodes
	minNode        = 512
	maxNode        = 32 << 10
)

// A tree is a B-tree (TN1150, "B-Trees"), whose keys are in order.
type tree struct {
	r         io.ReaderAt // of the file that holds it
	nodeSize  int64
	root      uint32
	firstLeaf uint32
	nodes     int64
	plus      bool
}

func (v *Volume) openTree(f *Fork) (*tree, error) {
	if f.Size > v.Size || f.Size < minNode && !f.bad {
		return nil, malformed("a tree of %d bytes in a volume of %d", f.Size, v.Size)
	}
	runs, err := v.Runs(f)
	if err != nil {
		return nil, err
	}
	t := &tree{r: &runReader{v.r, runs}, nodeSize: minNode, nodes: 1, plus: v.plus}
	b, err := t.node(0)
	if err != nil {
		return nil, err
	}
	be := binary.BigEndian
	t.root, t.firstLeaf, t.nodeSize = be.Uint32(b[16:]), be.Uint32(b[24:]), int64(be.Uint16(b[32:]))
	if t.nodeSize < minNode || t.nodeSize > maxNode || t.nodeSize&(t.nodeSize-1) != 0 {
		return nil, malformed("a tree with nodes of %d bytes", t.nodeSize)
	}
	t.nodes = f.Size / t.nodeSize
	return t, nil
}

// node reads a node.
func (t *tree) node(n uint32) ([]byte, error) {
	if int64(n) >= t.nodes {
		return nil, malformed("node %d of a tree of %d", n, t.nodes)
	}
	b := make([]byte, t.nodeSize)
	if err := readFull(t.r, b, int64(n)*t.nodeSize); err != nil {
		return nil, fmt.Errorf("node %d of a tree: %w", n, err)
	}
	return b, nil
}

// records calls do for each record of a node, until it returns false.
func (t *tree) records(b []byte, n uint32, do func(key, data []byte) bool) error {
	be := binary.BigEndian
	count := int(be.Uint16(b[10:]))
	table := len(b) - 2*(count+1)
	if table < descriptorSize {
		return malformed("node %d of a tree has %d records in %d bytes", n, count, len(b))
	}
	for i := range count {
		from, to := int(be.Uint16(b[len(b)-2*(i+1):])), int(be.Uint16(b[len(b)-2*(i+2):]))
		if from < descriptorSize || to < from || to > table {
			return malformed("record %d of node %d of a tree has the bytes %d to %d", i, n, from, to)
		}
		key, data, ok := t.split(b[from:to])
		if ok && len(key) == 0 {
			continue // HFS so marks a record that is not used
		}
		if !ok {
			return malformed("record %d of node %d of a tree is shorter than its key", i, n)
		}
		if !do(key, data) {
			break
		}
	}
	return nil
}

// split divides a record. What follows the key is at an even place.
func (t *tree) split(b []byte) (key, data []byte, ok bool) {
	head, length := 1, 0
	switch {
	case t.plus && len(b) >= 2:
		head, length = 2, int(binary.BigEndian.Uint16(b))
	case !t.plus && len(b) >= 1:
		length = int(b[0])
	}
	end := head + length
	end += end % 2
	if end > len(b) {
		return nil, nil, false
	}
	return b[head : head+length], b[end:], true
}

// find returns the leaf in which a key would be. compare says how a key compares with it.
func (t *tree) find(compare func(key []byte) int) (uint32, error) {
	n := t.root
	for range maxDepth {
		b, err := t.node(n)
		if err != nil {
			return 0, err
		}
		switch b[8] {
		case leafNode:
			return n, nil
		case indexNode:
		default:
			return 0, malformed("node %d of a tree is of kind %d", n, b[8])
		}
		var next uint32
		err = t.records(b, n, func(key, data []byte) bool {
			if len(data) < 4 || next != 0 && compare(key) > 0 {
				return false
			}
			next = binary.BigEndian.Uint32(data)
			return true
		})
		if err != nil {
			return 0, err
		}
		if next == 0 {
			return 0, malformed("node %d of a tree leads nowhere", n)
		}
		n = next
	}
	return 0, malformed("a tree of more than %d levels, or one that leads back to itself", maxDepth)
}

// walk calls do for each record from the leaf on in which a key would be, until do returns false.
// Where no way leads to that leaf, it begins at the first.
func (t *tree) walk(compare func(key []byte) int, do func(key, data []byte) bool) error {
	if t.root == 0 {
		return nil // an empty tree
	}
	n, err := t.find(compare)
	if err != nil {
		n = t.firstLeaf
	}
	seen := make(map[uint32]struct{})
	for more := true; more && n != 0; {
		if _, again := seen[n]; again {
			return malformed("the leaves of a tree lead back to node %d", n)
		}
		seen[n] = struct{}{}
		b, err := t.node(n)
		if err != nil {
			return err
		}
		if b[8] != leafNode {
			return malformed("node %d of a tree is no leaf", n)
		}
		err = t.records(b, n, func(key, data []byte) bool {
			more = do(key, data)
			return more
		})
		if err != nil {
			return err
		}
		n = binary.BigEndian.Uint32(b)
	}
	return nil
}
