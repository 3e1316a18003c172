package iso

import (
	"encoding/binary"
	"io"
	"sort"
	"strings"
)

// openUDF opens the UDF file system of a disc of so many blocks (0: not known).
// It returns nil where there is none, or none that can be read.
func openUDF(r io.ReaderAt, blocks int64) *udfTree {
	var v Volume
	if nsr, err := v.readSequence(r, 0); err != nil || !nsr {
		return nil
	}
	for _, b := range anchors(r, blocks) {
		for _, seq := range []extentAD{extent(b[16:]), extent(b[24:])} {
			if u := openSequence(r, seq, blocks); u != nil {
				return u
			}
		}
	}
	return nil
}

// openSequence opens the volume that a descriptor sequence describes.
func openSequence(r io.ReaderAt, seq extentAD, blocks int64) *udfTree {
	le := binary.LittleEndian
	starts := make(map[uint16]plainPartition) // by partition number
	var logical []byte
	for n := seq.block; n < min(seq.end(), seq.block+maxSequence); n++ {
		b, err := readBlock(r, n)
		if err != nil {
			return nil
		}
		switch tag(b, n) {
		case tagPartition:
			starts[le.Uint16(b[22:])] = plainPartition{int64(le.Uint32(b[188:])), int64(le.Uint32(b[192:]))}
		case tagLogical:
			logical = b
		}
	}
	if logical == nil || le.Uint32(logical[212:]) != BlockSize {
		return nil
	}
	u := &udfTree{r: r}
	maps := logical[440:min(440+int64(le.Uint32(logical[264:])), BlockSize)]
	for len(maps) >= 2 && int(maps[1]) <= len(maps) && maps[1] >= 6 {
		p, err := u.partition(maps[:maps[1]], starts, blocks)
		if err != nil {
			return nil
		}
		u.parts = append(u.parts, p)
		maps = maps[maps[1]:]
	}
	set := udfAddr{int64(le.Uint32(logical[252:])), int(le.Uint16(logical[256:]))}
	b, _, err := u.described(set, tagFileSet)
	if err != nil {
		return nil
	}
	u.root = udfAddr{int64(le.Uint32(b[404:])), int(le.Uint16(b[408:]))}
	if n, err := u.head(u.root); err != nil || n.kind != icbDirectory {
		return nil
	}
	return u
}

// partition reads a partition map (ECMA-167 3/10.7, UDF 2.60 2.2.8 to 2.2.10).
func (u *udfTree) partition(m []byte, starts map[uint16]plainPartition, blocks int64) (udfPartition, error) {
	le := binary.LittleEndian
	if m[0] == 1 {
		p, ok := starts[le.Uint16(m[4:])]
		if !ok {
			return nil, badUDF("a partition map without its partition")
		}
		return p, nil
	}
	if m[0] != 2 || len(m) < 64 {
		return nil, badUDF("an unknown partition map")
	}
	p, ok := starts[le.Uint16(m[38:])]
	if !ok {
		return nil, badUDF("a partition map without its partition")
	}
	switch id := string(m[5:28]); {
	case strings.HasPrefix(id, "*UDF Virtual Partition"):
		return u.virtual(p, blocks)
	case strings.HasPrefix(id, "*UDF Sparable Partition"):
		return u.sparable(p, m)
	case strings.HasPrefix(id, "*UDF Metadata Partition"):
		return u.metadata(p, m)
	}
	return nil, badUDF("an unknown partition map")
}

// plainPartition is a run of blocks of the disc.
type plainPartition struct{ start, length int64 }

func (p plainPartition) locate(block int64) (at, run int64, err error) {
	if block < 0 || block >= p.length {
		return 0, 0, badUDF("block %d of a partition of %d", block, p.length)
	}
	return p.start + block, p.length - block, nil
}

// metadataPartition has its blocks in a file of another (UDF 2.60 2.2.13).
type metadataPartition struct {
	ends []int64 // where each run ends, in blocks of this partition
	runs []run   // on the disc
}

func (p *metadataPartition) locate(block int64) (at, n int64, err error) {
	i := sort.Search(len(p.ends), func(i int) bool { return p.ends[i] > block })
	if block < 0 || i == len(p.ends) {
		return 0, 0, badUDF("block %d of the metadata, which there is not", block)
	}
	length := p.runs[i].size / BlockSize
	in := block - (p.ends[i] - length)
	return p.runs[i].block + in, length - in, nil
}

// metadata opens the metadata file, or its mirror.
func (u *udfTree) metadata(p plainPartition, m []byte) (udfPartition, error) {
	alone := &udfTree{r: u.r, parts: []udfPartition{p}}
	var n *udfNode
	var err error
	for _, at := range []int{40, 44} {
		if n, err = alone.node(udfAddr{int64(binary.LittleEndian.Uint32(m[at:])), 0}); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	out := new(metadataPartition)
	for i := range n.extents {
		n.extents[i].at.part = 0
	}
	runs, err := alone.runs(n.extents)
	if err != nil {
		return nil, err
	}
	var end int64
	for _, r := range runs {
		if r.block < 0 {
			return nil, badUDF("the metadata file has a hole")
		}
		r.size = (r.size + BlockSize - 1) / BlockSize * BlockSize
		end += r.size / BlockSize
		out.runs, out.ends = append(out.runs, r), append(out.ends, end)
	}
	return out, nil
}

// sparablePartition moves packets that went bad elsewhere (UDF 2.60 2.2.9).
type sparablePartition struct {
	plain  plainPartition
	packet int64
	moved  map[int64]int64 // first block of a packet -> where it is on the disc
}

func (p *sparablePartition) locate(block int64) (at, run int64, err error) {
	at, left, err := p.plain.locate(block)
	if err != nil || len(p.moved) == 0 {
		return at, left, err
	}
	first := block - block%p.packet
	run = min(left, first+p.packet-block)
	if to, ok := p.moved[first]; ok {
		at = to + block - first
	}
	return at, run, nil
}

// sparable reads the first sparing table that is whole (UDF 2.60 2.2.12).
func (u *udfTree) sparable(p plainPartition, m []byte) (udfPartition, error) {
	le := binary.LittleEndian
	out := &sparablePartition{plain: p, packet: int64(le.Uint16(m[40:])), moved: make(map[int64]int64)}
	if out.packet == 0 {
		return nil, badUDF("packets of no length")
	}
	for i := range min(int(m[42]), 4) {
		b, err := readBlock(u.r, int64(le.Uint32(m[48+4*i:])))
		if err != nil || !strings.HasPrefix(string(b[17:]), "*UDF Sparing Table") {
			continue
		}
		entries := b[56:]
		for range min(int(le.Uint16(b[48:])), len(entries)/8) {
			const unused = 0xFFFFFFF0 // and above: free, or defective itself
			if from := le.Uint32(entries); from < unused {
				out.moved[int64(from)] = int64(le.Uint32(entries[4:]))
			}
			entries = entries[8:]
		}
		break
	}
	return out, nil
}

// virtualPartition finds its blocks by a table that is rewritten with each
// session of a disc that is written once (UDF 2.60 2.2.11).
type virtualPartition struct {
	plain plainPartition
	table []byte // four bytes a block
}

func (p *virtualPartition) locate(block int64) (at, run int64, err error) {
	if block < 0 || block*4+4 > int64(len(p.table)) {
		return 0, 0, badUDF("block %d, which is not in the virtual allocation table", block)
	}
	at, _, err = p.plain.locate(int64(binary.LittleEndian.Uint32(p.table[block*4:])))
	return at, 1, err
}

// maxVAT bounds the virtual allocation table: one entry for each block of a BD-R.
const maxVAT = 64 << 20

// readVAT reads the file of a virtual allocation table. All its extents lie in the one
// partition that there is.
func (u *udfTree) readVAT(n *udfNode) ([]byte, error) {
	if b, ok := n.inline(); ok {
		return b, nil
	}
	if n.size > maxVAT {
		return nil, badUDF("a virtual allocation table of %d bytes", n.size)
	}
	if err := u.allocation(n); err != nil {
		return nil, err
	}
	for i := range n.extents {
		n.extents[i].at.part = 0
	}
	return u.content(n)
}

// virtual opens the virtual allocation table, whose file entry is the last block
// that was recorded: within a packet of the end, for some drives count link blocks
// in.
func (u *udfTree) virtual(p plainPartition, blocks int64) (udfPartition, error) {
	alone := &udfTree{r: u.r, parts: []udfPartition{p}}
	const packet = 32
	for at := blocks - 1; at >= max(p.start, blocks-packet); at-- {
		n, err := alone.head(udfAddr{at - p.start, 0})
		if err != nil || n.kind != icbVAT && n.kind != icbUnspecified {
			continue
		}
		b, err := alone.readVAT(n)
		if err != nil {
			continue
		}
		// Version 1.50 has its header behind the table, later ones before it.
		const oldTrailer = 36
		if n.kind == icbUnspecified {
			if len(b) < oldTrailer || !strings.HasPrefix(string(b[len(b)-oldTrailer+1:]), "*UDF Virtual Alloc Tbl") {
				continue
			}
			return &virtualPartition{p, b[:len(b)-oldTrailer]}, nil
		}
		if len(b) < 2 || int(binary.LittleEndian.Uint16(b)) > len(b) {
			continue
		}
		return &virtualPartition{p, b[binary.LittleEndian.Uint16(b):]}, nil
	}
	return nil, badUDF("the virtual allocation table is not at the end")
}
