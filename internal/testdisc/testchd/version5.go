package testchd

import (
	"encoding/binary"
)

// version5 makes a file of version 5.
func (m *maker) version5() []byte {
	be := binary.BigEndian
	file := make([]byte, 124)
	copy(file, "MComprHD")
	be.PutUint32(file[8:], 124)
	be.PutUint32(file[12:], 5)
	for i, c := range m.o.Codecs {
		copy(file[16+4*i:], c)
	}
	be.PutUint64(file[32:], uint64(m.logical))
	if len(m.o.Meta) > 0 {
		be.PutUint64(file[48:], 124)
	}
	be.PutUint32(file[56:], uint32(m.o.HunkBytes))
	be.PutUint32(file[60:], uint32(m.o.UnitBytes))
	if len(m.o.Codecs) > 0 {
		raw, all := m.sums()
		copy(file[64:], raw[:])
		copy(file[84:], all[:])
	}
	if m.o.Parent != nil {
		copy(file[104:124], m.o.Parent.File[84:])
	}
	file = m.meta(file)
	if len(m.o.Codecs) == 0 {
		return m.plainMap(file)
	}
	first := len(file)
	for i := range m.hunks {
		h := &m.hunks[i]
		if h.kind < 5 {
			h.offset = int64(len(file))
			file = append(file, h.data...)
		}
	}
	be.PutUint64(file[40:], uint64(len(file)))
	bits, sum := m.packedMap()
	file = be.AppendUint32(file, uint32(len(bits)))
	file = append(file, be.AppendUint64(nil, uint64(first))[2:]...) // 48 bits
	file = be.AppendUint16(file, sum)
	file = append(file, lengthBits, refBits, refBits, 0)
	return append(file, bits...)
}

// plainMap appends the map of an uncompressed file, and its hunks.
func (m *maker) plainMap(file []byte) []byte {
	at := len(file)
	binary.BigEndian.PutUint64(file[40:], uint64(at))
	file = append(file, make([]byte, 4*len(m.hunks))...)
	for len(file)%m.o.HunkBytes != 0 {
		file = append(file, 0)
	}
	for i := range m.hunks {
		h := &m.hunks[i]
		if h.kind == 6 && h.ref == int64(i*m.o.HunkBytes) {
			continue
		}
		binary.BigEndian.PutUint32(file[at+4*i:], uint32(len(file)/m.o.HunkBytes))
		file = append(file, m.content[i*m.o.HunkBytes:(i+1)*m.o.HunkBytes]...)
	}
	return file
}

// Bits of the fields of an entry.
const lengthBits, refBits = 17, 21

// bitWriter writes bits, the most significant first.
type bitWriter struct {
	out  []byte
	free uint // bits of the last byte
}

func (w *bitWriter) write(v uint64, n uint) {
	for n > 0 {
		if w.free == 0 {
			w.out, w.free = append(w.out, 0), 8
		}
		n--
		w.free--
		w.out[len(w.out)-1] |= byte(v>>n&1) << w.free
	}
}

// packedMap makes the bits of the map, and its checksum. All types have codes of four bits.
func (m *maker) packedMap() ([]byte, uint16) {
	var w bitWriter
	for range 16 {
		w.write(4, 4)
	}
	types := m.types()
	for i := 0; i < len(types); {
		run := 1
		for i+run < len(types) && types[i+run] == types[i] {
			run++
		}
		w.write(uint64(types[i]), 4)
		i++
		for left := run - 1; left >= 3; {
			if left < 19 {
				w.write(7, 4)
				w.write(uint64(left-3), 4)
				i, left = i+left, 0
				continue
			}
			n := min(left-19, 255)
			w.write(8, 4)
			w.write(uint64(n/16), 4)
			w.write(uint64(n%16), 4)
			i, left = i+19+n, left-19-n
		}
	}
	var raw []byte
	for i := range m.hunks {
		raw = append(raw, m.entry(&w, &m.hunks[i], types[i])...)
	}
	return w.out, crc(raw)
}

// types chooses how each hunk is stated, with the short forms where they fit.
func (m *maker) types() []int {
	var all []int
	lastSelf, lastUnit := int64(0), int64(0)
	for i, h := range m.hunks {
		t := h.kind
		unit := h.ref / int64(m.o.UnitBytes)
		perHunk := int64(m.o.HunkBytes / m.o.UnitBytes)
		switch {
		case t == 5 && h.ref == lastSelf:
			t = 9
		case t == 5 && h.ref == lastSelf+1:
			t = 10
		case t == 6 && unit == int64(i)*perHunk:
			t = 11
		case t == 6 && unit == lastUnit:
			t = 12
		case t == 6 && unit == lastUnit+perHunk:
			t = 13
		}
		switch h.kind {
		case 5:
			lastSelf = h.ref
		case 6:
			lastUnit = unit
		}
		all = append(all, t)
	}
	return all
}

// entry writes the bits of a hunk, and returns the bytes that the checksum is over.
func (m *maker) entry(w *bitWriter, h *hunk, t int) []byte {
	offset, sum := uint64(h.offset), h.sum
	switch h.kind {
	case 5:
		offset = uint64(h.ref)
	case 6:
		offset = uint64(h.ref) / uint64(m.o.UnitBytes)
	}
	length := len(h.data)
	switch {
	case t < 4:
		w.write(uint64(length), lengthBits)
		w.write(uint64(sum), 16)
	case t == 4:
		w.write(uint64(sum), 16)
	case t < 7:
		w.write(offset, refBits)
	}
	raw := binary.BigEndian.AppendUint32(nil, uint32(h.kind)<<24|uint32(length))
	return binary.BigEndian.AppendUint64(raw, offset<<16|uint64(sum))
}
