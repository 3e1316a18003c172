// Package testcdi writes images as DiscJuggler does, for tests.
package testcdi

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Versions of the format.
const (
	Version2  = 0x80000004
	Version3  = 0x80000005
	Version35 = 0x80000006 // and 4
)

// mark begins each track, twice.
var mark = []byte{0, 0, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}

// A Track is a track to be written.
type Track struct {
	Lengths               []uint32 // of its pregap, and of each index
	Mode, Start, ReadMode uint32
	Control               uint32
	ISRC                  string
	Texts                 uint32
	More                  bool // eight bytes at its start
}

// writer writes a descriptor as the layout of the format says.
type writer struct {
	b       []byte
	version uint32
	medium  uint16
}

func (w *writer) u16(v int) { w.b = binary.LittleEndian.AppendUint16(w.b, uint16(v)) }
func (w *writer) u32(vs ...uint32) {
	for _, v := range vs {
		w.b = binary.LittleEndian.AppendUint32(w.b, v)
	}
}
func (w *writer) zeros(n int)  { w.b = append(w.b, make([]byte, n)...) }
func (w *writer) str(s string) { w.b = append(w.b, byte(len(s))); w.b = append(w.b, s...) }

func (w *writer) head(more bool) {
	if more {
		w.u32(1)
		w.zeros(8)
	} else {
		w.u32(0)
	}
	w.b = append(append(w.b, mark...), mark...)
	w.b = append(w.b, 0xAB, 0, 0x10, 2)
	w.str("C:\\x.cdi")
	w.zeros(11)
	w.u32(2, 0)
	if w.version == Version35 {
		w.u32(0x80000000, 360000)
		w.u16(0)
		w.u16(int(w.medium))
	} else {
		w.u32(0)
	}
}

func (m *Track) total() (n uint32) {
	for _, x := range m.Lengths {
		n += x
	}
	return n
}

func (w *writer) track(m *Track, session int) {
	w.head(m.More)
	w.u16(len(m.Lengths))
	w.u32(m.Lengths...)
	w.u32(m.Texts)
	for range m.Texts * 18 {
		w.str("Title")
	}
	w.zeros(2)
	w.u32(m.Mode, 0, uint32(session), 0, m.Start, m.total())
	w.zeros(16)
	w.u32(m.ReadMode, m.Control)
	w.zeros(1)
	w.u32(m.total(), 0)
	if m.ISRC != "" {
		w.b = append(w.b, m.ISRC...)
		w.u32(1)
	} else {
		w.zeros(16)
	}
	if w.version != Version2 {
		w.zeros(1)
		w.u32(0xFFFFFFFF, 0xFFFFFFFF)
		w.zeros(78)
	}
}

// File makes a whole file of sessions. The medium is 0x98 for a CD, 0x38 for a DVD.
func File(version uint32, medium uint16, sectors []byte, mcn string, sessions ...[]Track) []byte {
	w := writer{version: version, medium: medium}
	w.u16(len(sessions))
	for i, s := range sessions {
		w.u16(len(s))
		for k := range s {
			w.track(&s[k], i)
		}
		w.zeros(12)
		if version != Version2 {
			w.zeros(1)
		}
	}
	w.u16(0)
	w.head(false)
	w.u32(1000)
	w.str("VOLUME")
	w.zeros(9)
	w.b = append(w.b, (mcn + strings.Repeat("\x00", 13-len(mcn)))...)
	w.u32(uint32(len(mcn)), 0)
	w.zeros(8)
	out := append(slices.Clone(sectors), w.b...)
	out = binary.LittleEndian.AppendUint32(out, version)
	at := uint32(len(sectors))
	if version == Version35 {
		at = uint32(len(w.b) + 8)
	}
	return binary.LittleEndian.AppendUint32(out, at)
}
