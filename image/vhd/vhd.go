// Package vhd reads and writes the virtual hard disks of Virtual PC and Hyper-V: VHD files, fixed,
// dynamic and differencing, and reads VHDX files. What they hold may be an image of a disc.
//
// The sources are Microsoft's "Virtual Hard Disk Image Format Specification" 1.0 and [MS-VHDX].
package vhd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"

	"spindle/image/format"
	"spindle/internal/blocks"
	"spindle/internal/packed"
)

func init() {
	format.RegisterContainer(format.Container{
		Name: "VHD file", Suffixes: []string{".vhd", ".avhd"}, Inner: ".iso", Match: isVHD, Open: open,
	})
	format.RegisterContainer(format.Container{
		Name: "VHDX file", Suffixes: []string{".vhdx"}, Inner: ".iso", Open: openX,
		Match: func(p *format.Probe) bool { return p.HasMagic(magicX) },
	})
	format.Register(format.Format{Name: "VHD file", Suffixes: []string{".vhd"}, Create: create})
}

const (
	magic        = "conectix"
	magicDynamic = "cxsparse"
	sectorSize   = 512
	footerSize   = 512
	headerSize   = 1024
	entrySize    = 4
	unused       = math.MaxUint32 // of an entry: there is no such block
	maxEntries   = 1 << 21        // 4 TiB in usual blocks
	maxBlock     = 1 << 30
)

// The types of disks.
const (
	typeFixed        = 2
	typeDynamic      = 3
	typeDifferencing = 4
)

var (
	errFormat = errors.New("not a valid virtual hard disk")
	// errKind means that the file is valid, and cannot be read.
	errKind = errors.New("a kind of virtual hard disk that spindle does not read")
)

// isVHD knows them by the footer, of which all but fixed ones have a copy at the start.
func isVHD(p *format.Probe) bool {
	return p.HasMagic(magic) || bytes.HasPrefix(p.Tail(footerSize), []byte(magic)) ||
		bytes.HasPrefix(p.Tail(footerSize-1), []byte(magic)) // of early versions
}

// A footer is what the last sector of a file says.
type footer struct {
	size   int64 // of the disk in bytes
	kind   uint32
	header int64 // where the header of dynamic disks stands
	id     [16]byte
	maker  string
	chs    int64 // size by the geometry
	// cylinder is the size of one, in bytes.
	cylinder int64
	right    bool // its checksum
	copied   bool // it is the copy at the start: there is none at the end
}

// parseFooter parses a footer of 512 bytes, or of 511.
func parseFooter(b []byte) (*footer, bool) {
	if !bytes.HasPrefix(b, []byte(magic)) || len(b) < footerSize-1 {
		return nil, false
	}
	size := binary.BigEndian.Uint64(b[48:])
	f := &footer{
		kind: binary.BigEndian.Uint32(b[60:]), id: [16]byte(b[68:]), maker: string(b[28:32]),
		chs:      int64(binary.BigEndian.Uint16(b[56:])) * int64(b[58]) * int64(b[59]) * sectorSize,
		cylinder: int64(b[58]) * int64(b[59]) * sectorSize,
		right:    checksum(b, 64) == binary.BigEndian.Uint32(b[64:]),
	}
	f.size, f.header = int64(size), int64(binary.BigEndian.Uint64(b[16:]))
	return f, size > 0 && size <= math.MaxInt64/2 && size%sectorSize == 0
}

// checksum is the complement of the sum of all bytes but those of the checksum itself.
func checksum(b []byte, at int) uint32 {
	var sum uint32
	for i, x := range b {
		if i < at || i >= at+4 {
			sum += uint32(x)
		}
	}
	return ^sum
}

// readFooter reads the footer, or where that is damaged the copy at the start.
func readFooter(r io.ReaderAt, size int64) (f *footer, end int64, err error) {
	var found *footer
	b := make([]byte, footerSize)
	for _, at := range []int64{size - footerSize, size - footerSize + 1, 0} {
		if at < 0 || blocks.ReadFull(r, b[:min(footerSize, size-at)], at) != nil {
			continue
		}
		if f, ok := parseFooter(b[:min(footerSize, size-at)]); ok {
			end := at
			if at == 0 {
				end, f.copied = size, true
			}
			if f.right {
				return f, end, nil
			}
			if found == nil {
				found = f
			}
		}
	}
	if found == nil {
		return nil, 0, fmt.Errorf("%w: neither its footer nor the copy at the start states a size", errFormat)
	}
	return found, size - footerSize, nil
}

func open(ctx context.Context, f *format.File) (*format.Content, error) {
	o := opener{paths: f.Files()}
	d, err := o.open(ctx, f)
	if err != nil {
		o.close()
		return nil, err
	}
	c := &format.Content{
		ReaderAt: d.r, Size: withoutRounding(d.footer, d.r), Cut: d.cut, Files: o.paths[len(f.Files()):], Closers: o.closers,
		Codec: map[uint32]string{typeFixed: "fixed", typeDynamic: "dynamic", typeDifferencing: "differencing"}[d.footer.kind],
		Sums:  "checksums of the headers",
	}
	c.Check = func(context.Context, func(done, total int64)) error {
		if d.footer.copied {
			return fmt.Errorf("%w: it has no valid footer at its end, as if it was cut short", packed.ErrDamaged)
		}
		if !d.right {
			return fmt.Errorf("%w: a checksum of its headers is wrong", packed.ErrDamaged)
		}
		return nil
	}
	if d.cut {
		c.Size = d.have
	}
	return c, nil
}

// An opened is one disk of a chain of parents.
type opened struct {
	footer *footer
	r      io.ReaderAt
	right  bool // all checksums
	cut    bool
	have   int64 // where it was cut
}

// opener opens a disk and its parents.
type opener struct {
	paths   []string
	closers []io.Closer
}

func (o *opener) close() {
	for _, c := range o.closers {
		c.Close()
	}
}

// open opens the disk in a file.
func (o *opener) open(ctx context.Context, f *format.File) (*opened, error) {
	foot, end, err := readFooter(f, f.Size)
	if err != nil {
		return nil, err
	}
	d := &opened{footer: foot, right: foot.right}
	switch foot.kind {
	case typeFixed:
		d.have = min(foot.size, end)
		d.cut = d.have < foot.size
		d.r = io.NewSectionReader(f, 0, d.have)
		return d, nil
	case typeDynamic, typeDifferencing:
	default:
		return nil, fmt.Errorf("%w: type %d (byte 60 of the footer)", errFormat, foot.kind)
	}
	h, err := readHeader(f, f.Size, foot)
	if err != nil {
		return nil, err
	}
	d.right = d.right && h.right
	if foot.kind == typeDifferencing {
		if h.disk.parent, err = o.parent(ctx, f, h, foot); err != nil {
			return nil, err
		}
	}
	d.r = &h.disk
	return d, nil
}

// A header is what dynamic and differencing disks have besides.
type header struct {
	raw      []byte
	parentID [16]byte
	right    bool
	disk     disk
}

func readHeader(r io.ReaderAt, stored int64, foot *footer) (*header, error) {
	b := make([]byte, headerSize)
	if foot.header < 0 || foot.header > stored-headerSize {
		return nil, fmt.Errorf("%w: the footer places its header at byte %d", errFormat, foot.header)
	}
	if err := blocks.ReadFull(r, b, foot.header); err != nil {
		return nil, fmt.Errorf("%w: its header at byte %d: %w", errFormat, foot.header, err)
	}
	h := &header{raw: b, parentID: [16]byte(b[40:]), right: checksum(b, 36) == binary.BigEndian.Uint32(b[36:])}
	table, entries, block := int64(binary.BigEndian.Uint64(b[16:])), binary.BigEndian.Uint32(b[28:]), int64(binary.BigEndian.Uint32(b[32:]))
	if string(b[:8]) != magicDynamic {
		return nil, fmt.Errorf("%w: there is no header at byte %d", errFormat, foot.header)
	}
	if block < sectorSize || block > maxBlock || bits.OnesCount64(uint64(block)) != 1 {
		return nil, fmt.Errorf("%w: blocks of %d bytes (byte 32 of the header)", errFormat, block)
	}
	need := (foot.size + block - 1) / block
	switch {
	case need > int64(entries):
		return nil, fmt.Errorf("%w: a disk of %d bytes in %d blocks (byte 28 of the header)", errFormat, foot.size, entries)
	case need > maxEntries:
		return nil, fmt.Errorf("%w: %d blocks", errKind, need)
	case table < 0 || table > stored-need*entrySize:
		return nil, fmt.Errorf("%w: the header places its table at byte %d", errFormat, table)
	}
	h.disk = disk{r: r, stored: stored, size: foot.size, block: block, bitmap: (block/sectorSize/8 + sectorSize - 1) / sectorSize * sectorSize}
	raw := make([]byte, need*entrySize)
	if err := blocks.ReadFull(r, raw, table); err != nil {
		return nil, fmt.Errorf("%w: its table: %w", errFormat, err)
	}
	h.disk.table = make([]uint32, need)
	for i := range h.disk.table {
		h.disk.table[i] = binary.BigEndian.Uint32(raw[i*entrySize:])
	}
	h.disk.check()
	return h, nil
}

// A disk is the blocks of a dynamic or differencing disk.
type disk struct {
	r      io.ReaderAt
	stored int64
	size   int64
	block  int64
	bitmap int64            // bytes before the data of a block, a bit a sector
	table  []uint32         // where blocks begin, in sectors
	bad    map[uint32]error // blocks, by where they begin, that the table says cannot be
	parent io.ReaderAt
}

// check finds blocks that have a part of another, or of the header. Of two that overlap, one is not
// where the table says: the one that is out of step, for the others follow one another; or it is not
// known which.
func (d *disk) check() {
	used := slices.DeleteFunc(slices.Clone(d.table), func(at uint32) bool { return at == unused })
	slices.Sort(used)
	size := d.bitmap + d.block
	steps := map[int64]int{}
	step := func(at uint32) int { return steps[int64(at)*sectorSize%size] }
	for _, at := range used {
		steps[int64(at)*sectorSize%size]++
	}
	d.bad = map[uint32]error{}
	for i, at := range used {
		if at < (footerSize+headerSize)/sectorSize {
			d.bad[at] = errHeader
		}
		if i == 0 || int64(at-used[i-1])*sectorSize >= size {
			continue
		}
		if before := used[i-1]; step(before) <= step(at) {
			d.bad[before] = errOverlap
		}
		if step(at) <= step(used[i-1]) {
			d.bad[at] = errOverlap
		}
	}
}

// The errors for a block that the table places where it cannot be.
var (
	errPlace   = errors.New("the table places it there, beyond the end of the file")
	errHeader  = errors.New("the table places it there, in the header")
	errOverlap = errors.New("the table places it there, where it overlaps another block")
)

// ReadAt implements [io.ReaderAt].
func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	return readBlocks(p, off, d.size, d.block, d.readBlock)
}

// readBlocks is [io.ReaderAt] of a disk of size bytes, of which read gives a part of a block, from
// the byte in of it on.
func readBlocks(p []byte, off, size, block int64, read func(p []byte, n, in int64) error) (int, error) {
	if off < 0 || off >= size {
		return 0, io.EOF
	}
	var short error
	if left := size - off; int64(len(p)) > left {
		p, short = p[:left], io.EOF
	}
	done := 0
	for done < len(p) {
		at := off + int64(done)
		n := at / block
		part := p[done : done+int(min(int64(len(p)-done), (n+1)*block-at))]
		if err := read(part, n, at-n*block); err != nil {
			return done, err
		}
		done += len(part)
	}
	return done, short
}

// readBlock reads a part of a block.
func (d *disk) readBlock(p []byte, n, in int64) error {
	begin := int64(d.table[n]) * sectorSize
	switch {
	case d.table[n] == unused && d.parent == nil:
		clear(p)
		return nil
	case d.table[n] == unused:
		return blocks.ReadFull(d.parent, p, n*d.block+in)
	}
	err := cmp.Or(d.bad[d.table[n]], errPlace)
	if d.bad[d.table[n]] == nil && begin+d.bitmap+in+int64(len(p)) <= d.stored {
		if d.parent == nil {
			// The bits of a dynamic disk say which sectors were written. Some writers set none.
			err = blocks.ReadFull(d.r, p, begin+d.bitmap+in)
		} else {
			err = d.merge(p, n, in)
		}
	}
	if err != nil {
		return &blocks.DamagedError{Piece: n, Offset: begin, Err: err}
	}
	return nil
}

// merge reads a part of a block sector by sector, from here or from the parent.
func (d *disk) merge(p []byte, n, in int64) error {
	begin := int64(d.table[n]) * sectorSize
	first, last := in/sectorSize, (in+int64(len(p))-1)/sectorSize
	set := make([]byte, last/8-first/8+1)
	if err := blocks.ReadFull(d.r, set, begin+first/8); err != nil {
		return err
	}
	has := func(s int64) bool { return set[s/8-first/8]&(0x80>>(s%8)) != 0 }
	for s := first; s <= last; {
		e := s + 1
		for e <= last && has(e) == has(s) {
			e++
		}
		from, to := max(in, s*sectorSize), min(in+int64(len(p)), e*sectorSize)
		part := p[from-in : to-in]
		var err error
		if has(s) {
			err = blocks.ReadFull(d.r, part, begin+d.bitmap+from)
		} else {
			err = blocks.ReadFull(d.parent, part, n*d.block+from)
		}
		if err != nil {
			return err
		}
		s = e
	}
	return nil
}

// A diskID names a disk, as people write it.
func diskID(id [16]byte) string { return hex.EncodeToString(id[:]) }
