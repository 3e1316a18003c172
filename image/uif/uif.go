// Package uif reads the compressed images of MagicISO (.uif): the blocks of an ISO, each zeros, stored as it is, or
// compressed by zlib or LZMA, behind which a table says where they are, and a trailer where that is.
//
// The format was never published. Its layout is the one that Luigi Auriemma's uif2iso has established. Images that are
// encrypted, and those of discs with other sectors than an ISO has, are refused by name.
package uif

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zlib"

	"spindle/image/format"
	"spindle/internal/blocks"
	"spindle/internal/lzmablock"
)

func init() {
	format.RegisterContainer(format.Container{
		Name: "MagicISO image", Suffixes: []string{".uif"}, Inner: ".iso", Open: open,
		Match: func(p *format.Probe) bool { return bytes.HasPrefix(p.Tail(trailerSize), []byte(magic)) },
	})
}

const (
	magic       = "bbis"
	magicTable  = "blhr"
	magicLocked = "bsdr"

	trailerSize = 64
	tableHead   = 16
	entrySize   = 24
	sectorSize  = 2048

	typeISO   = 8
	typeMixed = 9
	lzmaFrom  = 3 // the version from which on LZMA takes the place of zlib

	maxBlock  = 8 << 20 // bytes of one that is compressed
	maxBlocks = 1 << 19
	pieceSize = 64 << 10 // of zeros, and of what is stored as it is
)

var (
	errFormat = errors.New("not a valid MagicISO image")
	// errKind means that the file is valid, and cannot be read.
	errKind = fmt.Errorf("%w: it is a MagicISO image (.uif)", format.ErrUnknown)
)

// The ways in which a block is stored.
const (
	plain      = 1
	zeros      = 3
	compressed = 5
)

// A block is a run of sectors.
type block struct {
	at      int64 // in the file
	stored  uint32
	first   uint32 // sector
	sectors uint32
	kind    byte
}

func (b *block) end() int64 { return int64(b.first) + int64(b.sectors) }

// A file is an opened image.
type file struct {
	r      io.ReaderAt
	stored int64
	size   int64 // of the content
	total  int64 // sectors
	lzma   bool
	blocks []block // in the order of their sectors
}

func open(_ context.Context, f *format.File) (*format.Content, error) {
	i, err := read(f, f.Size)
	if err != nil {
		return nil, err
	}
	codec := "zlib"
	if i.lzma {
		codec = "LZMA"
	}
	if !slices.ContainsFunc(i.blocks, func(b block) bool { return b.kind == compressed }) {
		codec = "not compressed"
	}
	return &format.Content{ReaderAt: blocks.NewReader(i, i.size), Size: i.size, Codec: codec}, nil
}

// read reads the trailer and the table of blocks.
func read(r io.ReaderAt, stored int64) (*file, error) {
	le := binary.LittleEndian
	var b [trailerSize]byte
	begin := stored - trailerSize
	if err := blocks.ReadFull(r, b[:], begin); err != nil {
		return nil, fmt.Errorf("%w: its trailer: %w", errFormat, err)
	}
	version, kind, last := le.Uint16(b[8:]), le.Uint16(b[10:]), int64(le.Uint32(b[24:]))
	i := &file{r: r, stored: stored, total: int64(le.Uint32(b[16:])), lzma: version >= lzmaFrom}
	i.size = i.total * sectorSize
	const ownCipher, lastKey = 2, 16
	switch {
	case b[57] == ownCipher, version > 1 && b[56] > 0 && b[56] <= lastKey:
		return nil, fmt.Errorf("%w that is encrypted; MagicISO saves it as .iso", errKind)
	case kind == typeMixed:
		return nil, fmt.Errorf("%w of a CD with audio or raw sectors; MagicISO or uif2iso makes a .bin and .cue of it", errKind)
	case kind != typeISO:
		return nil, fmt.Errorf("%w of the unknown type %d (byte %d); MagicISO saves it as .iso", errKind, kind, begin+10)
	case le.Uint32(b[20:]) != sectorSize || i.total == 0:
		return nil, fmt.Errorf("%w: %d sectors of %d bytes (byte %d)", errFormat, i.total, le.Uint32(b[20:]), begin+16)
	case last > sectorSize:
		return nil, fmt.Errorf("%w: a last sector of %d bytes (byte %d)", errFormat, last, begin+24)
	case last > 0:
		i.size -= sectorSize - last
	}
	at := le.Uint64(b[28:])
	if at > uint64(begin) {
		return nil, fmt.Errorf("%w: a table at byte %d of %d (byte %d)", errFormat, at, stored, begin+28)
	}
	if err := i.readTable(int64(at)); err != nil {
		return nil, err
	}
	return i, i.check()
}

// readTable reads the table of blocks.
func (i *file) readTable(at int64) error {
	le := binary.LittleEndian
	var h [tableHead]byte
	if err := blocks.ReadFull(i.r, h[:], at); err != nil {
		return fmt.Errorf("%w: the table at byte %d: %w", errFormat, at, err)
	}
	const counted = 8 // bytes of the head that its size counts
	size, count := int64(le.Uint32(h[4:]))-counted, int64(le.Uint32(h[12:]))
	switch {
	case string(h[:4]) == magicLocked:
		return fmt.Errorf("%w with a password; MagicISO, which asks for it, saves it as .iso", errKind)
	case string(h[:4]) != magicTable:
		return fmt.Errorf("%w: no table at byte %d", errFormat, at)
	case count == 0 || count > maxBlocks:
		return fmt.Errorf("%w: %d blocks (byte %d)", errFormat, count, at+12)
	case size < 0 || size > i.stored-at-tableHead || size > count*entrySize+1<<16:
		return fmt.Errorf("%w: a table of %d bytes (byte %d) for %d blocks", errFormat, size, at+4, count)
	}
	var r io.Reader = io.NewSectionReader(i.r, at+tableHead, size)
	if le.Uint32(h[8:]) != 0 {
		b := make([]byte, size)
		err := blocks.ReadFull(i.r, b, at+tableHead)
		if err == nil {
			r, err = i.unpacker(b, int(count*entrySize))
		}
		if err != nil {
			return fmt.Errorf("%w: the table at byte %d: %w", errFormat, at, err)
		}
	}
	for n := range count {
		var e [entrySize]byte
		if _, err := io.ReadFull(r, e[:]); err != nil {
			return fmt.Errorf("%w: the table at byte %d ends with block %d of %d: %w", errFormat, at, n, count, err)
		}
		kind := le.Uint32(e[20:])
		if kind != plain && kind != zeros && kind != compressed {
			return fmt.Errorf("%w with block %d stored in the unknown way %d", errKind, n, kind)
		}
		x := block{at: int64(le.Uint64(e[:])), stored: le.Uint32(e[8:]), first: le.Uint32(e[12:]), sectors: le.Uint32(e[16:]), kind: byte(kind)}
		if err := i.checkBlock(n, &x); err != nil {
			return err
		}
		i.blocks = append(i.blocks, x)
	}
	return nil
}

// checkBlock looks whether a block lies in the file, and what it holds in the image.
func (i *file) checkBlock(n int64, b *block) error {
	size := int64(b.sectors) * sectorSize
	switch {
	case b.sectors == 0 || b.end() > i.total:
		return fmt.Errorf("%w: block %d has sectors %d to %d of %d", errFormat, n, b.first, b.end(), i.total)
	case b.kind == zeros:
		return nil
	case b.at < 0 || b.at > i.stored || int64(b.stored) > i.stored-b.at:
		return fmt.Errorf("%w: block %d has %d bytes at byte %d of %d", errFormat, n, b.stored, b.at, i.stored)
	case b.kind == compressed && (size > maxBlock || b.stored > 2*maxBlock), b.kind == plain && int64(b.stored) > size:
		return fmt.Errorf("%w: block %d has %d sectors in %d bytes", errFormat, n, b.sectors, b.stored)
	}
	return nil
}

// check looks whether each sector is in one block.
func (i *file) check() error {
	slices.SortFunc(i.blocks, func(a, b block) int { return cmp.Compare(a.first, b.first) })
	next := int64(0)
	for n := range i.blocks {
		b := &i.blocks[n]
		if int64(b.first) > next {
			return fmt.Errorf("%w: no block has sectors %d to %d", errFormat, next, b.first-1)
		}
		if int64(b.first) < next {
			return fmt.Errorf("%w: two blocks have sector %d", errFormat, b.first)
		}
		next = b.end()
	}
	if next < i.total {
		return fmt.Errorf("%w: no block has sectors %d to %d", errFormat, next, i.total-1)
	}
	return nil
}

// Piece implements [blocks.Source]. It is a block, or a part of one that is not compressed; its index is its place.
func (i *file) Piece(off int64) blocks.Piece {
	n, _ := slices.BinarySearchFunc(i.blocks, off, func(b block, off int64) int {
		switch {
		case b.end()*sectorSize <= off:
			return -1
		case int64(b.first)*sectorSize > off:
			return 1
		}
		return 0
	})
	b := &i.blocks[n]
	begin, end := int64(b.first)*sectorSize, b.end()*sectorSize
	if b.kind != compressed {
		begin += (off - begin) / pieceSize * pieceSize
		end = min(end, begin+pieceSize)
	}
	return blocks.Piece{Index: int64(n)<<32 | (begin-int64(b.first)*sectorSize)/pieceSize, Begin: begin, End: min(end, i.size)}
}

// Read implements [blocks.Source].
func (i *file) Read(dst []byte, p blocks.Piece) error {
	n := p.Index >> 32
	b := &i.blocks[n]
	if err := i.unpack(dst, b, p.Begin-int64(b.first)*sectorSize); err != nil {
		return &blocks.DamagedError{Piece: n, Offset: b.at, Err: err}
	}
	return nil
}

// unpack reads what a block holds from a byte on.
func (i *file) unpack(dst []byte, b *block, from int64) error {
	switch b.kind {
	case zeros:
		clear(dst)
		return nil
	case plain: // what is not stored of it is zeros
		have := max(0, min(int64(len(dst)), int64(b.stored)-from))
		clear(dst[have:])
		return blocks.ReadFull(i.r, dst[:have], b.at+from)
	}
	in := make([]byte, b.stored)
	if err := blocks.ReadFull(i.r, in, b.at); err != nil {
		return err
	}
	size := int64(b.sectors) * sectorSize
	r, err := i.unpacker(in, int(size))
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(r, dst); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	rest := size - int64(len(dst)) // of the last sector
	over, err := io.Copy(io.Discard, io.LimitReader(r, rest+1))
	if err == nil && over > rest {
		err = errLong
	}
	return err
}

var errLong = errors.New("it is unpacked to more than it may be")

// unpacker unpacks a block, or the table.
func (i *file) unpacker(b []byte, size int) (io.Reader, error) {
	if !i.lzma {
		return zlib.NewReader(bytes.NewReader(b))
	}
	const filter, stated = 1, 8 // a byte that says whether machine code was filtered; the size
	head := filter + len(lzmablock.Properties{}) + stated
	if len(b) < head {
		return nil, io.ErrUnexpectedEOF
	}
	r, err := lzmablock.NewReader(lzmablock.Properties(b[filter:]), b[head:], size)
	if err != nil || b[0] == 0 {
		return r, err
	}
	all := make([]byte, size)
	if _, err := io.ReadFull(r, all); err != nil {
		return nil, err
	}
	lzmablock.Unfilter(all)
	return bytes.NewReader(all), nil
}
