package hunks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"spindle/disc/cdsector"
)

// What a compressed map states for a hunk beside the kinds that entries have.
const (
	selfSame    = 9  // the same hunk as the last reference to this file
	selfNext    = 10 // the one behind it
	parentHere  = 11 // the parent, at the place of this hunk
	parentSame  = 12 // the same unit as the last reference to the parent
	parentNext  = 13 // one hunk behind it
	repeatSmall = 7  // the type before, three times and more
	repeatLarge = 8
)

// packedTable is the compressed map of version 5. Only the types are kept, four bits for
// each hunk; what stands about it elsewhere in the map is decoded when it is asked for, from
// the last mark on.
type packedTable struct {
	r      io.ReaderAt
	h      *header
	length int64 // of the bits, in bytes
	first  int64 // byte of the file at which the first hunk is stored
	crc    uint16
	// bits of the fields of an entry
	lengthBits, selfBits, parentBits uint

	types []byte
	marks []mark
	cache *cache[[]entry]
}

// mark is what has to be known to decode the entries from a hunk on.
type mark struct {
	bit              int64 // of the map
	offset           int64 // where the next hunk is stored
	lastSelf, lastIn int64
}

const (
	markEvery  = 256 // hunks
	keptBlocks = 16  // of as many hunks
	mapHead    = 16  // bytes before the bits
	mostPerBit = 91  // hunks: three codes of one bit stand for 273
)

func openPacked(r io.ReaderAt, size int64, h *header) (*packedTable, error) {
	var head [mapHead]byte
	if h.mapOffset > size-mapHead {
		return nil, fmt.Errorf("%w: its map is at byte %d, and the file has %d: %w", ErrFormat, h.mapOffset, size, cutError{})
	}
	if _, err := r.ReadAt(head[:], h.mapOffset); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("map at byte %d: %w", h.mapOffset, err)
	}
	t := &packedTable{
		r: r, h: h, cache: newCache[[]entry](keptBlocks),
		length:     int64(binary.BigEndian.Uint32(head[:])),
		first:      int64(binary.BigEndian.Uint64(head[2:]) & (1<<48 - 1)),
		crc:        binary.BigEndian.Uint16(head[10:]),
		lengthBits: uint(head[12]), selfBits: uint(head[13]), parentBits: uint(head[14]),
	}
	const most = 32 // bits of a field
	switch {
	case t.length > size-mapHead-h.mapOffset:
		return nil, fmt.Errorf("%w: a map of %d bytes at byte %d, and the file has %d: %w", ErrFormat, t.length, h.mapOffset, size, cutError{})
	case h.hunks > t.length*8*mostPerBit:
		return nil, fmt.Errorf("%w: a map of %d bytes at byte %d for %d hunks", ErrFormat, t.length, h.mapOffset, h.hunks)
	case t.lengthBits > 24 || t.selfBits > most || t.parentBits > most:
		return nil, fmt.Errorf("%w: the fields of its map (at byte %d) have %d, %d and %d bits",
			ErrFormat, h.mapOffset+12, t.lengthBits, t.selfBits, t.parentBits)
	}
	if err := t.scan(); err != nil {
		return nil, fmt.Errorf("%w: the map at byte %d: %w", ErrFormat, h.mapOffset, err)
	}
	return t, nil
}

// scan reads all of the map: the types, which come first, and the rest for its checksum.
func (t *packedTable) scan() error {
	t.types = make([]byte, (t.h.hunks+1)/2)
	t.marks = make([]mark, 0, t.h.hunks/markEvery+1)
	b := bitsAt(t.r, t.h.mapOffset+mapHead, t.length, 0)
	if err := t.readTypes(b); err != nil {
		return err
	}
	m := mark{bit: b.at(), offset: t.first}
	crc := crc16Start
	raw := make([]byte, 0, markEvery*entryBytes)
	for n := int64(0); n < t.h.hunks; n++ {
		if n%markEvery == 0 {
			m.bit = b.at()
			t.marks = append(t.marks, m)
			if err := b.done(); err != nil { // or a few bytes could stand for many hunks
				return err
			}
			crc, raw = cdsector.ExtendCRC16(crc, raw), raw[:0]
		}
		e, err := t.next(b, n, &m)
		if err != nil {
			return err
		}
		raw = e.encode(raw, t.h)
	}
	if err := b.done(); err != nil {
		return err
	}
	if cdsector.ExtendCRC16(crc, raw) != t.crc {
		return errSum
	}
	return nil
}

// entryBytes is the size of what the checksum of the map has of each hunk.
const entryBytes = 12

// encode appends the bytes that the checksum of the map is over.
func (e *entry) encode(raw []byte, h *header) []byte {
	offset := e.offset
	if e.kind == inParent {
		offset /= int64(h.unitBytes)
	}
	raw = binary.BigEndian.AppendUint32(raw, uint32(e.kind)<<24|uint32(e.length))
	return binary.BigEndian.AppendUint64(raw, uint64(offset)<<16|uint64(uint16(e.crc)))
}

// readTypes reads the types of all hunks.
func (t *packedTable) readTypes(b *bitReader) error {
	codes, err := readTypesTree(b)
	if err != nil {
		return err
	}
	last, repeat := byte(0), 0
	for n := int64(0); n < t.h.hunks; n++ {
		if repeat > 0 {
			repeat--
		} else {
			v, ok := codes.next(b)
			if !ok || b.done() != nil {
				return errors.Join(errCodes, b.done())
			}
			switch v {
			case repeatSmall:
				more, _ := codes.next(b)
				repeat = 2 + more
			case repeatLarge:
				high, _ := codes.next(b)
				low, _ := codes.next(b)
				repeat = 18 + 16*high + low
			default:
				last = byte(v)
			}
		}
		t.types[n/2] |= last << (n % 2 * 4)
	}
	return b.done()
}

// next decodes the entry of hunk n, for which m and b stand.
func (t *packedTable) next(b *bitReader, n int64, m *mark) (entry, error) {
	v := t.types[n/2] >> (n % 2 * 4) & 15
	hunk, unit := int64(t.h.hunkBytes), int64(t.h.unitBytes)
	e := entry{kind: kind(v)}
	switch {
	case v < byte(plain):
		e.length = int(b.read(t.lengthBits))
	case v == byte(plain):
		e.length = t.h.hunkBytes
	case v == byte(self):
		m.lastSelf = int64(b.read(t.selfBits))
	case v == byte(inParent):
		m.lastIn = int64(b.read(t.parentBits))
	case v == selfNext:
		m.lastSelf++
	case v == parentHere:
		m.lastIn = n * hunk / unit
	case v == parentNext:
		m.lastIn += hunk / unit
	case v != selfSame && v != parentSame:
		return e, fmt.Errorf("it states the type %d for hunk %d", v, n)
	}
	switch {
	case v <= byte(plain):
		e.sum, e.crc = sumCRC16, b.read(16)
		e.offset = m.offset
		m.offset += int64(e.length)
		if e.length > t.h.hunkBytes {
			return e, fmt.Errorf("it states %d bytes for hunk %d, which has %d", e.length, n, t.h.hunkBytes)
		}
	case v == byte(self) || v == selfSame || v == selfNext:
		e.kind, e.offset = self, m.lastSelf
		if e.offset >= t.h.hunks {
			return e, fmt.Errorf("it states that hunk %d is the same as hunk %d, and there are %d", n, e.offset, t.h.hunks)
		}
	default:
		e.kind, e.offset = inParent, m.lastIn*unit
	}
	return e, nil
}

// entry implements [table].
func (t *packedTable) entry(n int64) (entry, error) {
	block := n / markEvery
	all, ok := t.cache.get(block)
	if !ok {
		m := t.marks[block]
		b := bitsAt(t.r, t.h.mapOffset+mapHead, t.length, m.bit)
		for i := block * markEvery; i < min(t.h.hunks, (block+1)*markEvery); i++ {
			e, err := t.next(b, i, &m)
			if err != nil {
				return e, err
			}
			all = append(all, e)
		}
		if err := b.done(); err != nil {
			return entry{}, err
		}
		t.cache.put(block, all)
	}
	return all[n%markEvery], nil
}
