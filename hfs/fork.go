package hfs

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sort"
)

// Kinds of forks, as keys of the tree of extents state them.
const (
	dataFork     = 0x00
	resourceFork = 0xFF
)

// maxRuns bounds the pieces of a file.
const maxRuns = 1 << 20

// A Fork is one of the two contents of a file.
type Fork struct {
	Size int64 // in bytes

	id    uint32
	kind  byte
	first []extent
	bad   bool // its size makes no sense
}

// An extent is blocks that are stored together.
type extent struct{ start, count int64 }

// A Run is bytes of a fork that are stored together.
type Run struct{ At, Size int64 }

// fork makes a fork of a size and of its first extents, as HFS has them.
func (v *Volume) fork(id uint32, kind byte, size uint64, b []byte) Fork {
	f := Fork{Size: int64(size), id: id, kind: kind, first: v.parseExtents(b)}
	if size > 1<<62 {
		f.Size, f.bad = 0, true
	}
	return f
}

// plusFork reads a fork of HFS Plus (TN1150, "Fork Data Structure").
func (v *Volume) plusFork(id uint32, kind byte, b []byte) Fork {
	return v.fork(id, kind, binary.BigEndian.Uint64(b), b[16:80])
}

// parseExtents reads a record of extents: three of HFS, or eight.
func (v *Volume) parseExtents(b []byte) []extent {
	be := binary.BigEndian
	var all []extent
	for len(b) >= 4 {
		x := extent{int64(be.Uint16(b)), int64(be.Uint16(b[2:]))}
		size := 4
		if v.plus {
			size = 8
			if len(b) < size {
				break
			}
			x = extent{int64(be.Uint32(b)), int64(be.Uint32(b[4:]))}
		}
		if b = b[size:]; x.count == 0 {
			break
		}
		all = append(all, x)
	}
	return all
}

// Runs returns where a fork is. A fork of which a part is nowhere has less than its size.
func (v *Volume) Runs(f *Fork) ([]Run, error) {
	need := (f.Size + v.blockSize - 1) / v.blockSize
	if f.bad || need > v.blocks {
		return nil, malformed("file %d is said to be larger than the volume", f.id)
	}
	all, have := f.first, count(f.first)
	if have < need && f.id != extentsID {
		more, err := v.further(f, have, need)
		if err != nil {
			return nil, err
		}
		all = slices.Concat(all, more)
	}
	if err := v.checkExtents(f, all); err != nil {
		return nil, err
	}
	left := f.Size
	var runs []Run
	for _, x := range all {
		r := Run{v.base + x.start*v.blockSize, min(x.count*v.blockSize, left)}
		if left -= r.Size; r.Size > 0 {
			runs = append(runs, r)
		}
	}
	return runs, nil
}

// count returns how many blocks extents have.
func count(all []extent) (n int64) {
	for _, x := range all {
		n += x.count
	}
	return n
}

// checkExtents makes sure that extents are in the volume, and that no two have the same block.
func (v *Volume) checkExtents(f *Fork, all []extent) error {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b extent) int { return cmp.Compare(a.start, b.start) })
	var end int64
	for _, x := range sorted {
		switch {
		case x.start+x.count > v.blocks:
			return malformed("file %d has the blocks %d to %d of a volume of %d", f.id, x.start, x.start+x.count, v.blocks)
		case x.start < end:
			return malformed("file %d has block %d two times", f.id, x.start)
		}
		end = x.start + x.count
	}
	return nil
}

// further finds the extents of a fork behind its first ones (TN1150, "Extents Overflow File").
func (v *Volume) further(f *Fork, have, need int64) ([]extent, error) {
	if v.extents == nil {
		return nil, fmt.Errorf("file %d is in pieces that are not known: %w", f.id, v.extentsErr)
	}
	var all []extent
	var bad error
	err := v.extents.walk(
		func(key []byte) int { return v.compareExtent(key, f, have) },
		func(key, data []byte) bool {
			switch c := v.compareExtent(key, f, have); {
			case c < 0:
				return true
			case c > 0:
				return false // the rest is nowhere, as a reader of the file will find
			}
			x := v.parseExtents(data[:min(len(data), v.extentsSize())])
			if all = append(all, x...); len(x) == 0 || len(all) > maxRuns {
				bad = malformed("file %d has extents that make no sense", f.id)
				return false
			}
			have += count(x)
			return have < need
		})
	return all, cmp.Or(bad, err)
}

// extentsSize is how long a record of extents is.
func (v *Volume) extentsSize() int {
	if v.plus {
		return 64
	}
	return 12
}

// compareExtent compares the key of a record of extents with that of a fork from a block on.
func (v *Volume) compareExtent(key []byte, f *Fork, block int64) int {
	be := binary.BigEndian
	var kind byte
	var id uint32
	var start int64
	switch {
	case v.plus && len(key) >= 10:
		kind, id, start = key[0], be.Uint32(key[2:]), int64(be.Uint32(key[6:]))
	case !v.plus && len(key) >= 7:
		kind, id, start = key[0], be.Uint32(key[1:]), int64(be.Uint16(key[5:]))
	default:
		return -1
	}
	return cmp.Or(cmp.Compare(id, f.id), cmp.Compare(kind, f.kind), cmp.Compare(start, block))
}

// A runReader reads runs as one file.
type runReader struct {
	r    io.ReaderAt
	runs []Run
}

// ReadAt implements [io.ReaderAt].
func (f *runReader) ReadAt(p []byte, off int64) (int, error) {
	ends := make([]int64, len(f.runs))
	var end int64
	for i, r := range f.runs {
		end += r.Size
		ends[i] = end
	}
	done := 0
	for i := sort.Search(len(ends), func(i int) bool { return ends[i] > off }); done < len(p) && i < len(ends); i++ {
		in := off + int64(done) - (ends[i] - f.runs[i].Size)
		part := p[done:]
		part = part[:min(int64(len(part)), f.runs[i].Size-in)]
		n, err := f.r.ReadAt(part, f.runs[i].At+in)
		if done += n; n < len(part) {
			return done, err
		}
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}
