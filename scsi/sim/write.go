package sim

import (
	"encoding/binary"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

var (
	errAddress  = fail(scsi.IllegalRequest, scsi.ASCAddressOutOfRange, scsi.ASCQInvalidWriteAddress)
	errFull     = fail(scsi.IllegalRequest, scsi.ASCEndOfUserArea, 0)
	errPhase    = fail(scsi.IllegalRequest, scsi.ASCCommandSequence, 0)
	errReadOnly = fail(scsi.IllegalRequest, scsi.ASCIncompatibleMedium, scsi.ASCQCannotWriteFormat)
	errSpoiled  = fail(scsi.IllegalRequest, scsi.ASCSessionFixation, scsi.ASCQPartlyWrittenTrack)
	errParams   = fail(scsi.IllegalRequest, scsi.ASCInvalidFieldInParameters, 0)
	errProtect  = fail(scsi.DataProtect, scsi.ASCWriteProtected, 0)
	errLength   = fail(scsi.IllegalRequest, scsi.ASCParameterListLength, 0)
	errSession  = fail(scsi.IllegalRequest, scsi.ASCSessionFixation, scsi.ASCQIncompleteTrack)
	errUnformed = fail(scsi.MediumError, scsi.ASCMediumFormatCorrupted, 0)
)

// linkSectors join two packets of variable length on a CD (MMC-5 4.2.3.6).
const linkSectors = 7

// minimumTrack is the least length of a CD track: four seconds.
const minimumTrack = 300

// writable is what every command that writes asks for first.
func (d *Drive) writable() error {
	switch {
	case d.cfg.CannotWrite:
		return errOpcode
	case d.disc == nil:
		return errReadOnly
	case d.disc.store == nil:
		return errProtect
	}
	return d.deferred()
}

// write is WRITE (10), WRITE (12) and WRITE AND VERIFY (10).
func (d *Drive) write(c *scsi.Command) (int, error) {
	if err := d.writable(); err != nil {
		return 0, err
	}
	a := disc.LBA(int32(binary.BigEndian.Uint32(c.CDB[2:])))
	n := alloc16(c, 7)
	if scsi.Opcode(c.CDB[0]) == scsi.OpWrite12 {
		n = int(min(binary.BigEndian.Uint32(c.CDB[6:]), 1<<20))
	}
	if n == 0 {
		return 0, nil
	}
	d.drain()
	if err := d.deferred(); err != nil {
		return 0, err
	}
	d.mech.lose()
	switch d.disc.kind.class {
	case cdRecord:
		switch {
		case d.disc.st.Spoiled && d.rec.cue == nil && d.rec.raw == nil:
			return 0, errSpoiled
		case d.disc.st.Final:
			return 0, errReadOnly
		}
		switch d.rec.page.writeType() {
		case writeSAO:
			return d.writeSession(c.Data, a, n)
		case writeRaw:
			return d.writeRawSectors(c.Data, a, n)
		}
		return d.writeTrack(c.Data, a, n)
	case random:
		return d.writeRandom(c.Data, a, n)
	}
	return d.writeSequential(c.Data, a, n)
}

// blocks checks that the data of a command are as long as its blocks, and waits
// for room in the buffer.
func (d *Drive) blocks(data []byte, n, size int) error {
	if len(data) < n*size {
		return badField(7)
	}
	if n*size > writeBufferSize/2 {
		return badField(7)
	}
	return d.room(n * size)
}

// beginTest keeps the state of the disc, to which it returns after a test write.
func (d *Drive) beginTest() {
	if d.rec.page.testWrite() && d.rec.test == nil && d.disc.kind.class <= minusRecord {
		st := d.disc.st.clone()
		d.rec.test = &st
	}
}

func (d *Drive) endTest() {
	if d.rec.test == nil {
		return
	}
	d.disc.st, d.rec.test = *d.rec.test, nil
	d.rec.cue, d.rec.raw, d.rec.atOnce = nil, nil, false
	d.refresh()
}

// nwa is the next writable address of a track, as the host sees it.
func (d *Drive) nwa(t *TrackState) disc.LBA {
	next := t.Next
	for _, c := range d.rec.buffer.queue {
		if c.track == t.Number {
			next = max(next, c.first+disc.LBA(c.n))
		}
	}
	return next
}

// openTrack returns the track that was begun and is neither closed nor reserved,
// or nil.
func (d *Drive) openTrack() *TrackState {
	s := d.disc.open()
	if s == nil || len(s.Tracks) == 0 {
		return nil
	}
	if t := &s.Tracks[len(s.Tracks)-1]; !t.Closed && !t.Reserved {
		return t
	}
	return nil
}

// Gaps between sessions on other media: border or closure zones, as drives make
// them.
const (
	minusBorder = 12288
	plusBorder  = 4096
)

// beginning is where the next track that is not yet reserved would begin: its
// INDEX 01 if it is written at once.
func (d *Drive) beginning() disc.LBA {
	r := d.disc
	t := r.lastTrack()
	if t == nil {
		return 0
	}
	if s := r.open(); s != nil && len(s.Tracks) > 0 {
		end := max(t.End, d.nwa(t))
		if r.kind.class == cdRecord {
			return end + addr.Pregap
		}
		return roundUp(end, r.kind.profile.blocking())
	}
	end := r.last().LeadOut
	switch r.kind.class {
	case cdRecord:
		return end + disc.LBA(addr.SessionGap(len(r.st.Sessions)))
	case minusRecord:
		return roundUp(end, 16) + minusBorder
	case plusRecord:
		return roundUp(end, 16) + plusBorder
	}
	return roundUp(end, r.kind.profile.blocking())
}

func roundUp(a disc.LBA, to int) disc.LBA {
	return (a + disc.LBA(to) - 1) / disc.LBA(to) * disc.LBA(to)
}

// addTrack begins a track, in the open session or in a new one.
func (d *Drive) addTrack(t TrackState) (*TrackState, error) {
	r := d.disc
	last := r.lastTrack()
	if last != nil {
		t.Number = last.Number + 1
	} else {
		t.Number = max(t.Number, 1)
	}
	if r.kind.class == cdRecord && t.Number > 99 {
		return nil, fail(scsi.IllegalRequest, scsi.ASCSessionFixation, scsi.ASCQNoMoreTracks)
	}
	t.Offset = r.stored()
	s := r.open()
	if s == nil {
		r.st.Sessions = append(r.st.Sessions, SessionState{Format: d.rec.page.format()})
		s = r.last()
	}
	s.Tracks = append(s.Tracks, t)
	return &s.Tracks[len(s.Tracks)-1], nil
}

// writeTrack writes a track at once or in packets on a CD.
func (d *Drive) writeTrack(data []byte, a disc.LBA, n int) (int, error) {
	kind, _ := blockTypeOf(d.rec.page.blockType())
	packets := d.rec.page.writeType() == writePacket
	t, err := d.trackToWrite(a, n, kind.kind)
	if err != nil {
		return 0, err
	}
	if err := d.blocks(data, n, kind.size); err != nil {
		return 0, err
	}
	if t == nil {
		d.beginTest()
		if t, err = d.newCDTrack(a, kind.kind, packets); err != nil {
			return 0, err
		}
		d.rec.weak = !d.rec.page.underrunFree()
		d.warmUp(trackStartTime)
	} else if t.Next == t.Start {
		t.Mode, t.Packets = modeOf(kind.kind), packets
	}
	d.queueSectors(t, data, a, n, kind)
	if packets && d.rec.page.fixedPacket() == 0 {
		d.rec.weak = false
	}
	return n * kind.size, nil
}

// trackToWrite is the track of a CD that continues at an address; nil is a new one.
func (d *Drive) trackToWrite(a disc.LBA, n int, kind cdsector.Kind) (*TrackState, error) {
	t := d.openTrack()
	if t == nil {
		t = d.reservedAt(a)
	}
	next := d.beginning()
	if t != nil {
		next = d.nwa(t)
	}
	switch {
	case t != nil && t.Damaged && !t.Reserved:
		return nil, errSpoiled
	case a != next:
		return nil, errAddress
	case int(a)+n > d.disc.st.Capacity, t != nil && t.Reserved && a+disc.LBA(n) > t.End:
		return nil, errFull
	case t != nil && !t.Reserved && t.Mode != modeOf(kind):
		return nil, fail(scsi.IllegalRequest, scsi.ASCIllegalModeForTrack, 0)
	}
	return t, nil
}

// newCDTrack begins a track whose INDEX 01 is at a, with the two seconds of
// pregap that the drive itself writes between tracks.
func (d *Drive) newCDTrack(a disc.LBA, k cdsector.Kind, packets bool) (*TrackState, error) {
	pregap := 0
	if s := d.disc.open(); s != nil && len(s.Tracks) > 0 {
		pregap = addr.Pregap
	}
	t, err := d.addTrack(TrackState{Mode: modeOf(k), Control: d.rec.page.control() &^ 1, ISRC: d.rec.page.isrc(),
		Start: a, Pregap: pregap, Next: a, Packets: packets})
	if err != nil {
		return nil, err
	}
	if t.Mode == disc.Audio {
		t.Control = d.rec.page.control()
	}
	if m := d.rec.page.mcn(); m != "" {
		d.disc.st.MCN = m
	}
	if pregap > 0 {
		p := make([]byte, pregap*cdsector.Size)
		var none []byte
		for i := range pregap {
			buildSector((*[cdsector.Size]byte)(p[i*cdsector.Size:]), k, 16, none, t.begin()+disc.LBA(i))
		}
		d.enqueue(chunk{data: p, first: t.begin(), n: pregap, at: int64(t.Offset) * cdsector.Size})
	}
	d.changed()
	return t, nil
}

// queueSectors builds the sectors of a CD track from the host's data.
func (d *Drive) queueSectors(t *TrackState, data []byte, a disc.LBA, n int, kind blockType) {
	p := d.rec.buffer.chunkOf(n * cdsector.Size)
	for i := range n {
		s := (*[cdsector.Size]byte)(p[i*cdsector.Size:])
		from := data[i*kind.size : i*kind.size+kind.size-kind.sub]
		if kind.kind == cdsector.Audio {
			copy(s[:], from)
			continue
		}
		buildSector(s, kind.kind, kind.at, from, a+disc.LBA(i))
		if kind.at == 24 { // the sub-header is that of the mode page
			copy(s[16:20], d.rec.page[48:52])
			copy(s[20:24], d.rec.page[48:52])
			s[18], s[22] = s[18]&^0x20, s[22]&^0x20
			if kind.kind == cdsector.Form2 {
				s[18], s[22] = s[18]|0x20, s[22]|0x20
			}
			cdsector.Seal(s, kind.kind)
		}
	}
	at := int64(t.Offset) + int64(a-t.begin())
	d.enqueue(chunk{data: p, first: a, n: n, at: at * cdsector.Size, track: t.Number})
}

// reservedAt returns the reserved track whose next writable address is a.
func (d *Drive) reservedAt(a disc.LBA) *TrackState {
	s := d.disc.open()
	if s == nil {
		return nil
	}
	for i := range s.Tracks {
		if t := &s.Tracks[i]; t.Reserved && !t.Closed && a >= t.Start && a < t.End && d.nwa(t) == a {
			return t
		}
	}
	return nil
}

// writeSequential writes DVD-R, DVD-RW, DVD+R and BD-R.
func (d *Drive) writeSequential(data []byte, a disc.LBA, n int) (int, error) {
	r := d.disc
	if r.st.Format.POW && d.overwritten(a, n) {
		if err := d.blocks(data, n, cdsector.UserSize); err != nil {
			return 0, err
		}
		return d.queueBlocks(data, a, n, 0), nil
	}
	t, next := d.openTrack(), d.beginning()
	if t != nil {
		next = d.nwa(t)
	} else if u := d.reservedAt(a); u != nil {
		t, next = u, d.nwa(u)
	}
	if err := d.continues(t, next, a, n); err != nil {
		return 0, err
	}
	if err := d.blocks(data, n, cdsector.UserSize); err != nil {
		return 0, err
	}
	if t == nil {
		d.beginTest()
		var err error
		if t, err = d.addTrack(TrackState{Mode: disc.Mode1, Control: disc.DataTrack, Start: a, Next: a, Packets: !d.isDiscAtOnce()}); err != nil {
			return 0, err
		}
	}
	if t.Next == t.Start && d.nwa(t) == t.Start {
		t = d.firstOfTrack(t.Number)
	}
	return d.queueBlocks(data, a, n, t.Number), nil
}

// isDiscAtOnce reports whether a DVD is, or is to be, written at once.
func (d *Drive) isDiscAtOnce() bool {
	return d.disc.kind.class == minusRecord && d.rec.page.writeType() == writeSAO
}

// continues reports why a sequential disc cannot take n blocks at a, where a track,
// or a new one (nil), continues at next.
func (d *Drive) continues(t *TrackState, next, a disc.LBA, n int) error {
	r := d.disc
	end := disc.LBA(r.st.Capacity)
	if t != nil && t.End > 0 {
		end = t.End
	}
	switch {
	case r.st.Final:
		return errReadOnly
	case r.st.Spoiled && !d.rec.atOnce, t != nil && t.Damaged:
		return errSpoiled
	case a != next:
		return errAddress
	case a+disc.LBA(n) > end:
		return errFull
	case d.isDiscAtOnce() && t == nil && !r.blank():
		return errReadOnly // disc at once wants a blank disc
	}
	return nil
}

// firstOfTrack is what happens before the first block of a track.
func (d *Drive) firstOfTrack(number int) *TrackState {
	atOnce := d.isDiscAtOnce()
	if atOnce {
		d.beginTest()
		d.disc.st.Spoiled, d.rec.atOnce = true, true // until it is whole
	}
	d.rec.weak = atOnce && !d.rec.page.underrunFree()
	d.warmUp(trackStartTime)
	d.changed()
	return d.disc.numbered(number)
}

// queueBlocks queues sectors of a DVD or BD.
func (d *Drive) queueBlocks(data []byte, a disc.LBA, n, track int) int {
	const size = cdsector.UserSize
	p := d.rec.buffer.chunkOf(n * size)
	copy(p, data)
	d.enqueue(chunk{data: p, first: a, n: n, at: int64(a) * size, track: track})
	return n * size
}

// overwritten reports whether all of a range was written before.
func (d *Drive) overwritten(a disc.LBA, n int) bool {
	t := d.disc.track(a)
	return t != nil && a+disc.LBA(n) <= d.nwa(t)
}

// writeRandom writes media that take any address.
func (d *Drive) writeRandom(data []byte, a disc.LBA, n int) (int, error) {
	r := d.disc
	f := &r.st.Format
	if !f.Done {
		return 0, errUnformed
	}
	limit := f.Blocks
	if f.Intermediate {
		// It grows where it ends, and nowhere else.
		if int(a) > f.Blocks {
			return 0, errAddress
		}
		limit = r.st.Capacity
	}
	if a < 0 || int(a)+n > limit {
		return 0, outOfRange(a)
	}
	if r.kind.profile == profileDVDRWRO && (a%16 != 0 || n%16 != 0) {
		return 0, errAddress // whole ECC blocks only
	}
	if err := d.blocks(data, n, cdsector.UserSize); err != nil {
		return 0, err
	}
	if f.Intermediate && int(a)+n > f.Blocks {
		f.Blocks = int(a) + n
		d.refresh()
	}
	if f.Background == 1 { // writing continues with a suspended format
		f.Background = 2
	}
	d.rec.weak = false
	return d.queueBlocks(data, a, n, 0), nil
}

// warmUp is what the laser does before the first sector of a track.
func (d *Drive) warmUp(takes float64) {
	now := d.clock.elapsed()
	d.rec.buffer.laser = max(now, d.rec.buffer.laser) + seconds(takes)
}

const trackStartTime = 2.0 // seconds: calibration and run-in
