package drive

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi/mmc"
)

// hashLayout identifies a disc by what its TOC says: sessions, starts, lead-outs
// and control bits. What is found otherwise (pregaps, modes) does not count.
func hashLayout(l *disc.Layout) string {
	h := sha1.New()
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for j := range s.Tracks {
			t := &s.Tracks[j]
			fmt.Fprintf(h, "%d %d %d %d\n", s.Number, t.Number, t.Start, t.Control)
		}
		fmt.Fprintf(h, "end %d\n", s.LeadOut)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// surveyCD makes the layout of a CD from its TOC.
func (c *Contents) surveyCD(ctx context.Context, dev *mmc.Drive) error {
	toc, err := dev.TOC(ctx)
	if err != nil {
		return err
	}
	sessions, err := sessionsFromFullTOC(ctx, dev, toc)
	if err != nil {
		if sessions, err = sessionsFromTOC(ctx, dev, toc); err != nil {
			return err
		}
	}
	clampStart(sessions)
	c.Layout = &disc.Layout{Medium: disc.CD, Sessions: sessions}
	if err := closeTracks(c.Layout); err != nil {
		return err
	}
	c.ID = hashLayout(c.Layout)
	if b, err := dev.CDText(ctx); err == nil {
		c.CDText = b
	}
	return ctx.Err()
}

// Addresses before the beginning of the program area stand in a table of contents as times
// from 90 minutes on (MMC-6 4.2.5): so many sectors too high.
const (
	wrapsFrom = 90*60*75 - addr.Pregap
	wrapsBy   = 100 * 60 * 75
)

// clampStart lets a first track that begins before the disc begin at its beginning: some
// tables of contents say so, and what lies there cannot be read.
func clampStart(sessions []disc.Session) {
	if t := &sessions[0].Tracks[0]; t.Start < -addr.Pregap || t.Start >= wrapsFrom && t.Start-wrapsBy < -addr.Pregap {
		t.Start = 0
	}
}

// sessionsFromFullTOC reads all lead-ins. The lead-out must agree with that of
// the plain TOC, read as binary or, for some old drives, as BCD.
func sessionsFromFullTOC(ctx context.Context, dev *mmc.Drive, toc mmc.TOC) ([]disc.Session, error) {
	entries, err := dev.FullTOC(ctx)
	if err != nil {
		return nil, err
	}
	leadOut, ok := tocLeadOut(toc)
	if !ok {
		return nil, fmt.Errorf("%w: there is no lead-out in it", ErrTOC)
	}
	sessions, err := parseFullTOC(entries)
	if err == nil && len(sessions) > 0 && sessions[len(sessions)-1].LeadOut == leadOut {
		return sessions, nil
	}
	for i := range entries {
		fromBCD(&entries[i])
	}
	if bcd, berr := parseFullTOC(entries); berr == nil && len(bcd) > 0 && bcd[len(bcd)-1].LeadOut == leadOut {
		return bcd, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: its two forms disagree about the lead-out", ErrTOC)
}

func fromBCD(e *mmc.FullTOCEntry) {
	if e.Point <= 0x99 {
		e.Point = e.Point>>4*10 + e.Point&15
	}
	for _, n := range []*int{&e.PMSF.M, &e.PMSF.S, &e.PMSF.F} {
		*n = *n>>4*10 + *n&15
	}
}

func tocLeadOut(toc mmc.TOC) (disc.LBA, bool) {
	for _, e := range toc.Entries {
		if e.Track == mmc.LeadOutTrack {
			return e.LBA, true
		}
	}
	return 0, false
}

// Points of a lead-in (ECMA-130 22.3.4.2).
const (
	pointFirst   = 0xA0
	pointLeadOut = 0xA2
	adrPosition  = 1
)

func parseFullTOC(entries []mmc.FullTOCEntry) ([]disc.Session, error) {
	byNumber := make(map[int]*disc.Session)
	var order []int
	for i := range entries {
		e := &entries[i]
		if e.ADR != adrPosition || e.TNO != 0 {
			continue
		}
		s := byNumber[e.Session]
		if s == nil {
			s = &disc.Session{Number: e.Session, LeadOut: -1}
			byNumber[e.Session] = s
			order = append(order, e.Session)
		}
		switch {
		case e.Point == pointFirst:
			s.Format = disc.SessionFormat(e.PMSF.S)
		case e.Point == pointLeadOut:
			s.LeadOut = e.LBA()
		case e.Point >= 1 && e.Point <= 99:
			if !slices.ContainsFunc(s.Tracks, func(t disc.Track) bool { return t.Number == int(e.Point) }) {
				s.Tracks = append(s.Tracks, newTrack(int(e.Point), e.Control, e.LBA()))
			}
		}
	}
	slices.Sort(order)
	var sessions []disc.Session
	for _, n := range order {
		s := byNumber[n]
		if len(s.Tracks) == 0 || s.LeadOut < 0 {
			return nil, fmt.Errorf("%w: session %d lacks its tracks or its lead-out", ErrTOC, n)
		}
		slices.SortFunc(s.Tracks, func(a, b disc.Track) int { return cmp.Compare(a.Number, b.Number) })
		sessions = append(sessions, *s)
	}
	return sessions, nil
}

func newTrack(number int, control mmc.Control, start disc.LBA) disc.Track {
	t := disc.Track{Number: number, Control: disc.Control(control), Start: start}
	if t.Control&disc.DataTrack != 0 {
		t.Mode = disc.Mode1 // whichever it is
	}
	return t
}

// sessionsFromTOC is for drives without a full TOC: format 0 knows no sessions,
// and format 1 only the last.
func sessionsFromTOC(ctx context.Context, dev *mmc.Drive, toc mmc.TOC) ([]disc.Session, error) {
	leadOut, ok := tocLeadOut(toc)
	if !ok {
		return nil, fmt.Errorf("%w: there is no lead-out in it", ErrTOC)
	}
	sessions := []disc.Session{{Number: 1, LeadOut: leadOut}}
	lastFirst := 0
	if info, err := dev.SessionInfo(ctx); err == nil && info.Last > info.First {
		lastFirst = info.FirstTrack
	}
	for _, e := range toc.Entries {
		if e.Track == mmc.LeadOutTrack {
			continue
		}
		if e.Track == lastFirst && len(sessions[0].Tracks) > 0 {
			sessions[0].LeadOut = e.LBA - disc.LBA(addr.SessionGap(1))
			sessions = append(sessions, disc.Session{Number: 2, LeadOut: leadOut})
		}
		s := &sessions[len(sessions)-1]
		s.Tracks = append(s.Tracks, newTrack(e.Track, e.Control, e.LBA))
	}
	if len(sessions[0].Tracks) == 0 {
		return nil, fmt.Errorf("%w: there is no track in it", ErrTOC)
	}
	if len(sessions) == 1 {
		return asExtra(ctx, dev, sessions[0])
	}
	return sessions, nil
}

// asExtra takes data behind audio for a session of its own, which a CD-Extra has, where the
// drive does not say: between the two lies the gap of sessions, which cannot be read. Where
// any of it can, where the data come first, and where the audio would not be longer than
// that gap, it is one session.
func asExtra(ctx context.Context, dev *mmc.Drive, s disc.Session) ([]disc.Session, error) {
	k := len(s.Tracks) - 1
	gap := disc.LBA(addr.SessionGap(1))
	if k < 1 || !s.Tracks[k].Mode.IsData() || s.Tracks[k].Start-s.Tracks[k-1].Start <= gap ||
		slices.ContainsFunc(s.Tracks[:k], func(t disc.Track) bool { return t.Mode.IsData() }) {
		return []disc.Session{s}, nil
	}
	if heard, err := anyAudio(ctx, dev, s.Tracks[k].Start-gap, int(gap)-addr.Pregap); heard || err != nil {
		return []disc.Session{s}, err
	}
	second := disc.Session{Number: 2, LeadOut: s.LeadOut, Tracks: slices.Clone(s.Tracks[k:])}
	s.Tracks, s.LeadOut = s.Tracks[:k], s.Tracks[k].Start-gap
	return []disc.Session{s, second}, nil
}

// anyAudio reports whether any of some sectors spread over n reads as audio.
func anyAudio(ctx context.Context, dev *mmc.Drive, from disc.LBA, n int) (bool, error) {
	const tries = 8
	var sector [cdsector.Size]byte
	for i := range tries {
		at := from + disc.LBA(n*(2*i+1)/(2*tries))
		_, err := dev.ReadCD(ctx, sector[:], mmc.CDReadRequest{LBA: at, Count: 1, Expect: mmc.CDDASector, Fields: mmc.RawSector})
		if err == nil {
			return true, nil
		}
		if !Classify(err).OneCommand() {
			return false, err
		}
	}
	return false, ctx.Err()
}

// closeTracks gives each track its end, and what lies between LBA 0 and the first
// track to that track's pregap, then checks that the whole is possible.
func closeTracks(l *disc.Layout) error {
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for j := range s.Tracks {
			t := &s.Tracks[j]
			t.End = s.LeadOut
			if j+1 < len(s.Tracks) {
				t.End = s.Tracks[j+1].Start
			}
			if t.End <= t.Start {
				return fmt.Errorf("%w: track %d starts at sector %d, and what follows it at %d",
					ErrTOC, t.Number, t.Start, t.End)
			}
		}
	}
	if first := &l.Sessions[0].Tracks[0]; first.Start > 0 {
		first.Pregap = int(first.Start)
	}
	if err := l.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrTOC, err)
	}
	return nil
}
