// Package daa reads the compressed images of PowerISO (.daa) and gBurner (.gbi): an ISO in chunks, each compressed by
// deflate or LZMA, in one file or several volumes.
//
// The format was never published. Its layout is the one that Luigi Auriemma's daa2iso and libmirage (cdemu) have
// established. Encrypted images are refused by name.
package daa

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"spindle/image/format"
	"spindle/internal/blocks"
	"spindle/internal/lzmablock"
)

func init() {
	format.RegisterContainer(format.Container{
		Name: "PowerISO image", Suffixes: []string{".daa", ".gbi"}, Inner: ".iso", Exact: true, Open: open,
		Match: func(p *format.Probe) bool {
			return p.HasMagic(magicDAA) || p.HasMagic(magicGBI) || p.HasMagic(magicDAA[:3]+volume) || p.HasMagic(magicGBI[:3]+volume)
		},
	})
}

const (
	magicDAA = "DAA\x00"
	magicGBI = "GBI\x00"
	volume   = " VOL\x00" // behind the letters, in all volumes but the first

	headerSize = 76
	version1   = 0x100
	version2   = 0x110

	maxChunk  = 8 << 20
	maxChunks = 1 << 21 // 128 GB in chunks of the usual 64 KiB
	maxParts  = 512
)

// Flags in the field of version 2 that also states the size of a chunk.
const (
	flagPackedTable = 1 << 14
	flagMaskedBits  = 1 << 17
	flagMaskedTable = 1 << 27
	flagUnknown     = 1 << 19
	// and those of the field with the offset of the data, of which no meaning is known either
	flagsUnknownToo = 1<<31 | 1<<28
)

var (
	errFormat = errors.New("not a valid PowerISO image")
	// errKind means that the file is valid, and cannot be read.
	errKind = fmt.Errorf("%w: it is a PowerISO or gBurner image (.daa, .gbi)", format.ErrUnknown)
)

// A header is what a file begins with.
type header struct {
	gbi, second  bool // gBurner's; version 2
	table, data  int64
	chunk, size  int64
	stored       int64  // size of the file
	packedTable  int64  // its size, where it is compressed, or 0
	typeBits     int    // of an entry of the table, in version 2
	lengthBits   int    // likewise
	order        [3]int // how deflate's kinds of blocks are numbered
	maskedBits   bool
	maskedTable  bool
	sum          uint32
	filter       bool // of machine code of the x86
	properties   lzmablock.Properties
	parts        int
	partsByNames bool // the file states that there are parts, and not how many
}

func (h *header) count() int64 { return (h.size + h.chunk - 1) / h.chunk }

func open(ctx context.Context, f *format.File) (*format.Content, error) {
	h, err := readHeader(f)
	if err != nil {
		return nil, err
	}
	i := &file{header: h}
	c := &format.Content{}
	if err := i.join(ctx, f, c); err != nil {
		return nil, closed(c, err)
	}
	if err := i.readTable(f); err != nil {
		return nil, closed(c, err)
	}
	c.Size = min(h.size, int64(len(i.ends))*h.chunk)
	c.Cut = c.Size < h.size
	c.ReaderAt, c.Codec = blocks.NewReader(i, c.Size), i.codec()
	return c, nil
}

// closed closes what was opened of a content, and returns err.
func closed(c *format.Content, err error) error {
	for _, x := range c.Closers {
		x.Close()
	}
	return err
}

// readHeader reads the header, and the descriptors between it and the table.
func readHeader(f *format.File) (*header, error) {
	le := binary.LittleEndian
	var b [headerSize]byte
	if err := blocks.ReadFull(f, b[:], 0); err != nil {
		return nil, fmt.Errorf("%w: its header: %w", errFormat, err)
	}
	h := &header{
		gbi: strings.HasPrefix(string(b[:]), magicGBI), second: le.Uint32(b[20:]) == version2, stored: f.Size,
		table: int64(le.Uint32(b[16:])), data: int64(le.Uint32(b[24:])), chunk: int64(le.Uint32(b[36:])), order: [3]int{0, 1, 2}, parts: 1,
		sum: le.Uint32(b[72:]),
	}
	size := le.Uint64(b[40:])
	switch sum := crc32.ChecksumIEEE(b[:72]); {
	case string(b[3:8]) == volume:
		return nil, fmt.Errorf("%w, of which this is a later volume: open the first", errKind)
	case sum != h.sum:
		return nil, fmt.Errorf("%w: its header has the CRC-32 %08x, and states %08x (byte 72)", errFormat, sum, h.sum)
	case le.Uint32(b[20:]) != version1 && !h.second:
		return nil, fmt.Errorf("%w of the unknown version %#x (byte 20)", errKind, le.Uint32(b[20:]))
	}
	if h.second {
		if err := h.readSecond(b[:]); err != nil {
			return nil, err
		}
	}
	switch most := uint64(maxChunks) * uint64(h.chunk); {
	case h.chunk == 0 || h.chunk > maxChunk:
		return nil, fmt.Errorf("%w: chunks of %d bytes (byte 36)", errFormat, h.chunk)
	case size == 0 || size > most:
		return nil, fmt.Errorf("%w: %d bytes (byte 40) in chunks of %d", errFormat, size, h.chunk)
	case h.table < headerSize || h.data < h.table || h.data > f.Size:
		return nil, fmt.Errorf("%w: a table at byte %d, before data at byte %d, in a file of %d", errFormat, h.table, h.data, f.Size)
	}
	h.size = int64(size)
	return h, h.readDescriptors(f)
}

// readSecond reads the fields that are others in version 2.
func (h *header) readSecond(b []byte) error {
	le := binary.LittleEndian
	const sizeMask, unit, orderShift, offsetMask = 1<<12 - 1, 14, 23, 1<<24 - 1
	flags := uint32(h.chunk)
	if flags&flagUnknown != 0 || h.data&flagsUnknownToo != 0 {
		return fmt.Errorf("%w of an unknown variant (flags %#x at byte 36, %#x at byte 24)", errKind, flags&^sizeMask, h.data&^offsetMask)
	}
	h.data &= offsetMask
	h.chunk = (h.chunk & sizeMask) << unit
	h.maskedBits, h.maskedTable = flags&flagMaskedBits != 0, flags&flagMaskedTable != 0
	if flags&flagPackedTable != 0 {
		h.packedTable = int64(le.Uint32(b[57:]))
	}
	order := flags >> orderShift & 3
	if h.gbi {
		order ^= 1
	}
	h.order = [4][3]int{{0, 1, 2}, {1, 2, 0}, {0, 2, 1}, {1, 0, 2}}[order]
	h.typeBits, h.lengthBits = int(b[61]&7), int(b[61]>>3)
	if h.lengthBits > 0 {
		const least = 10
		h.lengthBits += least
	} else {
		for n := h.chunk; n > int64(h.typeBits); n >>= 1 {
			h.lengthBits++
		}
	}
	h.filter = b[62] != 0
	copy(h.properties[:], b[63:])
	return nil
}

// The kinds of descriptors.
const (
	aboutPart = iota + 1
	aboutSplit
	aboutKey
)

// readDescriptors reads what stands between the header and the table.
func (h *header) readDescriptors(f *format.File) error {
	le := binary.LittleEndian
	const most, head = 1 << 16, 8
	if h.table-headerSize > most {
		return fmt.Errorf("%w: %d bytes before its table at byte %d", errFormat, h.table-headerSize, h.table)
	}
	b := make([]byte, h.table-headerSize)
	if err := blocks.ReadFull(f, b, headerSize); err != nil {
		return fmt.Errorf("%w: what is before its table: %w", errFormat, err)
	}
	part := false
	for at := 0; at < len(b); {
		d := b[at:]
		if len(d) < head || le.Uint32(d[4:]) < head || int64(le.Uint32(d[4:])) > int64(len(d)) {
			return fmt.Errorf("%w: the descriptor at byte %d has no length that fits", errFormat, headerSize+at)
		}
		d = d[:le.Uint32(d[4:])]
		switch le.Uint32(d) {
		case aboutPart:
			part = true
		case aboutSplit:
			if len(d) < head+4 || le.Uint32(d[8:]) < 1 || le.Uint32(d[8:]) > maxParts {
				return fmt.Errorf("%w: the descriptor at byte %d states no number of parts up to %d", errFormat, headerSize+at, maxParts)
			}
			h.parts = int(le.Uint32(d[8:]))
		case aboutKey:
			return fmt.Errorf("%w with a password; PowerISO, which asks for it, saves it as .iso", errKind)
		}
		at += len(d)
	}
	h.partsByNames = part && h.parts == 1
	return nil
}
