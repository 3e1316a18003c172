package scram

import (
	"encoding/binary"
	"slices"

	"spindle/addr"
	"spindle/disc"
	"spindle/image/format"
)

// layout makes the layout from the table of contents, or from the sub-channels where there is none, and takes
// from these what it does not say: pregaps, further indexes, the catalogue number and ISRCs.
func (o *opener) layout() (*disc.Layout, error) {
	toc, err := o.read(".toc")
	if err != nil {
		return nil, err
	}
	full, err := o.read(".fulltoc")
	if err != nil {
		return nil, err
	}
	texts, err := o.read(".cdtext")
	if err != nil {
		return nil, err
	}
	var found *positions
	if o.sub != nil {
		if found, err = o.readQ(); err != nil {
			return nil, err
		}
	}
	l := &disc.Layout{Medium: disc.CD}
	switch {
	case toc != nil:
		l.Sessions, err = parseTOC(toc)
		if err == nil && full != nil {
			l.Sessions, err = inSessions(l.Sessions, full)
		}
	case full != nil:
		l.Sessions, err = parseFullTOC(full)
	case found != nil:
		l.Sessions, err = found.sessions()
	default:
		err = errorf("there is neither a .toc nor a %s beside it, which say what tracks it has", o.program.sub)
	}
	if err != nil {
		return nil, err
	}
	const most = 100*60*addr.FramesPerSecond - addr.Pregap // sectors that have a time on a CD
	if end := l.End(); end > most {
		return nil, errorf("the lead-out is at sector %d, and no CD has more than %d", end, most)
	}
	if found != nil {
		found.complete(l)
	}
	endTracks(l)
	o.addText(l, texts)
	if err := l.Validate(); err != nil {
		return nil, errorf("%w", err)
	}
	return l, nil
}

// addText adds the CD-TEXT of the file that holds it. What of that is damaged is remarked.
func (o *opener) addText(l *disc.Layout, b []byte) {
	if len(b) == 0 {
		return
	}
	packs, bad, err := disc.ParsePacks(b)
	if err == nil && len(packs)+bad == 0 {
		err = disc.ErrCDText
	}
	if err == nil {
		l.CDText = packs
	}
	if err != nil || bad > 0 {
		o.main.Remark(format.Remark{Kind: format.BadCDText, File: format.Stem(o.main.Path) + ".cdtext", Have: int64(bad), Err: err})
	}
}

// endTracks lets each track end where the next begins, or its session does.
func endTracks(l *disc.Layout) {
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for k := range s.Tracks {
			s.Tracks[k].End = s.LeadOut
			if k+1 < len(s.Tracks) {
				s.Tracks[k].End = s.Tracks[k+1].Begin()
			}
		}
	}
}

const (
	tocHead    = 4    // bytes before the entries
	tocEntry   = 8    // bytes of an entry of format 0 (MMC-6 table 478)
	fullEntry  = 11   // and of format 2 (table 485)
	tocLeadOut = 0xAA // as a track number
)

// entries are those of an answer of READ TOC, behind which there may be zeros.
func entries(b []byte, size int) ([][]byte, error) {
	if len(b) < tocHead {
		return nil, errorf("a table of contents of %d bytes", len(b))
	}
	n := int(binary.BigEndian.Uint16(b)) + 2
	if n > len(b) || n < tocHead+size || (n-tocHead)%size != 0 {
		return nil, errorf("a table of contents of %d bytes states %d", len(b), n)
	}
	return slices.Collect(slices.Chunk(b[tocHead:n], size)), nil
}

// newTrack makes a track of a table of contents, which says of data only that they are.
func newTrack(number int, control byte, start disc.LBA) disc.Track {
	t := disc.Track{Number: number, Control: disc.Control(control & 0x0F), Start: start}
	if t.Control&disc.DataTrack != 0 {
		t.Mode = disc.Mode1
	}
	return t
}

// parseTOC parses an answer of format 0: one session. Its addresses are numbers of sectors, or times.
func parseTOC(b []byte) ([]disc.Session, error) {
	all, err := entries(b, tocEntry)
	if err != nil {
		return nil, err
	}
	times := areTimes(all)
	s := disc.Session{Number: 1}
	for _, e := range all {
		at := disc.LBA(int32(binary.BigEndian.Uint32(e[4:])))
		if times {
			at = (addr.MSF{M: int(e[5]), S: int(e[6]), F: int(e[7])}).LBA()
		}
		if e[2] == tocLeadOut {
			s.LeadOut = at
			continue
		}
		s.Tracks = append(s.Tracks, newTrack(int(e[2]), e[1], at))
	}
	if len(s.Tracks) == 0 || s.LeadOut == 0 {
		return nil, errorf("its table of contents has %d tracks, and the lead-out at %d", len(s.Tracks), s.LeadOut)
	}
	return []disc.Session{s}, nil
}

// areTimes reports whether addresses are minutes, seconds and frames. The first track is at 00:02:00 then, or
// behind it; as a number, that would be sector 512.
func areTimes(all [][]byte) bool {
	for _, e := range all {
		if e[4] != 0 || e[6] >= 60 || e[7] >= addr.FramesPerSecond || binary.BigEndian.Uint32(e[4:]) < 512 {
			return false
		}
	}
	return true
}

// Points of a full table of contents (MMC-6 table 487).
const (
	pointFormat  = 0xA0
	pointLeadOut = 0xA2
	lastTrack    = 99
)

// parseFullTOC parses an answer of format 2: all sessions.
func parseFullTOC(b []byte) ([]disc.Session, error) {
	all, err := entries(b, fullEntry)
	if err != nil {
		return nil, err
	}
	var sessions []disc.Session
	for _, e := range all {
		n, adr, point := int(e[0]), e[1]>>4, int(e[3])
		if adr != 1 || point == 0 || point > lastTrack && point != pointFormat && point != pointLeadOut {
			continue
		}
		if n != len(sessions) || n == 0 { // sessions count from 1
			if n != len(sessions)+1 || n > lastTrack {
				return nil, errorf("in its full table of contents, session %d follows session %d", n, len(sessions))
			}
			sessions = append(sessions, disc.Session{Number: n})
		}
		s := &sessions[n-1]
		at := (addr.MSF{M: int(e[8]), S: int(e[9]), F: int(e[10])}).LBA()
		switch point {
		case pointFormat:
			s.Format = disc.SessionFormat(e[9])
		case pointLeadOut:
			s.LeadOut = at
		default:
			s.Tracks = append(s.Tracks, newTrack(point, e[1], at))
		}
	}
	for i := range sessions {
		slices.SortFunc(sessions[i].Tracks, func(a, b disc.Track) int { return a.Number - b.Number })
	}
	if len(sessions) == 0 {
		return nil, errorf("its full table of contents has no session")
	}
	return sessions, nil
}

// inSessions divides the tracks of a plain table of contents, which drives state more rarely wrong than the
// full one, into the sessions of that.
func inSessions(plain []disc.Session, full []byte) ([]disc.Session, error) {
	all, err := parseFullTOC(full)
	if err != nil {
		return nil, err
	}
	if len(all) == 1 {
		plain[0].Format = all[0].Format
		return plain, nil
	}
	var a, b []disc.Track
	for i := range all {
		b = append(b, all[i].Tracks...)
	}
	a = append(a, plain[0].Tracks...)
	if !slices.EqualFunc(a, b, func(a, b disc.Track) bool { return a.Number == b.Number && a.Start == b.Start }) {
		return nil, errorf("its two tables of contents (.toc, .fulltoc) state different tracks")
	}
	return all, nil
}
