package cdi

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/laid"
)

// The versions, as the last eight bytes of a file state them.
const (
	version2  = 0x80000004
	version3  = 0x80000005
	version35 = 0x80000006 // and 4
)

// A descriptor is what stands at the end of a file.
type descriptor struct {
	tracks []track
	dvd    bool
	mcn    string
	text   []disc.Pack
}

// A track is what a descriptor states of one.
type track struct {
	session  int
	at       int      // where it is described, in the descriptor
	lengths  []uint32 // of its indexes, from 0 on
	mode     uint32
	start    uint32 // LBA of index 0, 150 more
	total    uint32 // sectors in the file
	readMode uint32
	control  disc.Control
	isrc     string
}

// parser reads a descriptor, in which nothing can be found but from its start on.
type parser struct {
	b       []byte
	at      int
	version uint32
	err     error
}

// take returns the next n bytes, or zeros once there are not so many.
func (p *parser) take(n int) []byte {
	if p.err == nil && n > len(p.b)-p.at {
		p.err = laid.Errorf("the descriptor ends at its byte %d of %d, where %d more are needed", p.at, len(p.b), n)
	}
	if p.err != nil {
		return make([]byte, n)
	}
	p.at += n
	return p.b[p.at-n : p.at]
}

func (p *parser) u8() int     { return int(p.take(1)[0]) }
func (p *parser) u16() int    { return int(binary.LittleEndian.Uint16(p.take(2))) }
func (p *parser) u32() uint32 { return binary.LittleEndian.Uint32(p.take(4)) }

const (
	maxSessions = 99
	maxTracks   = 99
	maxTexts    = 99 // blocks of CD-TEXT of a track
)

// parse reads a descriptor.
func parse(b []byte, version uint32) (*descriptor, error) {
	p := parser{b: b, version: version}
	d := &descriptor{}
	sessions := p.u16()
	if p.err != nil {
		return nil, p.err
	}
	if sessions == 0 || sessions > maxSessions {
		return nil, laid.Errorf("the descriptor states %d sessions", sessions)
	}
	for i := range sessions {
		n := p.u16()
		if len(d.tracks)+n > maxTracks {
			return nil, laid.Errorf("session %d has %d tracks (at byte %d of the descriptor)", i+1, n, p.at-2)
		}
		for range n {
			t := p.track(d)
			if p.err != nil {
				return nil, fmt.Errorf("track %d: %w", len(d.tracks)+1, p.err)
			}
			t.session = i + 1
			d.tracks = append(d.tracks, t)
		}
		const trailer2, trailer = 12, 13
		if version == version2 {
			p.take(trailer2)
		} else {
			p.take(trailer)
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	p.disc(d)
	return d, nil
}

// mark begins each track, twice.
var mark = []byte{0, 0, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}

// head reads what begins a track, and what is said of the disc.
func (p *parser) head(d *descriptor) {
	at := p.at
	if p.u32() != 0 { // from version 3.00.780 on, of tracks that are not the first
		p.take(8)
	}
	if m := p.take(2 * len(mark)); p.err == nil && (!bytes.HasPrefix(m, mark) || !bytes.HasSuffix(m, mark)) {
		p.err = laid.Errorf("no track begins at byte %d of the descriptor", at)
	}
	p.take(4)
	p.take(p.u8()) // the name of a file
	p.take(11 + 4 + 4)
	const version4, dvd = 0x80000000, 0x38
	if p.u32() == version4 {
		p.take(6)
		d.dvd = d.dvd || p.u16() == dvd
	}
}

// track reads a track.
func (p *parser) track(d *descriptor) track {
	t := track{at: p.at}
	p.head(d)
	n := p.u16()
	if n > 100 || p.err != nil {
		p.fail("%d indexes", n)
		return t
	}
	for range n {
		t.lengths = append(t.lengths, p.u32())
	}
	texts := p.u32()
	if texts > maxTexts {
		p.fail("%d blocks of CD-TEXT", texts)
		return t
	}
	const fields = 18
	for range texts * fields {
		p.take(p.u8())
	}
	p.take(2)
	t.mode = p.u32()
	p.take(12)
	t.start, t.total = p.u32(), p.u32()
	p.take(16)
	t.readMode = p.u32()
	t.control = disc.Control(p.u32() & 15)
	p.take(9)
	isrc := string(p.take(12))
	if p.u32() != 0 && cdsector.ValidISRC(isrc) {
		t.isrc = isrc
	}
	if p.version != version2 {
		p.take(5)
		if p.u32() == 0xFFFFFFFF {
			p.take(78)
		}
	}
	return t
}

// fail says what is wrong with what was just read, unless something was before.
func (p *parser) fail(text string, args ...any) {
	if p.err == nil {
		p.err = laid.Errorf("it states "+text+" (before byte %d of the descriptor)", append(args, p.at)...)
	}
}

// disc reads what follows the sessions: the catalogue number and the CD-TEXT. A disc is
// complete without it.
func (p *parser) disc(d *descriptor) {
	if p.u16() != 0 { // a last session without tracks
		return
	}
	p.head(d)
	p.u32()
	p.take(p.u8()) // the name of the volume
	p.take(9)
	mcn := string(p.take(13))
	valid, text := p.u32(), p.u32()
	if p.err != nil {
		return
	}
	if valid != 0 && cdsector.ValidMCN(mcn) {
		d.mcn = mcn
	}
	if text%disc.PackSize != 0 || int64(text) > int64(len(p.b)-p.at) {
		return
	}
	for b := p.take(int(text)); len(b) > 0; b = b[disc.PackSize:] {
		d.text = append(d.text, disc.Pack(b))
	}
}

// A readMode is how sectors are stored.
type readMode struct {
	size int
	sub  laid.Sub
}

var readModes = []readMode{
	{cdsector.UserSize, laid.NoSub}, {cdsector.Mode2Size, laid.NoSub}, {cdsector.Size, laid.NoSub},
	{cdsector.Size + 16, laid.OnlyQ}, {cdsector.Size + cdsector.SubSize, laid.Interleaved},
}

// layOut makes the disc of a descriptor whose tracks stand one after the other in a file.
func (d *descriptor) layOut(src *laid.Source) (*laid.Disc, error) {
	out := &laid.Disc{MCN: d.mcn, CDText: d.text}
	offset := int64(0)
	for i := range d.tracks {
		t := &d.tracks[i]
		x, err := t.layOut(i+1, offset)
		if err != nil {
			return nil, fmt.Errorf("track %d (at byte %d of the descriptor): %w", i+1, t.at, err)
		}
		x.Source = src
		out.Tracks = append(out.Tracks, *x)
		offset += int64(t.total) * int64(x.Size)
	}
	if d.dvd {
		if len(out.Tracks) != 1 {
			return nil, laid.Errorf("a DVD of %d tracks", len(out.Tracks))
		}
		t := &out.Tracks[0]
		out.Medium = disc.MediumFor(max(int64(t.End), disc.LargestCD+1))
		t.Mode, t.Control = disc.Mode1, disc.DataTrack
	}
	return out, nil
}

func (t *track) layOut(number int, offset int64) (*laid.Track, error) {
	const audio, mode1, mode2 = 0, 1, 2
	mode, ok := map[uint32]disc.Mode{audio: disc.Audio, mode1: disc.Mode1, mode2: disc.Mode2}[t.mode]
	switch {
	case !ok || int64(t.readMode) >= int64(len(readModes)):
		return nil, laid.Errorf("its mode is %d, and it was read in mode %d", t.mode, t.readMode)
	case len(t.lengths) < 2:
		return nil, laid.Errorf("it has %d indexes", len(t.lengths))
	case t.total == 0 || t.total > disc.MaxLBA || t.start > disc.MaxLBA || t.lengths[0] >= t.total:
		return nil, laid.Errorf("it begins at %d, and has %d sectors, of which %d are its pregap", int64(t.start)-addr.Pregap, t.total, t.lengths[0])
	}
	begin := disc.LBA(t.start) - addr.Pregap
	r := readModes[t.readMode]
	out := &laid.Track{
		Track: disc.Track{
			Number: number, Mode: mode, Control: t.control, ISRC: t.isrc,
			Start: begin + disc.LBA(t.lengths[0]), Pregap: int(t.lengths[0]), End: begin + disc.LBA(t.total),
		},
		Session: t.session, Offset: offset, Size: r.size, Sub: r.sub,
	}
	at := int64(out.Start)
	for _, n := range t.lengths[1 : len(t.lengths)-1] {
		if at += int64(n); at < int64(out.End) {
			out.Indexes = append(out.Indexes, disc.LBA(at))
		}
	}
	return out, nil
}
