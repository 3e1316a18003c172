package hunks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A kind is how a hunk is stored: the numbers are those of version 5.
type kind uint8

const (
	// 0 to 3: compressed by the codec of that number
	plain    kind = 4
	self     kind = 5 // the same as the hunk offset
	inParent kind = 6 // at the byte offset of the parent
	mini     kind = 7 // the eight bytes of offset, again and again
	zeros    kind = 8
)

// sumKind is which checksum of a hunk the map states.
type sumKind uint8

const (
	sumNone sumKind = iota
	sumCRC16
	sumCRC32
)

// An entry is what a map says of a hunk.
type entry struct {
	kind   kind
	sum    sumKind
	length int   // bytes stored, of a compressed one
	offset int64 // where: see kind
	crc    uint32
}

// A table is a map.
type table interface {
	// entry returns what there is about a hunk, which is one of the file.
	entry(n int64) (entry, error)
}

func openTable(r io.ReaderAt, size int64, h *header) (table, error) {
	switch {
	case h.version < 3:
		return openFixed(r, size, h, 8, parse12Entry)
	case h.version < 5:
		return openFixed(r, size, h, 16, parse34Entry)
	case !h.compressed():
		return openFixed(r, size, h, 4, parse5Plain)
	}
	return openPacked(r, size, h)
}

// A fixedTable has entries of one size in the file.
type fixedTable struct {
	r     io.ReaderAt
	h     *header
	size  int64
	parse func(h *header, b []byte, n int64) (entry, error)
}

// endCookie stands behind the map of versions 1 to 4, as one more entry.
const endCookie = "EndOfListCookie\x00"

func openFixed(r io.ReaderAt, size int64, h *header, entrySize int64, parse func(*header, []byte, int64) (entry, error)) (*fixedTable, error) {
	end := h.mapOffset + h.hunks*entrySize
	need := end
	if h.version < 5 {
		need += entrySize
	}
	if need > size {
		return nil, fmt.Errorf("%w: its map ends at byte %d, and the file has %d: %w", ErrFormat, need, size, cutError{})
	}
	if h.version < 5 {
		b := make([]byte, entrySize)
		if _, err := r.ReadAt(b, end); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if string(b) != endCookie[:entrySize] {
			return nil, fmt.Errorf("%w: its map has no end mark at byte %d", ErrFormat, end)
		}
	}
	return &fixedTable{r, h, entrySize, parse}, nil
}

func (t *fixedTable) entry(n int64) (entry, error) {
	var b [16]byte
	at := t.h.mapOffset + n*t.size
	if _, err := t.r.ReadAt(b[:t.size], at); err != nil && !errors.Is(err, io.EOF) {
		return entry{}, fmt.Errorf("map at byte %d: %w", at, err)
	}
	return t.parse(t.h, b[:t.size], n)
}

// parse12Entry: 20 bits of length, 44 of the offset.
func parse12Entry(h *header, b []byte, _ int64) (entry, error) {
	v := binary.BigEndian.Uint64(b)
	e := entry{length: int(v >> 44), offset: int64(v & (1<<44 - 1))}
	if e.length == h.hunkBytes {
		e.kind = plain
	}
	return e, nil
}

// parse34Entry: the offset, CRC-32, length, kind.
func parse34Entry(h *header, b []byte, n int64) (entry, error) {
	const noCRC = 0x10
	e := entry{
		offset: int64(binary.BigEndian.Uint64(b)),
		crc:    binary.BigEndian.Uint32(b[8:]),
		length: int(binary.BigEndian.Uint16(b[12:])) | int(b[14])<<16,
		sum:    sumCRC32,
	}
	if b[15]&noCRC != 0 {
		e.sum = sumNone
	}
	switch b[15] & 15 {
	case 1:
		e.kind = 0
	case 2:
		e.kind = plain
	case 3:
		e.kind = mini
	case 4:
		e.kind, e.sum = self, sumNone
	case 5:
		if e.offset < 0 || e.offset >= maxHunks {
			return e, fmt.Errorf("it is said to be hunk %d of the parent", uint64(e.offset))
		}
		e.kind, e.sum = inParent, sumNone
		e.offset *= int64(h.hunkBytes)
	default:
		return e, fmt.Errorf("the map states the kind %d for hunk %d (at byte %d)", b[15]&15, n, h.mapOffset+n*16+15)
	}
	return e, nil
}

// parse5Plain: the offset in hunks. Hunk 0 is the header's: none is stored.
func parse5Plain(h *header, b []byte, n int64) (entry, error) {
	at := int64(binary.BigEndian.Uint32(b)) * int64(h.hunkBytes)
	switch {
	case at != 0:
		return entry{kind: plain, offset: at}, nil
	case h.hasParent:
		return entry{kind: inParent, offset: n * int64(h.hunkBytes)}, nil
	}
	return entry{kind: zeros}, nil
}
