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

// cueSheet is a session at once: what SEND CUE SHEET announced, and how far the
// host has come with it.
type cueSheet struct {
	parts   []cuePart
	tracks  []TrackState
	mcn     string
	leadIn  byte     // data form of the lead-in
	start   disc.LBA // of the pregap of the first track
	leadOut disc.LBA
	begun   bool
	next    disc.LBA
	text    packCollector
}

// cuePart is a run of sectors of one form.
type cuePart struct {
	first disc.LBA
	form  byte
	track int
}

// dataForm says what the host sends for a sector of a form, in bytes, and what
// becomes of it (MMC-5 table 577). ok is false for forms that do not exist.
func dataForm(form byte) (kind blockType, sub int, ok bool) {
	// Below, in this order: sent as they are, sent and made anew, ignored. The low
	// nibble says how much is sent.
	size := [...]int{0: 0, 1: 2352, 2: 0, 3: 2352, 4: 0}
	low := form & 15
	if form&0x30 != 0 {
		if int(low) >= len(size) {
			return kind, 0, false
		}
		kind.size = size[low]
	}
	if kind.size == 0 {
		kind.at = 16
	}
	switch form & 0x30 {
	case 0x00:
		switch low {
		case 0:
			kind = blockType{size: cdsector.Size, kind: cdsector.Audio}
		case 1: // the drive makes silence
			kind = blockType{kind: cdsector.Audio}
		default:
			return kind, 0, false
		}
	case 0x10:
		kind.kind = cdsector.Mode1
		switch low {
		case 0, 2:
			kind.size, kind.at = cdsector.UserSize, 16
		}
		if low == 2 || low == 3 {
			kind.kind = cdsector.Mode0
		}
	case 0x20, 0x30:
		kind.kind = cdsector.Bad // form 1 or 2, as the sub-header says
		if form&0x30 == 0x30 {
			kind.kind = cdsector.Mode2
		}
		switch low {
		case 0, 2:
			kind.size, kind.at = cdsector.Mode2Size, 16
		case 4:
			if form&0x30 == 0x20 {
				kind.kind = cdsector.Form2
			}
		}
	}
	switch form >> 6 {
	case 1, 3:
		sub = cdsector.SubSize
	case 2:
		return kind, 0, false
	}
	return kind, sub, true
}

// sendCueSheet is SEND CUE SHEET (MMC-5 6.33).
func (d *Drive) sendCueSheet(c *scsi.Command) (int, error) {
	if err := d.writable(); err != nil {
		return 0, err
	}
	size := int(c.CDB[6])<<16 | int(c.CDB[7])<<8 | int(c.CDB[8])
	switch {
	case d.disc.kind.class != cdRecord, d.rec.writeType() != writeSAO:
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
	cue.leadIn = cueLeadIn(c.Data[:size])
	d.rec.cue = cue
	return size, nil
}

const maxCueSheet = 8 * 1000

func cueLeadIn(data []byte) byte {
	for e := data; len(e) >= 8; e = e[8:] {
		if e[0]&15 == 1 && e[1] == 0 {
			return e[3]
		}
	}
	return 0
}

// parseCueSheet reads a cue sheet for a session whose first INDEX 01 can stand at
// begin. For one that no disc can hold it returns nil, and the byte that is
// wrong.
func parseCueSheet(data []byte, begin disc.LBA, firstTrack int, capacity disc.LBA) (*cueSheet, int) {
	cue := &cueSheet{start: begin - addr.Pregap}
	var mcn []byte
	isrcs := map[int][]byte{}
	last := cue.start
	seenLeadIn := false
	for at := 0; at < len(data); at += 8 {
		e := data[at : at+8]
		switch e[0] & 15 {
		case 2:
			if mcn = append(mcn, e[1:8]...); len(mcn) > 14 || len(cue.tracks) > 0 {
				return nil, at
			}
			continue
		case 3:
			if e[1] == 0 || e[1] > 99 {
				return nil, at + 1
			}
			if isrcs[int(e[1])] = append(isrcs[int(e[1])], e[2:8]...); len(isrcs[int(e[1])]) > 12 {
				return nil, at
			}
			continue
		case 1:
		default:
			return nil, at
		}
		if _, _, ok := dataForm(e[3]); !ok {
			return nil, at + 3
		}
		a := (disc.MSF{M: int(e[5]), S: int(e[6]), F: int(e[7])}).LBA()
		switch {
		case cue.leadOut > 0:
			return nil, at // nothing follows the lead-out
		case e[1] == 0:
			if seenLeadIn || len(cue.tracks) > 0 {
				return nil, at + 1
			}
			seenLeadIn = true
			continue
		case !seenLeadIn:
			return nil, at + 1
		case a < last || e[6] > 59 || e[7] > 74:
			return nil, at + 5
		case e[1] == cdsector.LeadOut:
			if len(cue.tracks) == 0 || !cue.endTrack(a) || a > capacity {
				return nil, at + 5
			}
			cue.leadOut = a
		default:
			if !cue.add(e, a, begin, firstTrack) {
				return nil, at + 1
			}
		}
		last = a
	}
	if cue.leadOut == 0 {
		return nil, len(data) - 8
	}
	if len(mcn) == 14 {
		cue.mcn = validOr(string(mcn[:13]), cdsector.ValidMCN)
	}
	for i := range cue.tracks {
		if code := isrcs[cue.tracks[i].Number]; len(code) == 12 {
			cue.tracks[i].ISRC = validOr(string(code), cdsector.ValidISRC)
		}
	}
	return cue, 0
}

// add takes one index of a track.
func (cue *cueSheet) add(e []byte, a, begin disc.LBA, firstTrack int) bool {
	number, index := int(e[1]), int(e[2])
	kind, _, _ := dataForm(e[3])
	n := len(cue.tracks)
	if n == 0 && (number != firstTrack || index != 0 || a != cue.start) {
		return false // a session begins with the two seconds before its first track
	}
	if n == 0 || number == cue.tracks[n-1].Number+1 {
		if number > 99 || index > 1 || n > 0 && !cue.endTrack(a) {
			return false
		}
		mode := modeOf(kind.kind)
		if kind.kind == cdsector.Bad {
			mode = disc.Mode2
		}
		t := TrackState{Number: number, Mode: mode, Control: disc.Control(e[0] >> 4), Start: -1}
		if (mode == disc.Audio) == (t.Control&disc.DataTrack != 0) {
			return false
		}
		t.Next = max(a, begin) // where it begins, until its INDEX 01 is known
		cue.tracks = append(cue.tracks, t)
		n++
	}
	t := &cue.tracks[n-1]
	switch {
	case number != t.Number:
		return false
	case index == 0 && t.Start < 0:
	case index == 1 && t.Start < 0:
		if a < begin {
			return false
		}
		t.Start, t.Pregap = a, int(a-t.Next)
	case t.Start >= 0 && index == len(t.Indexes)+2 && a > t.Start:
		t.Indexes = append(t.Indexes, a)
	default:
		return false
	}
	cue.parts = append(cue.parts, cuePart{a, e[3], number})
	return true
}

// endTrack ends the last track; it must have its INDEX 01, and four seconds with
// its pregap. (Drives differ over whether the pregap counts; wodim's sheets are
// accepted.)
func (cue *cueSheet) endTrack(a disc.LBA) bool {
	t := &cue.tracks[len(cue.tracks)-1]
	t.End = a
	t.Next = t.begin()
	begin := t.begin()
	if len(cue.tracks) == 1 {
		begin = cue.start
	}
	return t.Start >= 0 && a > t.Start && a-begin >= minimumTrack
}

// part returns the part that a sector belongs to. Of several that begin at the
// same address the last one counts.
func (cue *cueSheet) part(a disc.LBA) *cuePart {
	for i := len(cue.parts) - 1; i >= 0; i-- {
		if cue.parts[i].first <= a {
			return &cue.parts[i]
		}
	}
	return nil
}

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
	r.st.Sessions = append(r.st.Sessions, SessionState{Format: d.rec.format(), Tracks: cue.tracks})
	r.st.Spoiled = true
	if cue.mcn != "" {
		r.st.MCN = cue.mcn
	} else if m := d.rec.mcn(); m != "" {
		r.st.MCN = m
	}
	d.rec.weak = !d.rec.underrunFree()
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
		// Sync, header and codes are sent, and made anew by the drive.
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
	switch d.rec.multiSession() {
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
