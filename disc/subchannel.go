package disc

import (
	"spindle/addr"
	"spindle/disc/cdsector"
)

// Frames of Q that carry the catalogue number and the ISRC come once in this
// many sectors (ECMA-130 22.3.4: at least once in 100).
const (
	mcnEvery  = 98
	mcnPhase  = 31
	isrcPhase = 67
	pauseOfP  = 150 // P is set at least two seconds before a track
)

// Q makes the frame of the Q sub-channel that a disc of this layout has at an
// address in its program area, in a gap or in a lead-out.
func (l *Layout) Q(a LBA) cdsector.Q {
	abs := a.MSF()
	t := l.TrackAt(a)
	if t == nil {
		q := cdsector.Q{ADR: 1, Track: cdsector.LeadOut, Index: 1, Abs: abs}
		for i := range l.Sessions {
			if s := &l.Sessions[i]; a >= s.LeadOut {
				q.Control = uint8(s.Tracks[len(s.Tracks)-1].Control)
				q.Rel = addr.Frames(int(a - s.LeadOut))
			}
		}
		if a < 0 { // the pregap of the first track
			first := &l.Sessions[0].Tracks[0]
			q = cdsector.Q{ADR: 1, Control: uint8(first.Control), Track: first.Number,
				Rel: addr.Frames(int(first.Start - a)), Abs: abs}
		}
		return q
	}
	q := cdsector.Q{Control: uint8(t.Control), ADR: 1, AFrame: abs.F}
	// The first and the last frame of an index are always position frames.
	edge := a == t.Begin() || a == t.End-1 || t.IndexAt(a-1) != t.IndexAt(a) || t.IndexAt(a+1) != t.IndexAt(a)
	switch phase := int(a-t.Begin()) % mcnEvery; {
	case edge:
	case phase == mcnPhase && l.MCN != "":
		q.ADR, q.MCN = 2, l.MCN
		return q
	case phase == isrcPhase && t.ISRC != "":
		q.ADR, q.ISRC = 3, t.ISRC
		return q
	}
	q.Track, q.Index, q.Abs = t.Number, t.IndexAt(a), abs
	rel := int(a - t.Start)
	if rel < 0 {
		rel = -rel // counts down to zero in the pregap
	}
	q.Rel = addr.Frames(rel)
	return q
}

// Subchannel makes the 96 bytes of P to W that a disc of this layout has at an
// address, de-interleaved; R to W are empty.
func (l *Layout) Subchannel(a LBA, p *[cdsector.SubSize]byte) {
	*p = [cdsector.SubSize]byte{}
	if t := l.TrackAt(a); t == nil || a < t.Start || t.End-a <= pauseOfP && l.TrackAt(t.End) != nil {
		for i := range cdsector.QSize {
			p[i] = 0xFF
		}
	}
	frame := l.Q(a)
	q := frame.Encode()
	copy(p[cdsector.QSize:], q[:])
}

// completePQ makes P and Q of a sub-channel whose Q does not hold together.
func (l *Layout) completePQ(a LBA, p *[cdsector.SubSize]byte) {
	q := [cdsector.QSize]byte(p[cdsector.QSize:])
	if _, err := cdsector.DecodeQ(&q); err == nil && q != [cdsector.QSize]byte{} {
		return
	}
	var own [cdsector.SubSize]byte
	l.Subchannel(a, &own)
	copy(p[:2*cdsector.QSize], own[:])
}
