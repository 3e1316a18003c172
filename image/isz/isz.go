// Package isz reads the compressed images of UltraISO (.isz): the blocks of an ISO, each zeros, stored as
// it is, or compressed by zlib or bzip2, behind a table of their lengths.
//
// The sources are the specification of EZB Systems, and what libmirage reads. Encrypted images and those in
// several parts are refused by name.
package isz

import (
	"bytes"
	"compress/bzip2"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"

	"spindle/image/format"
	"spindle/internal/blocks"
)

func init() {
	format.RegisterContainer(format.Container{
		Name: "UltraISO image", Suffixes: []string{".isz"}, Inner: ".iso", Exact: true, Open: open,
		Match: func(p *format.Probe) bool { return p.HasMagic(magic) },
	})
}

const (
	magic      = "IsZ!"
	headerSize = 48
	maxBlock   = 8 << 20
	maxBlocks  = 1 << 21 // 128 GB in blocks of 64 KiB
	segment    = 24      // bytes of an entry of the table of parts
)

// The ways in which a block is stored.
const (
	zeros = iota
	plain
	deflated
	bzipped
)

var (
	errFormat = errors.New("not a valid UltraISO image")
	// errKind means that the file is valid, and cannot be read.
	errKind = fmt.Errorf("%w: it is an UltraISO image (.isz)", format.ErrUnknown)
)

// A file is an opened image.
type file struct {
	r     io.ReaderAt
	size  int64
	block int64
	kinds []byte  // of the blocks that are in the file: all, but where that was cut short
	ends  []int64 // where in the file each of them ends
	first int64   // where the first begins
}

func open(_ context.Context, f *format.File) (*format.Content, error) {
	i, err := read(f, f.Size)
	if err != nil {
		return nil, err
	}
	size := min(i.size, int64(len(i.kinds))*i.block)
	return &format.Content{ReaderAt: blocks.NewReader(i, size), Size: size, Cut: size < i.size, Codec: i.codec()}, nil
}

// codec names the ways to compress.
func (i *file) codec() string {
	switch deflate, bzip := bytes.IndexByte(i.kinds, deflated) >= 0, bytes.IndexByte(i.kinds, bzipped) >= 0; {
	case deflate && bzip:
		return "zlib and bzip2"
	case deflate:
		return "zlib"
	case bzip:
		return "bzip2"
	}
	return "not compressed"
}

// read reads the header and the table of blocks.
func read(r io.ReaderAt, stored int64) (*file, error) {
	le := binary.LittleEndian
	var h [headerSize]byte
	if err := blocks.ReadFull(r, h[:], 0); err != nil {
		return nil, fmt.Errorf("%w: its header: %w", errFormat, err)
	}
	sector, sectors := int64(le.Uint16(h[10:])), int64(le.Uint32(h[12:]))
	i := &file{r: r, size: sector * sectors, block: int64(le.Uint32(h[29:])), first: int64(le.Uint32(h[43:]))}
	count, width, table, parts := int64(le.Uint32(h[25:])), int64(h[33]), int64(le.Uint32(h[35:])), int64(le.Uint32(h[39:]))
	switch {
	case h[16] != 0:
		return nil, fmt.Errorf("%w with a password; UltraISO saves it as .iso", errKind)
	case h[34] > 1:
		return nil, fmt.Errorf("%w, of which this is part %d; UltraISO saves it as .iso", errKind, h[34])
	case i.size == 0 || i.block < sector || i.block > maxBlock:
		return nil, fmt.Errorf("%w: %d sectors of %d bytes, in blocks of %d (byte 10)", errFormat, sectors, sector, i.block)
	case count > maxBlocks || count != (i.size+i.block-1)/i.block:
		return nil, fmt.Errorf("%w: %d blocks of %d bytes for %d (byte 25)", errFormat, count, i.block, i.size)
	case table != 0 && (width < 1 || width > 8):
		return nil, fmt.Errorf("%w: lengths of %d bytes (byte 33)", errFormat, width)
	}
	if parts != 0 {
		if err := i.readParts(parts); err != nil {
			return nil, err
		}
	}
	if table == 0 { // nothing is compressed
		return i, i.lay(stored, count, func(n int64) (byte, int64) { return plain, i.length(n) })
	}
	b := make([]byte, min(count*width, stored))
	if err := blocks.ReadFull(r, b, table); err != nil || int64(len(b)) < count*width {
		return nil, fmt.Errorf("%w: the table of %d blocks at byte %d is not in the file", errFormat, count, table)
	}
	mask(b)
	return i, i.lay(stored, count, func(n int64) (byte, int64) { return entry(b[n*width : (n+1)*width]) })
}

// mask undoes what hides the tables.
func mask(b []byte) {
	for n := range b {
		b[n] ^= ^magic[n%len(magic)]
	}
}

// entry reads the kind of a block, in the upper two bits, and its length.
func entry(b []byte) (kind byte, length int64) {
	last := len(b) - 1
	length = int64(b[last] & 0x3F)
	for n := last - 1; n >= 0; n-- {
		length = length<<8 | int64(b[n])
	}
	return b[last] >> 6, length
}

// readParts reads the table of parts, which has one entry at least, and refuses more.
func (i *file) readParts(at int64) error {
	le := binary.LittleEndian
	var b [2 * segment]byte
	if err := blocks.ReadFull(i.r, b[:], at); err != nil {
		return fmt.Errorf("%w: the table of its parts at byte %d: %w", errFormat, at, err)
	}
	mask(b[:])
	if le.Uint64(b[:]) == 0 {
		return nil
	}
	if le.Uint64(b[segment:]) != 0 {
		return fmt.Errorf("%w in several parts; UltraISO saves it as .iso", errKind)
	}
	i.first = int64(le.Uint32(b[16:]))
	return nil
}

// length is how long a block is.
func (i *file) length(n int64) int64 { return min(i.block, i.size-n*i.block) }

// lay finds out where blocks are, from their lengths, up to the first that is not whole in the file:
// such an image was cut short there.
func (i *file) lay(stored, count int64, entry func(n int64) (byte, int64)) error {
	i.kinds, i.ends = make([]byte, count), make([]int64, count)
	at := i.first
	for n := range count {
		kind, length := entry(n)
		switch {
		case kind == zeros:
			length = 0
		case length > 2*maxBlock || n == 0 && at+length > stored:
			return fmt.Errorf("%w: block %d has %d bytes at byte %d of %d", errFormat, n, length, at, stored)
		case at+length > stored:
			i.kinds, i.ends = i.kinds[:n], i.ends[:n]
			return nil
		}
		at += length
		i.kinds[n], i.ends[n] = kind, at
	}
	return nil
}

// Piece implements [blocks.Source].
func (i *file) Piece(off int64) blocks.Piece {
	n := off / i.block
	return blocks.Piece{Index: n, Begin: n * i.block, End: n*i.block + i.length(n)}
}

// Read implements [blocks.Source].
func (i *file) Read(dst []byte, p blocks.Piece) error {
	begin := i.first
	if p.Index > 0 {
		begin = i.ends[p.Index-1]
	}
	if err := i.unpack(dst, i.kinds[p.Index], begin, i.ends[p.Index]); err != nil {
		return &blocks.DamagedError{Piece: p.Index, Offset: begin, Err: err}
	}
	return nil
}

func (i *file) unpack(dst []byte, kind byte, begin, end int64) error {
	if kind == zeros {
		clear(dst)
		return nil
	}
	b := make([]byte, end-begin)
	if err := blocks.ReadFull(i.r, b, begin); err != nil {
		return err
	}
	var r io.Reader
	switch kind {
	case plain:
		if len(b) != len(dst) {
			return io.ErrUnexpectedEOF
		}
		copy(dst, b)
		return nil
	case deflated:
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return err
		}
		r = z
	case bzipped:
		copy(b, "BZh") // which UltraISO overwrites
		r = bzip2.NewReader(bytes.NewReader(b))
	}
	if _, err := io.ReadFull(r, dst); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, io.LimitReader(r, 1)) // up to the checksum
	return err
}
