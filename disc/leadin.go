package disc

import (
	"encoding/binary"

	"spindle/addr"
	"spindle/disc/cdsector"
)

// A LeadIn makes the Q sub-channel of a session's lead-in: its table of contents.
type LeadIn struct {
	points [][cdsector.QSize]byte
}

// NewLeadIn prepares the lead-in of a session: points A0h, A1h and A2h, then one for
// each track (ECMA-130 22.3.4.3).
func NewLeadIn(s *Session) *LeadIn {
	x := new(LeadIn)
	first, last := &s.Tracks[0], &s.Tracks[len(s.Tracks)-1]
	add := func(control Control, point byte, at [3]byte) {
		q := [cdsector.QSize]byte{0: byte(control)<<4 | 1, 2: point}
		copy(q[7:], at[:])
		x.points = append(x.points, q)
	}
	add(first.Control, 0xA0, [3]byte{addr.ToBCD(first.Number), byte(s.Format), 0})
	add(last.Control, 0xA1, [3]byte{addr.ToBCD(last.Number), 0, 0})
	add(last.Control, 0xA2, s.LeadOut.MSF().BCD())
	for i := range s.Tracks {
		t := &s.Tracks[i]
		add(t.Control, addr.ToBCD(t.Number), t.Start.MSF().BCD())
	}
	return x
}

// Q returns the frame of the n-th sector of the lead-in, which is at address a. Each
// point comes three times in a row.
func (x *LeadIn) Q(n int, a LBA) [cdsector.QSize]byte {
	q := x.points[n/3%len(x.points)]
	now := a.MSF().BCD()
	copy(q[3:], now[:])
	binary.BigEndian.PutUint16(q[10:], cdsector.CRC16(q[:10]))
	return q
}
