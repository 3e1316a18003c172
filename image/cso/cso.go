// Package cso reads and writes the compressed ISO files of the PlayStation Portable and 2: CSO
// of versions 0 to 2, ZSO and DAX. All hold the blocks of an ISO, compressed one by one, behind
// an index.
//
// There is no standard. The sources are README_CSO.md and the headers of maxcso, and what
// libmirage and PPSSPP read.
package cso

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"spindle/image/format"
	"spindle/internal/blocks"
)

func init() {
	for _, c := range []format.Container{
		{Name: "CSO file", Suffixes: []string{".cso", ".ciso"}, Match: isCSO, Open: open},
		{Name: "ZSO file", Suffixes: []string{".zso", ".ziso"}, Match: magic("ZISO"), Open: open},
		{Name: "DAX file", Suffixes: []string{".dax"}, Match: magic("DAX\x00"), Open: openDAX},
	} {
		c.Inner, c.Exact = ".iso", true
		format.RegisterContainer(c)
	}
	format.Register(format.Format{Name: "CSO file", Suffixes: []string{".cso"}, Create: kindCSO.create})
	format.Register(format.Format{Name: "ZSO file", Suffixes: []string{".zso"}, Create: kindZSO.create})
}

func magic(m string) func(*format.Probe) bool {
	return func(p *format.Probe) bool { return p.HasMagic(m) }
}

// isCSO tells those of the PlayStation from the CISO files of a GameCube, which have the size of
// their blocks where these have that of a header.
func isCSO(p *format.Probe) bool {
	return p.HasMagic("CISO") && (len(p.Head) < headerSize || binary.LittleEndian.Uint32(p.Head[4:]) != gameCubeBlock)
}

// gameCubeBlock is the size of the blocks of CISO files of a GameCube.
const gameCubeBlock = 2 << 20

const (
	headerSize = 24
	entrySize  = 4
	plainBit   = 1 << 31
	minBlock   = 512
	maxBlock   = 4 << 20
	maxShift   = 20
)

var (
	errFormat = errors.New("not a valid compressed ISO")
	// errOrder means that a block ends before it begins.
	errOrder = errors.New("the index says that it begins in its index, ends before it begins, or beyond the end of the file")
	errLong  = errors.New("the index gives it more bytes than a block can need")
	errShort = errors.New("it holds less than a block")
)

// A file is the content of a CSO or ZSO.
type file struct {
	r       io.ReaderAt
	stored  int64 // size of the file
	size    int64 // of the content
	block   int64
	count   int64
	shift   uint
	version byte
	lz4     bool  // what is compressed is always LZ4
	data    int64 // where the index ends at the earliest
	endless bool  // the index does not say where the last block ends
	index   index
}

func open(_ context.Context, f *format.File) (*format.Content, error) {
	c, err := read(f, f.Size)
	if err != nil {
		return nil, err
	}
	content := &format.Content{Size: c.size, Codec: "deflate"}
	switch {
	case c.lz4:
		content.Codec = "LZ4"
	case c.version == 2:
		content.Codec = "deflate and LZ4"
	}
	whole, err := c.whole()
	if err != nil {
		return nil, err
	}
	if whole < c.count {
		content.Cut, content.Size = true, whole*c.block
	}
	content.ReaderAt = blocks.NewReader(c, content.Size)
	return content, nil
}

// read reads the header.
func read(r io.ReaderAt, stored int64) (*file, error) {
	var h [headerSize]byte
	if err := blocks.ReadFull(r, h[:], 0); err != nil {
		return nil, fmt.Errorf("%w: its header: %w", errFormat, err)
	}
	size, block := binary.LittleEndian.Uint64(h[8:]), binary.LittleEndian.Uint32(h[16:])
	c := &file{r: r, stored: stored, block: int64(block), version: h[20], shift: uint(h[21]), lz4: h[0] == 'Z'}
	switch {
	case block < minBlock || block > maxBlock:
		return nil, fmt.Errorf("%w: blocks of %d bytes (byte 16)", errFormat, block)
	case c.version > 2 || c.lz4 && c.version > 1:
		return nil, fmt.Errorf("%w: version %d (byte 20)", errFormat, c.version)
	case c.shift > maxShift:
		return nil, fmt.Errorf("%w: places in units of 2^%d bytes (byte 21)", errFormat, c.shift)
	case size == 0 || size > uint64(stored/entrySize)*uint64(block): // each block has an entry
		return nil, fmt.Errorf("%w: %d bytes (byte 8), for which its index has no room", errFormat, size)
	}
	c.size = int64(size)
	c.count = (c.size + c.block - 1) / c.block
	c.index = index{r: r, at: headerSize, count: c.count + 1}
	return c, c.findEnd()
}

// findEnd finds out whether the index says where the last block ends. It does not where the first
// one begins in its place; if that is not known, where it is no place behind the last.
func (c *file) findEnd() error {
	c.data = headerSize + c.count*entrySize
	first, err := c.place(0)
	if err != nil {
		return err
	}
	end, err := c.place(c.count)
	if err != nil && c.count > 1 {
		return err
	}
	last, err := c.place(c.count - 1)
	switch {
	case first >= c.data && first < c.stored:
		c.endless = first < c.data+entrySize
	default:
		c.endless = end <= last || end > c.stored
	}
	return err
}

// place is where a block begins in the file, and where the last one ends.
func (c *file) place(n int64) (int64, error) {
	v, err := c.index.entry(n)
	if err != nil {
		return 0, err
	}
	return int64(v&^plainBit) << c.shift, nil
}

// whole counts the blocks that are in the file; all, but in one that was cut short.
func (c *file) whole() (int64, error) {
	last, err := c.place(c.count - 1)
	if err != nil {
		return 0, err
	}
	end, err := c.end(c.count - 1)
	if err == nil && last < end && end <= c.stored {
		return c.count, nil
	}
	lo, hi := int64(0), c.count-1 // blocks before lo are whole, that at hi is not
	for lo < hi {
		mid := (lo + hi) / 2
		end, err := c.place(mid + 1)
		switch {
		case err != nil:
			return 0, err
		case end > c.stored:
			hi = mid
		default:
			lo = mid + 1
		}
	}
	if lo == 0 {
		return 0, fmt.Errorf("%w: none of its blocks is in the file, which has %d bytes", errFormat, c.stored)
	}
	return lo, nil
}

// end is where a block ends.
func (c *file) end(n int64) (int64, error) {
	if c.endless && n == c.count-1 {
		return c.stored, nil
	}
	return c.place(n + 1)
}

// Piece implements [blocks.Source].
func (c *file) Piece(off int64) blocks.Piece {
	n := off / c.block
	return blocks.Piece{Index: n, Begin: n * c.block, End: min((n+1)*c.block, c.size)}
}

// Read implements [blocks.Source].
func (c *file) Read(dst []byte, p blocks.Piece) error {
	v, err := c.index.entry(p.Index)
	if err != nil {
		return err
	}
	begin := int64(v&^plainBit) << c.shift
	if err := c.unpack(dst, v&plainBit != 0, begin, p.Index); err != nil {
		return &blocks.DamagedError{Piece: p.Index, Offset: begin, Err: err}
	}
	return nil
}

func (c *file) unpack(dst []byte, flag bool, begin, n int64) error {
	end, err := c.end(n)
	if err != nil {
		return err
	}
	length := end - begin
	plain := flag
	if c.version == 2 && !c.lz4 {
		plain = length >= c.block
	}
	switch {
	case length <= 0 || begin < c.data || end > c.stored:
		return errOrder
	case plain && length < int64(len(dst)):
		return errShort
	case plain && length > c.block+1<<c.shift:
		return errLong
	case plain:
		return blocks.ReadFull(c.r, dst, begin)
	case length > 2*c.block+1<<c.shift:
		return errLong
	}
	packed := make([]byte, length)
	if err := blocks.ReadFull(c.r, packed, begin); err != nil {
		return err
	}
	if c.lz4 || c.version == 2 && flag {
		return unpackLZ4(dst, packed, 1<<c.shift)
	}
	return inflate(dst, packed)
}
