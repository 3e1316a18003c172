package sim

import (
	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
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

// dataForms are the data forms of a cue sheet, without their sub-channel (MMC-5
// table 577): what the host sends for a sector, in bytes, and what becomes of it.
var dataForms = map[byte]blockType{
	0x00: {2352, cdsector.Audio, 0, 0},
	0x01: {0, cdsector.Audio, 0, 0}, // the drive makes silence

	// From here on, in this order: sent, sent with what surrounds it and made
	// anew, and the same for another mode or form; 4: ignored.
	0x10: {2048, cdsector.Mode1, 16, 0},
	0x11: {2352, cdsector.Mode1, 0, 0},
	0x12: {2048, cdsector.Mode0, 16, 0},
	0x13: {2352, cdsector.Mode0, 0, 0},
	0x14: {0, cdsector.Mode1, 16, 0},
	0x20: {2336, cdsector.Bad, 16, 0}, // form 1 or 2, as the sub-header says
	0x21: {2352, cdsector.Bad, 0, 0},
	0x22: {2336, cdsector.Bad, 16, 0},
	0x23: {2352, cdsector.Bad, 0, 0},
	0x24: {0, cdsector.Form2, 16, 0},
	0x30: {2336, cdsector.Mode2, 16, 0},
	0x31: {2352, cdsector.Mode2, 0, 0},
	0x32: {2336, cdsector.Mode2, 16, 0},
	0x33: {2352, cdsector.Mode2, 0, 0},
	0x34: {0, cdsector.Mode2, 16, 0},
}

// dataForm gives a data form, and how many bytes of sub-channel follow each
// sector; ok is false for forms that do not exist.
func dataForm(form byte) (kind blockType, sub int, ok bool) {
	kind, ok = dataForms[form&0x3F]
	switch form >> 6 {
	case 1, 3:
		sub = cdsector.SubSize
	case 2:
		ok = false
	}
	return kind, sub, ok
}

// cueParser reads the entries of a cue sheet (MMC-5 6.33).
type cueParser struct {
	cue      *cueSheet
	begin    disc.LBA // where the first INDEX 01 can stand
	first    int      // number of the first track
	capacity disc.LBA

	last   disc.LBA // address of the entry before
	leadIn bool     // it was there
	mcn    []byte
	isrcs  map[int][]byte
}

// parseCueSheet reads a cue sheet for a session whose first INDEX 01 can stand at
// begin. For one that no disc can hold it returns nil, and the byte that is
// wrong.
func parseCueSheet(data []byte, begin disc.LBA, firstTrack int, capacity disc.LBA) (*cueSheet, int) {
	cue := &cueSheet{start: begin - addr.Pregap}
	p := &cueParser{cue: cue, begin: begin, first: firstTrack, capacity: capacity, last: cue.start, isrcs: map[int][]byte{}}
	entries := map[byte]func([]byte) int{1: p.position, 2: p.catalogue, 3: p.code}
	for at := 0; at < len(data); at += 8 {
		e := data[at : at+8]
		take, ok := entries[e[0]&15]
		if !ok {
			return nil, at
		}
		if wrong := take(e); wrong >= 0 {
			return nil, at + wrong
		}
	}
	if cue.leadOut == 0 {
		return nil, len(data) - 8
	}
	if len(p.mcn) == 14 {
		cue.mcn = validOr(string(p.mcn[:13]), cdsector.ValidMCN)
	}
	for i := range cue.tracks {
		if code := p.isrcs[cue.tracks[i].Number]; len(code) == 12 {
			cue.tracks[i].ISRC = validOr(string(code), cdsector.ValidISRC)
		}
	}
	return cue, 0
}

// Each kind of entry returns the byte of it that is wrong, or right.
const right = -1

// catalogue takes one of the two entries of the catalogue number.
func (p *cueParser) catalogue(e []byte) int {
	if p.mcn = append(p.mcn, e[1:8]...); len(p.mcn) > 14 || len(p.cue.tracks) > 0 {
		return 0
	}
	return right
}

// code takes one of the two entries of a track's recording code.
func (p *cueParser) code(e []byte) int {
	track := int(e[1])
	if track == 0 || track > 99 {
		return 1
	}
	if p.isrcs[track] = append(p.isrcs[track], e[2:8]...); len(p.isrcs[track]) > 12 {
		return 0
	}
	return right
}

// position takes an entry of ADR 1: lead-in, index or lead-out.
func (p *cueParser) position(e []byte) int {
	cue := p.cue
	if _, _, ok := dataForm(e[3]); !ok {
		return 3
	}
	a := (disc.MSF{M: int(e[5]), S: int(e[6]), F: int(e[7])}).LBA()
	switch {
	case cue.leadOut > 0:
		return 0 // nothing follows the lead-out
	case e[1] == 0:
		if p.leadIn || len(cue.tracks) > 0 {
			return 1
		}
		p.leadIn, cue.leadIn = true, e[3]
		return right
	case !p.leadIn:
		return 1
	case a < p.last || e[6] > 59 || e[7] > 74:
		return 5
	case e[1] == cdsector.LeadOut:
		if len(cue.tracks) == 0 || !cue.endTrack(a) || a > p.capacity {
			return 5
		}
		cue.leadOut = a
	case !p.add(e, a):
		return 1
	}
	p.last = a
	return right
}

// add takes one index of a track.
func (p *cueParser) add(e []byte, a disc.LBA) bool {
	cue := p.cue
	number, index := int(e[1]), int(e[2])
	if !p.begins(number, index, a) {
		if n := len(cue.tracks); n == 0 || number != cue.tracks[n-1].Number {
			return false
		}
	} else if !p.addTrack(e, a) {
		return false
	}
	if t := &cue.tracks[len(cue.tracks)-1]; !t.addIndex(index, a, p.begin) {
		return false
	}
	cue.parts = append(cue.parts, cuePart{a, e[3], number})
	return true
}

// begins reports whether an index begins the next track. A session begins with
// the two seconds before its first one.
func (p *cueParser) begins(number, index int, a disc.LBA) bool {
	n := len(p.cue.tracks)
	if n == 0 {
		return number == p.first && index == 0 && a == p.cue.start
	}
	return number == p.cue.tracks[n-1].Number+1 && index <= 1 && p.cue.endTrack(a)
}

// addIndex adds an index to a track of a cue sheet: they come in order.
func (t *TrackState) addIndex(index int, a, begin disc.LBA) bool {
	switch {
	case index == 0:
		return t.Start < 0
	case index == 1:
		if t.Start >= 0 || a < begin {
			return false
		}
		t.Start, t.Pregap = a, int(a-t.Next)
		return true
	case t.Start >= 0 && index == len(t.Indexes)+2 && a > t.Start:
		t.Indexes = append(t.Indexes, a)
		return true
	}
	return false
}

// addTrack begins a track.
func (p *cueParser) addTrack(e []byte, a disc.LBA) bool {
	number := int(e[1])
	kind, _, _ := dataForm(e[3])
	mode := modeOf(kind.kind)
	if kind.kind == cdsector.Bad {
		mode = disc.Mode2
	}
	control := disc.Control(e[0] >> 4)
	if number > 99 || (mode == disc.Audio) == (control&disc.DataTrack != 0) {
		return false
	}
	// Next is where it begins, until its INDEX 01 is known.
	p.cue.tracks = append(p.cue.tracks, TrackState{Number: number, Mode: mode, Control: control, Start: -1, Next: max(a, p.begin)})
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
