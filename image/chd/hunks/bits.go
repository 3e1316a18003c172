package hunks

import (
	"bufio"
	"errors"
	"io"
)

// A bitReader reads bits, the most significant of a byte first. Behind the end are zeros,
// for codes are looked up by more bits than they have: done says whether any were used.
type bitReader struct {
	src    io.ByteReader
	acc    uint64
	have   uint  // bits in acc that were not used
	loaded int64 // bits that went into acc
	behind int64 // of these, bits from behind the end
	err    error // other than the end
}

// bitsAt reads bits of a part of a file, from one of its bits on.
func bitsAt(r io.ReaderAt, offset, length, bit int64) *bitReader {
	skip := bit / 8
	b := &bitReader{src: bufio.NewReaderSize(io.NewSectionReader(r, offset+skip, length-skip), 4<<10), loaded: skip * 8}
	b.read(uint(bit % 8))
	return b
}

// peek returns the next n bits, at most 32.
func (b *bitReader) peek(n uint) uint32 {
	for b.have < n {
		c, err := b.src.ReadByte()
		if err != nil {
			c = 0
			b.behind += 8
			if !errors.Is(err, io.EOF) {
				b.err = err
			}
		}
		b.acc = b.acc<<8 | uint64(c)
		b.have += 8
		b.loaded += 8
	}
	return uint32(b.acc >> (b.have - n) & (1<<n - 1))
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
