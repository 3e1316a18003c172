package sim

import (
	"encoding/binary"

	"spindle/addr"
	"spindle/disc"
	"spindle/scsi"
)

func (t *TrackState) numberOr(n int) int {
	if t == nil {
		return n
	}
	return t.Number
}

// invisibleNumber is the number of the track in which writing would continue: the
// open one, or the one that would be begun.
func (d *Drive) invisibleNumber() int {
	if t := d.openTrack(); t != nil {
		return t.Number
	}
	return d.disc.lastTrack().numberOr(0) + 1
}

// recordedTrack answers READ TRACK INFORMATION for a recordable disc.
func (d *Drive) recordedTrack(c *scsi.Command) (int, error) {
	by, number := c.CDB[1]&3, binary.BigEndian.Uint32(c.CDB[2:])
	var b []byte
	if d.disc.kind.class == random {
		b = d.randomTrack(by, number)
	} else if t, session, invisible := d.findTrack(by, number); t != nil {
		b = d.sequentialTrack(t, session, invisible)
	}
	if b == nil {
		return 0, badField(2)
	}
	return reply(c, d.sized16(b), alloc16(c, 7))
}

// randomTrack describes the one track of a disc that takes any address; nil for
// others.
func (d *Drive) randomTrack(by byte, number uint32) []byte {
	r := d.disc
	switch {
	case by != 0 && number != 1 && number != 0xFF, by == 0 && number >= uint32(max(r.st.Capacity, 1)):
		return nil
	}
	t := TrackState{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(r.st.Format.Blocks)}
	if !r.st.Format.Done {
		t.End = disc.LBA(r.st.Capacity)
	}
	b := trackAnswer(&t, 1)
	if !r.st.Format.Done {
		b[6] |= 0x40
	}
	if r.kind.profile == profileDVDRWRO { // its packets are the ECC blocks
		b[6] |= 0x10
		b[23] = 16
	}
	return b
}

// sequentialTrack describes a track of any other disc.
func (d *Drive) sequentialTrack(t *TrackState, session int, invisible bool) []byte {
	r := d.disc
	b := trackAnswer(t, session)
	next := d.nwa(t)
	if invisible && r.kind.class == cdRecord && r.open() == nil && d.rec.page.writeType() == writeSAO {
		next -= addr.Pregap // a session at once begins with its pregap
	}
	if !t.Closed {
		d.openTrackAnswer(b, t, next, invisible)
	}
	if r.kind.class == minusRecord || t.Packets {
		binary.BigEndian.PutUint32(b[20:], uint32(r.kind.profile.blocking()))
	}
	if r.kind.class == minusRecord && t.Packets {
		b[6] |= 0x20
	}
	if next > t.Start {
		b[7] |= 2
		binary.BigEndian.PutUint32(b[28:], uint32(next-1))
	}
	return b
}

// openTrackAnswer fills in what only a track has that is not closed: room, and
// where writing continues.
func (d *Drive) openTrackAnswer(b []byte, t *TrackState, next disc.LBA, invisible bool) {
	r := d.disc
	end := t.End
	if end == 0 {
		end = disc.LBA(r.st.Capacity)
	}
	binary.BigEndian.PutUint32(b[16:], uint32(max(0, int(end)-int(max(next, 0)))))
	binary.BigEndian.PutUint32(b[24:], uint32(max(0, end-t.Start)))
	if invisible || t.Next == t.Start && next <= t.Start {
		b[6] |= 0x40 // blank
	}
	if t.Damaged || r.st.Final || r.st.Spoiled && d.rec.cue == nil {
		b[5] |= 0x20
		return
	}
	b[7] |= 1
	binary.BigEndian.PutUint32(b[12:], uint32(next))
}

// Ways in which READ TRACK INFORMATION names a track.
const (
	byAddress = 0
	byNumber  = 1
	bySession = 2
)

// findTrack finds the track that READ TRACK INFORMATION asks for, its session,
// and whether it is the one that has not been begun yet.
func (d *Drive) findTrack(by byte, number uint32) (t *TrackState, session int, invisible bool) {
	r := d.disc
	for i := range r.st.Sessions {
		for j := range r.st.Sessions[i].Tracks {
			if by == bySession && (int(number) != i+1 || j > 0) {
				continue
			}
			if u := &r.st.Sessions[i].Tracks[j]; by == bySession || d.names(by, number, u) {
				return u, i + 1, false
			}
		}
	}
	if t, session = d.invisibleTrack(); t != nil && t.answersTo(by, number, session, r.st.Capacity) {
		return t, session, true
	}
	return nil, 0, false
}

// invisibleTrack is the track that would be begun next, and its session; nil
// where none can be.
func (d *Drive) invisibleTrack() (t *TrackState, session int) {
	r := d.disc
	begin := d.beginning()
	if r.st.Final || d.openTrack() != nil || int(begin) >= r.st.Capacity {
		return nil, 0
	}
	session = len(r.st.Sessions)
	if r.open() == nil {
		session++
	}
	return &TrackState{Number: d.invisibleNumber(), Mode: disc.Mode1, Control: disc.DataTrack, Start: begin, Next: begin,
		Packets: r.kind.class == minusRecord && d.rec.page.writeType() == writePacket}, session
}

// answersTo reports whether READ TRACK INFORMATION means the track that has not
// been begun yet.
func (t *TrackState) answersTo(by byte, number uint32, session, capacity int) bool {
	switch by {
	case byAddress:
		a := disc.LBA(int32(number))
		return a >= t.Start && int(a) < capacity
	case byNumber:
		return number == 0xFF || int(number) == t.Number
	case bySession:
		return int(number) == session
	}
	return false
}

// names reports whether an address or a number means a track that was begun.
func (d *Drive) names(by byte, number uint32, t *TrackState) bool {
	switch {
	case by == byAddress:
		a := disc.LBA(int32(number))
		return a >= t.begin() && a < max(t.End, d.nwa(t))
	case by == byNumber && number == 0xFF:
		return t == d.openTrack()
	case by == byNumber:
		return int(number) == t.Number
	}
	return false
}

// trackAnswer is what is common to all answers of READ TRACK INFORMATION.
func trackAnswer(t *TrackState, session int) []byte {
	b := make([]byte, 36)
	b[2], b[3], b[32], b[33] = byte(t.Number), byte(session), byte(t.Number>>8), byte(session>>8)
	b[5], b[6] = byte(t.Control), dataMode(t.Mode)
	if t.Reserved {
		b[6] |= 0x80
	}
	if t.Damaged {
		b[5] |= 0x20
	}
	binary.BigEndian.PutUint32(b[8:], uint32(t.Start))
	binary.BigEndian.PutUint32(b[24:], uint32(max(t.End, t.Next)-t.Start))
	return b
}
