package daa

import (
	"bytes"
	"fmt"
	"io"

	"spindle/image/format"
	"spindle/internal/blocks"
)

// readTable reads where each chunk is, up to the first that is not whole in the files: such an image was cut short there.
func (i *file) readTable(f *format.File) error {
	b, err := i.rawTable(f)
	if err != nil {
		return err
	}
	i.unmask(b)
	entry := func(n int64) (kind, int64) {
		e := b[n*3:]
		return deflated, int64(e[0])<<16 | int64(e[2])<<8 | int64(e[1])
	}
	if i.second {
		entry = (&bitTable{b: b, header: i.header}).entry
	}
	end, most := int64(0), min(i.count(), i.packed)
	i.kinds, i.ends = make([]kind, 0, most), make([]int64, 0, most)
	for n := range i.count() {
		kind, length := entry(n)
		switch {
		case kind > deflated:
			return fmt.Errorf("%w with chunk %d compressed in the unknown way %d", errKind, n, kind)
		case length == 0 || length > 2*i.chunk+slack:
			return fmt.Errorf("%w: chunk %d has %d bytes, in the table at byte %d", errFormat, n, length, i.table)
		case end+length > i.packed && n == 0:
			return fmt.Errorf("%w: chunk 0 has %d bytes at byte %d of %d", errFormat, length, i.data, i.stored)
		case end+length > i.packed:
			return nil
		}
		end += length
		i.kinds, i.ends = append(i.kinds, kind), append(i.ends, end)
	}
	return nil
}

// slack is by how much more than twice a chunk what is stored of it may have.
const slack = 1 << 10

// entryBits are those of an entry of the table.
func (h *header) entryBits() int64 {
	if h.second {
		return int64(h.typeBits + h.lengthBits)
	}
	const bits = 24
	return bits
}

// rawTable reads the table as it is stored, or unpacks it.
func (i *file) rawTable(f *format.File) ([]byte, error) {
	const most = 32
	bits := i.entryBits()
	if i.lengthBits > most || bits == 0 {
		return nil, fmt.Errorf("%w: lengths of %d bits (byte 61)", errFormat, i.lengthBits)
	}
	need := (i.count()*bits + 7) / 8
	size := (i.data - i.table) * 8 / bits // as many entries as have room, of which none behind the last chunk counts
	size = (size*bits + 7) / 8
	if i.packedTable > 0 {
		size = i.packedTable
	}
	if size > i.data-i.table || i.packedTable == 0 && size < need {
		return nil, fmt.Errorf("%w: the table of %d chunks at byte %d has %d bytes", errFormat, i.count(), i.table, i.data-i.table)
	}
	if size > 2*need+slack {
		return nil, fmt.Errorf("%w: a table of %d bytes at byte %d, for %d chunks", errFormat, size, i.table, i.count())
	}
	b := make([]byte, size)
	if err := blocks.ReadFull(f, b, i.table); err != nil {
		return nil, fmt.Errorf("%w: the table at byte %d: %w", errFormat, i.table, err)
	}
	if i.packedTable == 0 {
		return b, nil
	}
	return i.unpackTable(b, need)
}

// unpackTable unpacks the table, which may have some entries more than there are chunks.
func (i *file) unpackTable(packed []byte, need int64) ([]byte, error) {
	var out bytes.Buffer
	z := newInflater(packed, i.order)
	_, err := io.Copy(&out, io.LimitReader(z, need+slack))
	if err == nil && int64(out.Len()) < need {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the compressed table at byte %d: %w", errFormat, i.table, err)
	}
	bits := i.entryBits()
	size := (int64(out.Len())*8/bits*bits + 7) / 8
	return out.Bytes()[:size], nil
}

// unmask undoes what hides the table.
func (h *header) unmask(b []byte) {
	if h.gbi {
		by := byte(len(b) / 4)
		for n := range b {
			b[n] = b[n] - byte(h.sum) ^ by
		}
	}
	if h.maskedTable {
		sectors := h.size / sectorSize
		step, by := byte(sectors>>8), byte(sectors)
		for n := range b {
			b[n] -= by
			by += step
		}
	}
}

const sectorSize = 2048

// A bitTable is the table of version 2, whose fields have any number of bits.
type bitTable struct {
	*header
	b []byte
}

// bitMask hides the fields of an entry, with its number.
var bitMask = [8]byte{0x0A, 0x35, 0x2D, 0x3F, 0x08, 0x33, 0x09, 0x15}

func (t *bitTable) entry(n int64) (kind, int64) {
	mask := uint64(0)
	if t.maskedBits {
		mask = uint64(byte(n)^bitMask[n%8]) * 0x01010101
	}
	const more = 5 // bytes that are never counted
	at := n * t.entryBits()
	length := int64((bitsAt(t.b, at, t.lengthBits)^mask)&(1<<t.lengthBits-1)) + more
	how := kind((bitsAt(t.b, at+int64(t.lengthBits), t.typeBits) ^ mask) & (1<<t.typeBits - 1))
	if length >= t.chunk {
		return plain, length
	}
	return how, length
}

// bitsAt returns n bits, the lowest first.
func bitsAt(b []byte, at int64, n int) (v uint64) {
	for k := range n {
		bit := b[(at+int64(k))/8] >> ((at + int64(k)) % 8) & 1
		v |= uint64(bit) << k
	}
	return v
}
