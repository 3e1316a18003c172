package cif

import (
	"bytes"
	"encoding/binary"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/laid"
)

const (
	discSize    = 16
	sessionSize = 18
	trackSize   = 24
	maxSessions = 99
	// leastTrack is how many sectors a track is stored with at least.
	leastTrack = 300
)

// A parser reads what describes the disc: records that begin with their length.
type parser struct {
	b      []byte
	at     int64 // of b in the file
	next   int   // record, in b
	places []place
	out    *laid.Disc
	end    int64 // sector after the last track
}

// take returns the next record, which has so many bytes at least.
func (p *parser) take(least int, what string) ([]byte, error) {
	b := p.b[p.next:]
	if len(b) < 2 || int(binary.LittleEndian.Uint16(b)) < least || int(binary.LittleEndian.Uint16(b)) > len(b) {
		return nil, laid.Errorf("no %s at byte %d", what, p.at+int64(p.next))
	}
	b = b[:binary.LittleEndian.Uint16(b)]
	p.next += len(b)
	return b, nil
}

// parse lays out the tracks, in one file.
func (p *parser) parse(src *laid.Source) (*laid.Disc, error) {
	const unknown = 8
	p.out, p.next = &laid.Disc{}, min(unknown, len(p.b))
	d, err := p.take(discSize, "description of a disc")
	if err != nil {
		return nil, err
	}
	sessions := int(binary.LittleEndian.Uint16(d[2:]))
	if sessions == 0 || sessions > maxSessions {
		return nil, laid.Errorf("it states %d sessions (at byte %d)", sessions, p.at+unknown+2)
	}
	for n := range sessions {
		if err := p.session(n+1, src); err != nil {
			return nil, err
		}
	}
	return p.out, nil
}

// session reads a session and its tracks.
func (p *parser) session(number int, src *laid.Source) error {
	le := binary.LittleEndian
	s, err := p.take(sessionSize, "description of a session")
	if err != nil {
		return err
	}
	if number > 1 {
		p.end += int64(addr.SessionGap(number - 1))
	}
	const xa = 3
	kind := disc.FormatCDROM
	if le.Uint16(s[10:]) == xa {
		kind = disc.FormatXA
	}
	p.out.Formats = append(p.out.Formats, kind)
	for n := range int(le.Uint16(s[2:])) {
		at := p.at + int64(p.next)
		b, err := p.take(trackSize, "description of a track")
		if err != nil {
			return err
		}
		if len(p.out.Tracks) == len(p.places) {
			return laid.Errorf("the list of tracks has %d, and byte %d describes another", len(p.places), at)
		}
		t, err := p.track(b, at, n == 0)
		if err != nil {
			return err
		}
		t.Session, t.Source = number, src
		p.out.Tracks = append(p.out.Tracks, *t)
	}
	return nil
}

// The types of tracks.
const (
	typeAudio = 0
	typeMode1 = 1
	typeForm1 = 2
	typeMixed = 4
)

// track lays out the next track. Two seconds before it, which are not stored, are its pregap where it is data behind
// audio, or audio behind data.
func (p *parser) track(b []byte, at int64, first bool) (*laid.Track, error) {
	le := binary.LittleEndian
	n := len(p.out.Tracks)
	x, sectors := p.places[n], max(leastTrack, int64(le.Uint32(b[4:])))
	t := &laid.Track{Offset: x.at}
	t.Number = n + 1
	const subHeader = 8
	switch kind := le.Uint16(b[10:]); kind {
	case typeAudio:
		t.Size, t.ISRC = cdsector.Size, isrc(b)
	case typeMode1:
		t.Mode, t.Size = disc.Mode1, cdsector.UserSize
	case typeForm1:
		t.Mode, t.Size, t.Head = disc.Mode2, cdsector.UserSize+subHeader, subHeader
	case typeMixed:
		return nil, errMixed
	default:
		return nil, laid.Errorf("track %d is of the unknown type %d (at byte %d)", t.Number, kind, at)
	}
	if sectors > disc.MaxLBA || sectors*int64(t.Size) > x.size {
		return nil, laid.Errorf("track %d has %d sectors of %d bytes in %d (at byte %d)", t.Number, sectors, t.Size, x.size, at)
	}
	if t.Mode.IsData() {
		t.Control = disc.DataTrack
	}
	if !first && t.Mode.IsData() != p.out.Tracks[n-1].Mode.IsData() {
		t.Pregap, t.Unstored = addr.Pregap, addr.Pregap
	}
	start := p.end + int64(t.Pregap)
	p.end = start + sectors
	if p.end > disc.MaxLBA {
		return nil, laid.Errorf("track %d ends at sector %d (at byte %d)", t.Number, p.end, at)
	}
	t.Start, t.End = disc.LBA(start), disc.LBA(p.end)
	return t, nil
}

// isrc is that of an audio track, if it is one.
func isrc(b []byte) string {
	const at, size = trackSize + 205, 12
	if len(b) < at+size {
		return ""
	}
	if s := string(bytes.TrimRight(b[at:at+size], "\x00 ")); cdsector.ValidISRC(s) {
		return s
	}
	return ""
}
