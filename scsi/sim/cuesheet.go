package sim

import (
	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

// Places of a lead-in on a CD-R, as its ATIP states them.
const (
	leadInStart = -11635 // 97:26:65
	leadInMSF   = "\x61\x1A\x41"
)

// sendCueSheet is SEND CUE SHEET (MMC-5 6.33).
func (d *Drive) sendCueSheet(c *scsi.Command) (int, error) {
	if err := d.writable(); err != nil {
		return 0, err
	}
	size := int(c.CDB[6])<<16 | int(c.CDB[7])<<8 | int(c.CDB[8])
	switch {
	case d.disc.kind.class != cdRecord, d.rec.page.writeType() != writeSAO:
		return 0, errPhase
	case size == 0 || size%8 != 0 || size > maxCueSheet || len(c.Data) < size:
		return 0, badField(6)
	case d.disc.st.Spoiled:
		return 0, errSpoiled
	case d.disc.st.Final:
		return 0, errReadOnly
	case d.openTrack() != nil || d.disc.open() != nil:
		return 0, errSession
	}
	first := 1
	if t := d.disc.lastTrack(); t != nil {
		first = t.Number + 1
	}
	cue, at := parseCueSheet(c.Data[:size], d.beginning(), first, disc.LBA(d.disc.st.Capacity))
	if cue == nil {
		return 0, senseError{Key: scsi.IllegalRequest, ASC: scsi.ASCInvalidFieldInParameters, Field: uint16(at), FieldInData: true, FieldValid: true}
	}
	d.rec.cue = cue
	return size, nil
}

const maxCueSheet = 8 * 1000

// writeSession writes a session at once.
func (d *Drive) writeSession(data []byte, a disc.LBA, n int) (int, error) {
	cue := d.rec.cue
	if cue == nil {
		return 0, errPhase
	}
	if a < cue.start {
		return d.writeLeadIn(cue, data, a, n)
	}
	if !cue.begun && a == cue.start && cue.leadIn&0x3F == 1 && cue.leadIn>>6 != 0 {
		return 0, errAddress // the lead-in was announced with CD-TEXT
	}
	if !cue.begun || cue.next < cue.start {
		cue.next = cue.start
	}
	if a != cue.next || a+disc.LBA(n) > cue.leadOut {
		return 0, errAddress
	}
	size := 0
	for i := range n {
		kind, sub, _ := dataForm(cue.part(a + disc.LBA(i)).form)
		size += kind.size + sub
	}
	if len(data) < size {
		return 0, badField(7)
	}
	if err := d.room(n * cdsector.Size); err != nil {
		return 0, err
	}
	d.beginSession(cue)
	used := 0
	for i := range n {
		at := a + disc.LBA(i)
		part := cue.part(at)
		kind, sub, _ := dataForm(part.form)
		d.queueSessionSector(part, data[used:used+kind.size], at, kind)
		used += kind.size + sub
	}
	cue.next = a + disc.LBA(n)
	return used, nil
}

// beginSession is the first sector of a session at once: from now on the disc is
// spoiled unless all of it comes.
func (d *Drive) beginSession(cue *cueSheet) {
	if cue.begun {
		return
	}
	cue.begun = true
	d.beginTest()
	r := d.disc
	offset := r.stored()
	for i := range cue.tracks {
		cue.tracks[i].Offset = offset
		offset += int(cue.tracks[i].End - cue.tracks[i].begin())
	}
	r.st.Sessions = append(r.st.Sessions, SessionState{Format: d.rec.page.format(), Tracks: cue.tracks})
	r.st.Spoiled = true
	if cue.mcn != "" {
		r.st.MCN = cue.mcn
	} else if m := d.rec.page.mcn(); m != "" {
		r.st.MCN = m
	}
	d.rec.weak = !d.rec.page.underrunFree()
	d.warmUp(leadInSeconds / d.writeSpeed())
	d.changed()
}

// leadInSeconds is how long a lead-in plays.
const leadInSeconds = 60

func (d *Drive) queueSessionSector(part *cuePart, data []byte, a disc.LBA, kind blockType) {
	p := d.rec.buffer.chunkOf(cdsector.Size)
	s := (*[cdsector.Size]byte)(p)
	switch {
	case kind.kind == cdsector.Audio:
		clear(s[:])
		copy(s[:], data)
	case kind.at == 0 && kind.size == cdsector.Size:
		// Sync, header and codes are sent, and made again by the drive.
		k := kind.kind
		buildSector(s, k, 16, data[16:], a)
	default:
		buildSector(s, kind.kind, kind.at, data, a)
	}
	c := chunk{data: p, first: a, n: 1, at: -1, track: part.track}
	if t := d.disc.numbered(part.track); t != nil && a >= t.begin() {
		c.at = (int64(t.Offset) + int64(a-t.begin())) * cdsector.Size
	} else {
		c.track = 0
	}
	d.enqueue(c)
}

// writeLeadIn takes the R to W sub-channels of the lead-in, which hold CD-TEXT.
func (d *Drive) writeLeadIn(cue *cueSheet, data []byte, a disc.LBA, n int) (int, error) {
	switch {
	case cue.leadIn>>6 == 0 || cue.leadIn&0x3F != 1:
		return 0, errAddress
	case cue.begun && a != cue.next, !cue.begun && a < leadInStart-addr.LaterLeadOut-addr.LeadIn, a+disc.LBA(n) > cue.start:
		return 0, errAddress
	case len(data) < n*cdsector.SubSize:
		return 0, badField(7)
	}
	d.beginSession(cue)
	for i := range n {
		cue.text.add(data[i*cdsector.SubSize : (i+1)*cdsector.SubSize])
	}
	cue.next = a + disc.LBA(n)
	return n * cdsector.SubSize, nil
}

// endSession is the end of a session at once: with all its sectors it is closed,
// with fewer the disc is spoiled.
func (d *Drive) endSession() error {
	cue := d.rec.cue
	if cue == nil || !cue.begun {
		return nil
	}
	d.rec.cue = nil
	if d.rec.test != nil {
		d.endTest()
		return nil
	}
	r := d.disc
	if cue.next != cue.leadOut || len(d.rec.late) > 0 {
		d.changed()
		return nil
	}
	s := r.last()
	for i := range s.Tracks {
		t := &s.Tracks[i]
		t.Closed, t.Next = true, t.End
	}
	if packs := cue.text.packs; len(packs) > 0 {
		r.st.CDText = packs
	}
	d.closeSession(s, cue.leadOut)
	return nil
}

// closeSession ends a session; the multi-session field of the mode page decides
// whether another one can follow.
func (d *Drive) closeSession(s *SessionState, leadOut disc.LBA) {
	st := &d.disc.st
	s.Closed, s.LeadOut, st.Spoiled = true, leadOut, false
	for _, h := range d.traits {
		if h.recorded != nil {
			h.recorded(st)
		}
	}
	switch d.rec.page.multiSession() {
	case 0:
		st.Final = true
	case 1:
		st.Final, st.NextFF = true, true
	}
	// The run-out blocks behind the last track hold nothing: the image ends
	// before them.
	if d.disc.kind.class == cdRecord && d.rec.test == nil {
		if err := d.disc.store.Truncate(int64(d.disc.stored()) * cdsector.Size); err != nil {
			d.stats.StoreError = err
		}
	}
	d.changed()
}

// add takes the 96 bytes of one sector: four packs, six bits a byte.
func (c *packCollector) add(sub []byte) {
	for i := 0; i+24 <= len(sub) && !c.full; i += 24 {
		var p disc.Pack
		for k := range 6 { // four symbols of six bits make three bytes
			v := uint32(0)
			for _, b := range sub[i+k*4 : i+k*4+4] {
				v = v<<6 | uint32(b&0x3F)
			}
			p[k*3], p[k*3+1], p[k*3+2] = byte(v>>16), byte(v>>8), byte(v)
		}
		if !p.CRCOK() || p[0] < 0x80 || p[0] > 0x8F {
			continue
		}
		if len(c.packs) > 0 && p == c.packs[0] || len(c.packs) >= 2048 {
			c.full = true
			return
		}
		c.packs = append(c.packs, p)
	}
}
