package ccd

import (
	"fmt"

	"spindle/disc"
)

// Points of the table of contents (MMC-5 6.26.2.4).
const (
	pointFormat  = 0xA0
	pointLast    = 0xA1
	pointLeadOut = 0xA2
)

// Layout makes the layout that the table of contents and the tracks state. Errors
// about it are [*ParseError]s.
func (d *Descriptor) Layout() (*disc.Layout, error) {
	l := &disc.Layout{Medium: disc.CD, MCN: d.Catalog, CDText: d.CDText}
	if have := len(d.Entries); have < d.Stated { // the file was cut short: what is missing may be tracks
		return nil, &ParseError{Line: d.Entries[have-1].Line, Msg: fmt.Sprintf("the table of contents has %d entries of %d", have, d.Stated)}
	}
	for i := range d.Entries {
		if err := d.addEntry(l, &d.Entries[i]); err != nil {
			return nil, &ParseError{Line: d.Entries[i].Line, Msg: err.Error()}
		}
	}
	if len(l.Sessions) == 0 {
		return nil, &ParseError{Line: d.Entries[0].Line, Msg: "the table of contents has no track"}
	}
	for i := range l.Sessions {
		s := &l.Sessions[i]
		if s.LeadOut == 0 {
			return nil, &ParseError{Line: d.Entries[0].Line, Msg: fmt.Sprintf("session %d has no lead-out (point A2h)", s.Number)}
		}
		for j := range s.Tracks {
			t := &s.Tracks[j]
			t.End = s.LeadOut
			if j+1 < len(s.Tracks) {
				t.End = s.Tracks[j+1].Begin()
			}
			if t.End <= t.Start {
				return nil, &ParseError{Line: d.lineOf(t.Number), Msg: fmt.Sprintf("track %d starts at %d, and what follows it at %d", t.Number, t.Start, t.End)}
			}
		}
	}
	if err := l.Validate(); err != nil {
		return nil, &ParseError{Line: d.Entries[0].Line, Msg: err.Error()}
	}
	return l, nil
}

// lineOf is where the entry of a track stands.
func (d *Descriptor) lineOf(track int) int {
	for i := range d.Entries {
		if d.Entries[i].Point == track {
			return d.Entries[i].Line
		}
	}
	return d.Entries[0].Line
}

func (d *Descriptor) addEntry(l *disc.Layout, e *Entry) error {
	if e.ADR != 1 || e.Point > 99 && (e.Point < pointFormat || e.Point > pointLeadOut) {
		return nil
	}
	if e.Session < 1 || e.Session > 99 || e.Session > len(l.Sessions)+1 {
		return fmt.Errorf("an entry of session %d after those of session %d", e.Session, len(l.Sessions))
	}
	if e.Session > len(l.Sessions) {
		l.Sessions = append(l.Sessions, disc.Session{Number: e.Session})
	}
	s := &l.Sessions[e.Session-1]
	switch e.Point {
	case pointFormat:
		s.Format = disc.SessionFormat(e.P.S)
	case pointLast:
	case pointLeadOut:
		s.LeadOut = e.address()
	default:
		if !e.hasPLBA && !e.hasP {
			return fmt.Errorf("track %d has no address", e.Point)
		}
		t, err := d.newTrack(e)
		if err != nil {
			return err
		}
		s.Tracks = append(s.Tracks, t)
	}
	return nil
}

// first is the number of the disc's first track.
func (d *Descriptor) first() int {
	n := 100
	for i := range d.Entries {
		if p := d.Entries[i].Point; p >= 1 && p < n {
			n = p
		}
	}
	return n
}

// newTrack makes the track of an entry, but for its end.
func (d *Descriptor) newTrack(e *Entry) (disc.Track, error) {
	t := disc.Track{Number: e.Point, Start: e.address(), Control: e.Control}
	if e.Control&disc.DataTrack != 0 {
		t.Mode = disc.Mode1
	}
	more := d.Tracks[e.Point]
	if more == nil {
		return t, nil
	}
	if t.Mode.IsData() && more.Mode == 2 {
		t.Mode = disc.Mode2
	}
	t.ISRC = more.ISRC
	one, ok := more.Indexes[1]
	if !ok {
		return t, nil
	}
	if zero, ok := more.Indexes[0]; ok {
		if t.Pregap = one - zero; t.Pregap < 0 {
			return t, fmt.Errorf("track %d: INDEX 0 at %d lies behind INDEX 1 at %d", t.Number, zero, one)
		}
	} else if e.Session == 1 && disc.LBA(one) == t.Start && t.Number == d.first() {
		t.Pregap = one // hidden audio: the first track needs no INDEX 0
	}
	for n := 2; n < 100; n++ {
		x, ok := more.Indexes[n]
		if !ok {
			break
		}
		t.Indexes = append(t.Indexes, t.Start+disc.LBA(x-one))
	}
	return t, nil
}
