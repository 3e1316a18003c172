package hunks

import (
	"encoding/binary"

	"spindle/disc/cdsector"
)

// packMap makes the compressed map of hunks of which the first is stored at a byte of the
// file.
func packMap(hunks []storedHunk, first int64) []byte {
	types := make([]byte, len(hunks))
	raw := crc16Start
	var longest, farthest, last uint32
	at := uint64(first)
	for i, h := range hunks {
		var entry [12]byte
		types[i] = byte(h.kind)
		length, offset := h.value, at
		if h.kind == self {
			length, offset = 0, uint64(h.value)
			switch h.value {
			case last:
				types[i] = selfSame
			case last + 1:
				types[i] = selfNext
			default:
				farthest = max(farthest, h.value)
			}
			last = h.value
		} else {
			at += uint64(length)
			longest = max(longest, length)
		}
		binary.BigEndian.PutUint32(entry[:], uint32(h.kind)<<24|length)
		binary.BigEndian.PutUint64(entry[4:], offset<<16|uint64(h.crc))
		raw = cdsector.ExtendCRC16(raw, entry[:])
	}
	lengthBits, selfBits := bitsFor(longest), bitsFor(farthest)
	var w bitWriter
	putTypes(&w, types)
	for i, h := range hunks {
		switch {
		case types[i] < byte(plain):
			w.put(h.value, lengthBits)
			w.put(uint32(h.crc), 16)
		case types[i] == byte(plain):
			w.put(uint32(h.crc), 16)
		case types[i] == byte(self):
			w.put(h.value, selfBits)
		}
	}
	bits := w.end()
	head := binary.BigEndian.AppendUint32(nil, uint32(len(bits)))
	head = append(head, binary.BigEndian.AppendUint64(nil, uint64(first))[2:]...) // 48 bits
	head = binary.BigEndian.AppendUint16(head, raw)
	head = append(head, byte(lengthBits), byte(selfBits), 0, 0)
	return append(head, bits...)
}

// putTypes writes the types of all hunks, and before them the codes for these.
func putTypes(w *bitWriter, types []byte) {
	const (
		codes, maxBits = 16, 8
		small          = 3                 // the fewest repetitions that are said shortly
		large          = small + 16        // and with two more codes
		most           = large + 16*16 - 1 // and the most
	)
	var symbols []byte
	for i := 0; i < len(types); {
		run := 1
		for i+run < len(types) && types[i+run] == types[i] {
			run++
		}
		symbols = append(symbols, types[i])
		for left := run - 1; left > 0; {
			switch n := min(left, most); {
			case n < small:
				symbols = append(symbols, types[i])
				left--
			case n < large:
				symbols = append(symbols, repeatSmall, byte(n-small))
				left -= n
			default:
				symbols = append(symbols, repeatLarge, byte((n-large)>>4), byte((n-large)&15))
				left -= n
			}
		}
		i += run
	}
	counts := make([]uint32, codes)
	for _, s := range symbols {
		counts[s]++
	}
	c := newCoding(counts, maxBits)
	c.putTypesTree(w)
	for _, s := range symbols {
		c.put(w, int(s))
	}
}
