package sim

import (
	"encoding/binary"
	"time"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

// Times of what recorders do besides writing, at 1x where speed matters.
const (
	leadOutSeconds  = 90.0
	borderTime      = 20 * time.Second
	trackCloseTime  = 2 * time.Second
	finalizeTime    = 45 * time.Second
	minimalBlank    = 40 * time.Second
	quickFormatTime = 30 * time.Second
	powerCalTime    = 3 * time.Second
)

// synchronize is SYNCHRONIZE CACHE (MMC-6 6.42): the buffer is written. A track
// or a session at once ends with it.
func (d *Drive) synchronize(c *scsi.Command) error {
	if d.disc == nil || d.disc.store == nil {
		return nil
	}
	if err := d.deferred(); err != nil {
		return err
	}
	d.drain()
	d.pad()
	took := d.flush()
	if cue := d.rec.cue; cue != nil && cue.begun || d.rec.raw != nil {
		took += seconds(leadOutSeconds / d.writeSpeed())
	}
	return d.start(c.CDB[1]&2 != 0, took, scsi.ASCQLongWrite, func() error {
		if err := d.deferred(); err != nil {
			return err
		}
		d.endRaw()
		if err := d.endSession(); err != nil {
			return err
		}
		d.endAtOnce()
		return nil
	})
}

// pad fills the last block that is written together with zeros.
func (d *Drive) pad() {
	t := d.openTrack()
	if t == nil {
		return
	}
	n := d.disc.kind.profile.blocking()
	next := d.nwa(t)
	if rest := int(roundUp(next, n) - next); rest > 0 && next > t.Start && t.End == 0 {
		size := d.disc.kind.profile.medium().SectorSize()
		d.enqueue(chunk{data: make([]byte, rest*size), first: next, n: rest, at: int64(next) * int64(size), track: t.Number})
	}
}

// endAtOnce ends what SYNCHRONIZE CACHE ends: a CD track at once, a packet, a DVD
// written at once.
func (d *Drive) endAtOnce() {
	t := d.openTrack()
	if t == nil {
		t = d.daoTrack()
	}
	if t == nil || t.Next == t.Start || t.Damaged {
		d.rec.atOnce = false
		d.changed()
		return
	}
	switch {
	case d.disc.kind.class == cdRecord && t.Packets:
		if d.rec.page.fixedPacket() == 0 { // link loss: the next packet follows seven sectors later
			t.Links = append(t.Links, t.Next)
			t.Next += linkSectors
		}
		d.changed()
	case d.disc.kind.class == cdRecord:
		d.closeTrack(t)
	case d.rec.atOnce:
		d.rec.atOnce = false
		if t.Reserved && t.Next < t.End { // shorter than it was announced: the drive fills it
			t.Next = t.End
		}
		t.Reserved = false
		d.closeTrack(t)
		if s := d.disc.open(); s != nil {
			d.closeSession(s, t.End)
			d.disc.st.Final = true
			d.changed()
		}
	default:
		d.changed()
	}
	if d.rec.test != nil {
		d.endTest()
	}
}

// daoTrack is the reserved track of a DVD that is written at once.
func (d *Drive) daoTrack() *TrackState {
	s := d.disc.open()
	if s == nil || !d.rec.atOnce {
		return nil
	}
	for i := range s.Tracks {
		if t := &s.Tracks[i]; t.Reserved && !t.Closed && t.Next > t.Start {
			return t
		}
	}
	return nil
}

// closeTrack ends a track: a CD track gets its least length, and, when it holds
// data, two run-out blocks.
func (d *Drive) closeTrack(t *TrackState) {
	r := d.disc
	switch {
	case t.Reserved:
		t.Next = t.End
	case r.kind.class == cdRecord:
		if short := t.Start + minimumTrack; t.Next < short {
			d.fillSectors(t, short)
		}
		t.End = t.Next
		if t.Mode.IsData() && !t.Packets {
			t.RunOut = runOut
			d.fillSectors(t, t.Next+runOut)
			t.End = t.Next
		}
	default:
		t.End = t.Next
	}
	t.Closed, t.Reserved = true, false
	if t.Damaged && r.kind.class != cdRecord {
		t.Damaged = false // what was written before the damage is kept
	}
	if t.End == t.Start { // nothing was written: it never was
		s := r.open()
		s.Tracks = s.Tracks[:len(s.Tracks)-1]
	}
	d.changed()
}

// fillSectors writes empty sectors up to an address.
func (d *Drive) fillSectors(t *TrackState, to disc.LBA) {
	k := map[disc.Mode]cdsector.Kind{disc.Mode1: cdsector.Mode1, disc.Mode2: cdsector.Form1, disc.Mode0: cdsector.Mode0}[t.Mode]
	var s [cdsector.Size]byte
	for ; t.Next < to; t.Next++ {
		buildSector(&s, k, 16, nil, t.Next)
		if d.rec.test == nil {
			if _, err := d.disc.store.WriteAt(s[:], (int64(t.Offset)+int64(t.Next-t.begin()))*cdsector.Size); err != nil {
				d.stats.StoreError = err
			}
		}
	}
}

// reserveTrack is RESERVE TRACK (MMC-5 6.31).
func (d *Drive) reserveTrack(c *scsi.Command) error {
	if err := d.writable(); err != nil {
		return err
	}
	r := d.disc
	size := int(min(binary.BigEndian.Uint32(c.CDB[5:]), 1<<30))
	switch {
	case r.kind.class == random || r.kind.class == pressed:
		return errOpcode
	case r.st.Final:
		return errReadOnly
	case r.st.Spoiled:
		return errSpoiled
	case c.CDB[1]&1 != 0:
		return badField(1) // sizes only
	case size == 0:
		return badField(5)
	case d.openTrack() != nil:
		return errPhase
	}
	return d.reserve(size)
}

// reserve reserves a track of so many sectors.
func (d *Drive) reserve(size int) error {
	r := d.disc
	begin := d.beginning()
	end := begin + roundUp(disc.LBA(size), r.kind.profile.blocking())
	if d.isDiscAtOnce() {
		if !r.blank() {
			return errPhase
		}
		end = begin + disc.LBA(size)
	}
	if int(end) > r.st.Capacity {
		return errFull
	}
	d.beginTest()
	t := TrackState{Mode: disc.Mode1, Control: disc.DataTrack, Start: begin, Next: begin, End: end, Reserved: true,
		Packets: d.rec.page.writeType() == writePacket}
	if r.kind.class == cdRecord {
		if s := r.open(); s != nil && len(s.Tracks) > 0 {
			t.Pregap = addr.Pregap
		}
		t.Control = d.rec.page.control()
	}
	if _, err := d.addTrack(t); err != nil {
		return err
	}
	d.changed()
	return nil
}

// Functions of CLOSE TRACK/SESSION (MMC-6 table 295).
const (
	closeBackground = 0
	closeTrackOnly  = 1
	closeSession    = 2
	closeMinimum    = 5
	closeFinalize   = 6
)

// close is CLOSE TRACK/SESSION (MMC-6 6.3).
func (d *Drive) closeTrackSession(c *scsi.Command) error {
	if err := d.writable(); err != nil {
		return err
	}
	immediate, function, number := c.CDB[1]&1 != 0, c.CDB[2]&7, alloc16(c, 4)
	d.drain()
	d.pad()
	took := d.flush()
	if err := d.deferred(); err != nil {
		return err
	}
	r := d.disc
	switch {
	case r.kind.class == random:
		return d.closeRandom(immediate, function)
	case d.rec.cue != nil && d.rec.cue.begun, d.rec.raw != nil:
		return errPhase
	case d.rec.atOnce: // what disc at once has written, SYNCHRONIZE CACHE closes
		return errPhase
	case r.st.Spoiled:
		return errSpoiled
	}
	switch {
	case function == closeTrackOnly:
		return d.closeTrackNumber(immediate, number, took)
	case function == closeSession, (function == closeMinimum || function == closeFinalize) && r.kind.class.closesDisc():
		return d.closeOpenSession(immediate, function, took)
	}
	return badField(2)
}

// closesDisc reports whether CLOSE TRACK/SESSION has functions of its own for the
// whole disc.
func (c class) closesDisc() bool { return c == plusRecord || c == bdRecord }

// closeTrackNumber ends a track; FFh is the open one.
func (d *Drive) closeTrackNumber(immediate bool, number int, took time.Duration) error {
	r := d.disc
	t := d.openTrack()
	if number != 0xFF {
		t = r.numbered(number)
	}
	switch {
	case t == nil && number != 0xFF && number != d.invisibleNumber():
		return badField(4)
	case t == nil || t.Closed:
		return nil // closed already, as after SYNCHRONIZE CACHE
	case t.Reserved && t.Next < t.End && r.kind.class == cdRecord:
		return errSpoiled
	}
	number = t.Number
	return d.start(immediate, took+trackCloseTime, scsi.ASCQOperationInProgress, func() error {
		d.closeTrack(d.disc.numbered(number))
		if d.rec.test != nil {
			d.endTest()
		}
		return nil
	})
}

// closeOpenSession ends the open session, or the whole disc.
func (d *Drive) closeOpenSession(immediate bool, function byte, took time.Duration) error {
	r := d.disc
	s := r.open()
	if s != nil {
		for i := range s.Tracks {
			t := &s.Tracks[i]
			if t.Reserved && t.Next < t.End && r.kind.class == cdRecord {
				return errSpoiled
			}
		}
	}
	final := function != closeSession
	if !final && (s == nil || len(s.Tracks) == 0) {
		return nil // there is nothing to close
	}
	switch {
	case r.kind.profile.medium() == disc.CD:
		took += seconds((leadInSeconds + leadOutSeconds) / d.writeSpeed())
	case final:
		took += finalizeTime
	default:
		took += borderTime
	}
	return d.start(immediate, took, scsi.ASCQOperationInProgress, func() error {
		if d.rec.test != nil {
			d.endTest()
			return nil
		}
		d.endOpenSession()
		if final {
			d.disc.st.Final = true
		}
		d.changed()
		return nil
	})
}

// endOpenSession closes the open session with all its tracks.
func (d *Drive) endOpenSession() {
	s := d.disc.open()
	if s == nil {
		return
	}
	for i := range s.Tracks {
		if t := &s.Tracks[i]; !t.Closed {
			d.closeTrack(t)
		}
	}
	if s = d.disc.open(); s == nil || len(s.Tracks) == 0 {
		return
	}
	end := s.Tracks[len(s.Tracks)-1].End
	if d.disc.kind.class.closesDisc() {
		s.Closed, s.LeadOut = true, end
	} else {
		d.closeSession(s, end)
	}
}

// closeRandom ends a format in the background (DVD+RW), or the intermediate state
// of a DVD-RW.
func (d *Drive) closeRandom(immediate bool, function byte) error {
	f := &d.disc.st.Format
	p := d.disc.kind.profile
	switch {
	case p == profilePlusRW && (function == closeBackground || function == closeSession || function == closeTrackOnly):
		return d.start(immediate, borderTime, scsi.ASCQOperationInProgress, func() error {
			if f.Background == 2 {
				f.Background = 1
			}
			d.changed()
			return nil
		})
	case p == profileDVDRWRO && (function == closeSession || function == 3):
		return d.start(immediate, borderTime, scsi.ASCQOperationInProgress, func() error {
			f.Intermediate = false
			d.changed()
			return nil
		})
	}
	return badField(2)
}
