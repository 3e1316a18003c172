package hunks

import (
	"encoding/binary"
	"errors"
	"io"
)

// A bitReader reads bits, the most significant of a byte first. Behind the end are zeros,
// for codes are looked up by more bits than they have: done says whether any were used.
type bitReader struct {
	r      io.Reader // of more, or nil
	buf    []byte    // what was read, and not yet used
	page   []byte
	acc    uint64
	have   uint  // bits in acc that were not used
	loaded int64 // bits that went into acc
	behind int64 // of these, bits from behind the end
	err    error // other than the end
}

// bitsAt reads bits of a part of a file, from one of its bits on.
func bitsAt(r io.ReaderAt, offset, length, bit int64) *bitReader {
	skip := bit / 8
	b := &bitReader{r: io.NewSectionReader(r, offset+skip, length-skip), page: make([]byte, 4<<10), loaded: skip * 8}
	b.read(uint(bit % 8))
	return b
}

// peek returns the next n bits, at most 32.
func (b *bitReader) peek(n uint) uint32 {
	if b.have < n && len(b.buf) >= 4 {
		b.acc = b.acc<<32 | uint64(binary.BigEndian.Uint32(b.buf))
		b.buf = b.buf[4:]
		b.have += 32
		b.loaded += 32
	}
	for b.have < n {
		if len(b.buf) == 0 {
			b.fill()
		}
		b.acc = b.acc<<8 | uint64(b.buf[0])
		b.buf = b.buf[1:]
		b.have += 8
		b.loaded += 8
	}
	return uint32(b.acc >> (b.have - n) & (1<<n - 1))
}

// fill reads a page, or behind the end makes a byte.
func (b *bitReader) fill() {
	if b.r != nil {
		n, err := io.ReadFull(b.r, b.page)
		b.buf = b.page[:n]
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			b.err = err
		}
	}
	if len(b.buf) == 0 {
		b.buf = []byte{0}
		b.behind += 8
	}
}

func (b *bitReader) skip(n uint) { b.have -= n }

// read returns the next n bits, at most 32.
func (b *bitReader) read(n uint) uint32 {
	v := b.peek(n)
	b.skip(n)
	return v
}

// at is the number of the next bit.
func (b *bitReader) at() int64 { return b.loaded - int64(b.have) }

// done returns an error when bits were used that there are not.
func (b *bitReader) done() error {
	switch {
	case b.err != nil:
		return b.err
	case b.behind > int64(b.have):
		return io.ErrUnexpectedEOF
	}
	return nil
}
