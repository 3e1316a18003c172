package hunks

import (
	"bytes"
	"errors"
)

var errCodes = errors.New("impossible Huffman codes")

// A tree is a set of canonical Huffman codes, as a table of all the bits that may follow:
// the low byte is the length of the code, the rest what it stands for.
type tree struct {
	bits  uint
	table []uint16
}

// newTree makes the codes of the given lengths in bits, at most maxBits. The codes of the
// greatest length come first, and begin with zeros.
func newTree(lengths []byte, maxBits int) (*tree, error) {
	var count, next [33]int
	longest := 1
	for _, n := range lengths {
		if int(n) > maxBits {
			return nil, errCodes
		}
		count[n]++
		longest = max(longest, int(n))
	}
	start := 0
	for n := longest; n > 0; n-- {
		next[n] = start
		sum := start + count[n]
		if n > 1 && sum%2 != 0 {
			return nil, errCodes
		}
		start = sum / 2
	}
	t := &tree{bits: uint(longest), table: make([]uint16, 1<<longest)}
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		shift := longest - int(n)
		from := next[n] << shift
		next[n]++
		to := next[n] << shift
		if to > len(t.table) {
			return nil, errCodes
		}
		for i := from; i < to; i++ {
			t.table[i] = uint16(symbol)<<8 | uint16(n)
		}
	}
	return t, nil
}

// next decodes a symbol. It is false for bits that are no code.
func (t *tree) next(b *bitReader) (int, bool) {
	v := t.table[b.peek(t.bits)]
	b.skip(uint(v & 0xFF))
	return int(v >> 8), v&0xFF != 0
}

// readTypesTree reads the tree of the types in a map: 16 codes of at most 8 bits, the
// lengths of which are run-length coded.
func readTypesTree(b *bitReader) (*tree, error) {
	const codes, maxBits, field, escape = 16, 8, 4, 1
	var lengths []byte
	for len(lengths) < codes {
		n, repeat := b.read(field), 1
		if n == escape {
			if n = b.read(field); n != escape {
				repeat = int(b.read(field)) + 3
			}
		}
		lengths = append(lengths, bytes.Repeat([]byte{byte(n)}, repeat)...)
	}
	if len(lengths) > codes {
		return nil, errCodes
	}
	return newTree(lengths, maxBits)
}

// readBytesTree reads a tree of 256 codes of at most 16 bits. Their lengths are coded by
// another tree, of 24 codes with at most 6 bits.
func readBytesTree(b *bitReader) (*tree, error) {
	const smallCodes, smallBits, codes, maxBits = 24, 6, 256, 16
	var small [smallCodes]byte
	small[0] = byte(b.read(3))
	start := int(b.read(3)) + 1
	for i := start; i < smallCodes; i++ {
		n := b.read(3)
		if n == 7 {
			break
		}
		small[i] = byte(n)
	}
	t, err := newTree(small[:], smallBits)
	if err != nil {
		return nil, err
	}
	lengths := make([]byte, 0, 2*codes)
	last := byte(0)
	for len(lengths) < codes {
		v, ok := t.next(b)
		if !ok {
			return nil, errCodes
		}
		if v > 0 {
			last = byte(v - 1)
			lengths = append(lengths, last)
			continue
		}
		repeat := int(b.read(3)) + 2
		if repeat == 7+2 {
			repeat += int(b.read(8))
		}
		lengths = append(lengths, bytes.Repeat([]byte{last}, repeat)...)
	}
	return newTree(lengths[:codes], maxBits)
}

// unhuff decodes a hunk of the codec "huff".
func unhuff(dst, src []byte) error {
	b := &bitReader{buf: src}
	t, err := readBytesTree(b)
	if err != nil {
		return err
	}
	for i := range dst {
		v, ok := t.next(b)
		if !ok {
			return errCodes
		}
		dst[i] = byte(v)
	}
	return b.done()
}
