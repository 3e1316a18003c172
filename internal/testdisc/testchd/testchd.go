// Package testchd makes small CHD files of every version and codec, for tests. It shares no
// code with what reads them.
package testchd

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"spindle/disc"
)

// Options say what kind of CHD to make.
type Options struct {
	Version   int      // 0: 5
	Codecs    []string // the smallest result is taken; none: uncompressed. Before version 5, any: zlib
	HunkBytes int
	UnitBytes int
	Meta      []Meta
	Parent    *Parent
	// Spoil changes a hunk before it is stored, but not its checksum.
	Spoil func(n int, hunk []byte)
}

// Meta is an entry of the metadata.
type Meta struct {
	Tag  string
	Data []byte
}

// A Parent is a CHD of which another one holds the differences.
type Parent struct {
	File    []byte
	Content []byte
}

// cdUnit is what is stored for each sector of a CD.
const cdUnit = 2448

// FromImage stores a CD as chdman does from a CUE sheet: its content, and the options.
func FromImage(ctx context.Context, img disc.Image, codecs ...string) ([]byte, Options, error) {
	o := Options{Codecs: codecs, HunkBytes: 8 * cdUnit, UnitBytes: cdUnit}
	var content []byte
	for _, t := range img.Layout().Tracks() {
		kind := map[disc.Mode]string{disc.Audio: "AUDIO", disc.Mode1: "MODE1_RAW", disc.Mode2: "MODE2_RAW"}[t.Mode]
		for a := t.Begin(); a < t.End; a++ {
			frame := make([]byte, cdUnit)
			if err := img.ReadSectors(ctx, frame[:2352], a); err != nil {
				return nil, o, err
			}
			if t.Mode == disc.Audio {
				for i := 0; i < 2352; i += 2 {
					frame[i], frame[i+1] = frame[i+1], frame[i]
				}
			}
			if sub := img.Subchannels(); sub != nil {
				if err := sub.ReadSubchannel(ctx, frame[2352:], a); err != nil {
					return nil, o, err
				}
			}
			content = append(content, frame...)
		}
		for len(content)%(4*cdUnit) != 0 {
			content = append(content, make([]byte, cdUnit)...)
		}
		sub := "NONE"
		if img.Subchannels() != nil {
			sub = "RW"
		}
		gap := "MODE1"
		if t.Pregap > 0 {
			gap = "V" + kind
		}
		o.Meta = append(o.Meta, Track("CHT2", "TRACK:%d TYPE:%s SUBTYPE:%s FRAMES:%d PREGAP:%d PGTYPE:%s PGSUB:NONE POSTGAP:0",
			t.Number, kind, sub, t.Sectors(), t.Pregap, gap))
	}
	return content, o, nil
}

// Track makes the metadata of a track.
func Track(tag, format string, args ...any) Meta {
	return Meta{tag, append(fmt.Appendf(nil, format, args...), 0)}
}

// hunk is what the map says of one.
type hunk struct {
	kind   int // as in a version 5 map; 7: mini
	data   []byte
	ref    int64 // hunk, or byte of the parent
	sum    uint16
	crc    uint32
	offset int64
}

type maker struct {
	o       Options
	content []byte // padded to whole hunks
	logical int64
	hunks   []hunk
}

// Make makes a CHD that holds content.
func Make(content []byte, o Options) []byte {
	if o.Version == 0 {
		o.Version = 5
	}
	if o.Version < 5 && len(o.Codecs) > 0 {
		o.Codecs = []string{"zlib"}
	}
	m := maker{o: o, content: slices.Clone(content), logical: int64(len(content))}
	for len(m.content)%o.HunkBytes != 0 {
		m.content = append(m.content, 0)
	}
	seen := make(map[string]int64)
	for i := 0; i < len(m.content); i += o.HunkBytes {
		b := m.content[i : i+o.HunkBytes]
		m.hunks = append(m.hunks, m.pack(b, seen))
		if _, ok := seen[string(b)]; !ok {
			seen[string(b)] = int64(i / o.HunkBytes)
		}
	}
	switch {
	case o.Version < 3:
		return m.old(8)
	case o.Version < 5:
		return m.old(16)
	}
	return m.version5()
}

func (m *maker) pack(b []byte, seen map[string]int64) hunk {
	if n, ok := seen[string(b)]; ok && len(m.o.Codecs) > 0 && m.o.Version > 2 {
		return hunk{kind: 5, ref: n}
	}
	h := hunk{kind: 4, data: b, sum: crc(b), crc: crc32.ChecksumIEEE(b)}
	if p := m.o.Parent; p != nil {
		step := 1
		if m.o.UnitBytes > 0 {
			step = m.unit()
		}
		for at := 0; at+len(b) <= len(p.Content); at += step {
			if bytes.Equal(p.Content[at:at+len(b)], b) {
				return hunk{kind: 6, ref: int64(at)}
			}
		}
	}
	if m.o.Version == 3 || m.o.Version == 4 {
		if bytes.Equal(b, bytes.Repeat(b[:8], len(b)/8)) {
			return hunk{kind: 7, data: b[:8], crc: h.crc}
		}
	}
	if m.o.Spoil != nil {
		b = slices.Clone(b)
		m.o.Spoil(len(seen), b)
		h.data = b
	}
	for i, c := range m.o.Codecs {
		if packed := encoders[c](b); len(packed) < len(h.data) {
			h.kind, h.data = i, packed
		}
	}
	return h
}

// unit is that of references to the parent: before version 5, a hunk.
func (m *maker) unit() int {
	if m.o.Version < 5 {
		return m.o.HunkBytes
	}
	return m.o.UnitBytes
}

// sums are the SHA-1 of the content, and that with the metadata.
func (m *maker) sums() (raw, all [20]byte) {
	raw = sha1.Sum(m.content[:m.logical])
	var list []string
	for _, e := range m.o.Meta {
		s := sha1.Sum(e.Data)
		list = append(list, e.Tag+string(s[:]))
	}
	slices.Sort(list)
	sum := raw[:]
	for _, s := range list {
		sum = append(sum, s...)
	}
	return raw, sha1.Sum(sum)
}

// meta appends the metadata to a file.
func (m *maker) meta(file []byte) []byte {
	for i, e := range m.o.Meta {
		next := uint64(0)
		if i+1 < len(m.o.Meta) {
			next = uint64(len(file) + 16 + len(e.Data))
		}
		file = append(file, e.Tag...)
		file = binary.BigEndian.AppendUint32(file, 1<<24|uint32(len(e.Data)))
		file = binary.BigEndian.AppendUint64(file, next)
		file = append(file, e.Data...)
	}
	return file
}

// old makes a file of version 1 to 4.
func (m *maker) old(entry int) []byte {
	be := binary.BigEndian
	length := map[int]int{1: 76, 2: 80, 3: 120, 4: 108}[m.o.Version]
	file := make([]byte, length+len(m.hunks)*entry)
	file = append(file, "EndOfListCookie\x00"[:entry]...)
	copy(file, "MComprHD")
	be.PutUint32(file[8:], uint32(length))
	be.PutUint32(file[12:], uint32(m.o.Version))
	if m.o.Parent != nil {
		be.PutUint32(file[16:], 1)
	}
	if len(m.o.Codecs) > 0 {
		be.PutUint32(file[20:], 1)
	}
	metaAt := 0
	if len(m.o.Meta) > 0 {
		metaAt = len(file)
	}
	file = m.meta(file)
	raw, all := m.sums()
	sum := md5.Sum(m.content[:m.logical])
	switch m.o.Version {
	case 1, 2:
		sector := 512
		if m.o.Version == 2 {
			sector = m.o.UnitBytes
			be.PutUint32(file[76:], uint32(sector))
		}
		be.PutUint32(file[24:], uint32(m.o.HunkBytes/sector))
		be.PutUint32(file[28:], uint32(len(m.hunks)))
		be.PutUint32(file[32:], uint32(int(m.logical)/sector))
		be.PutUint32(file[36:], 1)
		be.PutUint32(file[40:], 1)
		copy(file[44:], sum[:])
		if m.o.Parent != nil {
			copy(file[60:76], m.o.Parent.File[44:])
		}
	default:
		be.PutUint32(file[24:], uint32(len(m.hunks)))
		be.PutUint64(file[28:], uint64(m.logical))
		be.PutUint64(file[36:], uint64(metaAt))
		hunkAt, sumAt, parentAt := 76, 80, 100
		if m.o.Version == 4 {
			hunkAt, sumAt, parentAt = 44, 48, 68
			copy(file[88:], raw[:])
		} else {
			copy(file[44:], sum[:])
			all = raw
		}
		be.PutUint32(file[hunkAt:], uint32(m.o.HunkBytes))
		copy(file[sumAt:], all[:])
		if m.o.Parent != nil {
			copy(file[parentAt:parentAt+20], m.o.Parent.File[sumAt:])
		}
	}
	for i := range m.hunks {
		file = m.oldHunk(file, length+i*entry, &m.hunks[i])
	}
	return file
}

// oldHunk stores a hunk and its entry.
func (m *maker) oldHunk(file []byte, at int, h *hunk) []byte {
	be := binary.BigEndian
	if m.o.Version < 3 {
		be.PutUint64(file[at:], uint64(len(h.data))<<44|uint64(len(file)))
		return append(file, h.data...)
	}
	kind := map[int]byte{0: 1, 4: 2, 5: 4, 6: 5, 7: 3}[h.kind]
	offset := uint64(len(file))
	switch h.kind {
	case 5:
		offset = uint64(h.ref)
	case 6:
		offset = uint64(h.ref) / uint64(m.o.HunkBytes)
	case 7:
		offset = be.Uint64(h.data)
	}
	be.PutUint64(file[at:], offset)
	be.PutUint32(file[at+8:], h.crc)
	be.PutUint16(file[at+12:], uint16(len(h.data)))
	file[at+14], file[at+15] = byte(len(h.data)>>16), kind
	if h.kind == 7 {
		return file
	}
	return append(file, h.data...)
}

// crcTable is for the polynomial 1021h.
var crcTable = func() (t [256]uint16) {
	for i := range t {
		t[i] = uint16(i) << 8
		for range 8 {
			carry := t[i] >> 15
			t[i] = t[i]<<1 ^ carry*0x1021
		}
	}
	return t
}()

// crc is the CRC-16 of version 5.
func crc(p []byte) uint16 {
	c := uint16(0xFFFF)
	for _, b := range p {
		c = c<<8 ^ crcTable[byte(c>>8)^b]
	}
	return c
}
