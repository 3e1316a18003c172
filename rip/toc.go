package rip

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
	"spindle/drive"
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

// surveyCD makes the layout of a CD from its TOC, then looks at the sectors.
func (d *Disc) surveyCD(ctx context.Context, dev *mmc.Drive, opts SurveyOptions) error {
	toc, err := dev.TOC(ctx)
	if err != nil {
		if d.Info != nil && drive.Classify(err).OneCommand() && d.Info.Status != mmc.DiscComplete {
			d.note("The session on this disc was never closed, so its contents cannot be read.")
			return nil
		}
		return err
	}
	sessions, err := d.sessionsFromFullTOC(ctx, dev, toc)
	if err != nil {
		if sessions, err = sessionsFromTOC(ctx, dev, toc); err != nil {
			return err
		}
	}
	d.Layout = &disc.Layout{Medium: disc.CD, Sessions: sessions}
	if err := closeTracks(d.Layout); err != nil {
		return err
	}
	d.TOC = hashLayout(d.Layout)
	d.source = newSource(ctx, dev, d)
	for _, t := range d.Layout.Tracks() {
		if _, ok := d.source.(*cdSource); !ok {
			break // such a drive does not show how sectors are coded
		}
		if err := d.findMode(ctx, dev, t); err != nil {
			return err
		}
	}
	d.readCDText(ctx, dev)
	if opts.Indexes {
		if err := d.scanQ(ctx, dev); err != nil {
			return err
		}
	}
	if d.Layout.MCN == "" {
		if mcn, err := dev.MCN(ctx); err == nil && cdsector.ValidMCN(mcn) && mcn != "0000000000000" {
			d.Layout.MCN = mcn
		}
	}
	if err := d.Layout.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrTOC, err)
	}
	return ctx.Err()
}

// sessionsFromFullTOC reads all lead-ins. The lead-out must agree with that of
// the plain TOC, read as binary or, for some old drives, as BCD.
func (d *Disc) sessionsFromFullTOC(ctx context.Context, dev *mmc.Drive, toc mmc.TOC) ([]disc.Session, error) {
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
	for i, b := range e.PMin {
		e.PMin[i] = b>>4*10 + b&15
	}
}

func tocLeadOut(toc mmc.TOC) (disc.LBA, bool) {
	for _, e := range toc.Entries {
		if e.Track == mmc.LeadOutTrack {
			return disc.LBA(e.LBA), true
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
			s.Format = disc.SessionFormat(e.PMin[1])
		case e.Point == pointLeadOut:
			s.LeadOut = disc.LBA(e.LBA())
		case e.Point >= 1 && e.Point <= 99:
			if !slices.ContainsFunc(s.Tracks, func(t disc.Track) bool { return t.Number == int(e.Point) }) {
				s.Tracks = append(s.Tracks, newTrack(int(e.Point), e.Control, disc.LBA(e.LBA())))
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

func newTrack(number int, control uint8, start disc.LBA) disc.Track {
	t := disc.Track{Number: number, Control: disc.Control(control), Start: start}
	if t.Control&disc.DataTrack != 0 {
		t.Mode = disc.Mode1 // findMode looks closer
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
			sessions[0].LeadOut = disc.LBA(e.LBA) - disc.LBA(addr.SessionGap(1))
			sessions = append(sessions, disc.Session{Number: 2, LeadOut: leadOut})
		}
		s := &sessions[len(sessions)-1]
		s.Tracks = append(s.Tracks, newTrack(e.Track, e.Control, disc.LBA(e.LBA)))
	}
	if len(sessions[0].Tracks) == 0 {
		return nil, fmt.Errorf("%w: there is no track in it", ErrTOC)
	}
	return sessions, nil
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

// modeProbes is how many sectors at the start of a track are tried to find out
// its mode.
const modeProbes = 8

// findMode looks at the first sectors of a track: the TOC only says data or
// audio, and not always the truth.
func (d *Disc) findMode(ctx context.Context, dev *mmc.Drive, t *disc.Track) error {
	n := min(modeProbes, int(t.End-t.Start))
	for i := range n {
		var s [cdsector.Size]byte
		at := t.Start + disc.LBA(i)
		err := d.source.readRaw(ctx, dev, s[:], at, mmc.AnySector)
		if err != nil {
			if !drive.Classify(err).OneCommand() {
				return err
			}
			continue
		}
		kind := cdsector.Classify(&s)
		isData := kind != cdsector.Audio
		if isData != t.Mode.IsData() {
			if !isData && i+1 < n {
				continue // a damaged sync pattern, perhaps
			}
			d.note("The table of contents says that track %d is %s, but its sectors are %s.",
				t.Number, audioOrData(t.Mode.IsData()), audioOrData(isData))
		}
		switch kind {
		case cdsector.Audio:
			t.Mode = disc.Audio
		case cdsector.Mode0:
			t.Mode = disc.Mode0
		case cdsector.Mode1:
			t.Mode = disc.Mode1
		case cdsector.Mode2, cdsector.Form1, cdsector.Form2:
			t.Mode = disc.Mode2
		}
		return nil
	}
	if s := d.Layout.SessionOf(t.Number); t.Mode.IsData() && s.Format != disc.FormatCDROM {
		t.Mode = disc.Mode2
	}
	if t.Mode.IsData() {
		d.note("The first sectors of track %d cannot be read; it is taken for %s.", t.Number, t.Mode)
	}
	return nil
}

// splitByKind finds, without a sub-channel, where data end and audio begins
// between two tracks: what lies before the start of the later one is its pregap.
func (d *Disc) splitByKind(ctx context.Context, dev *mmc.Drive) error {
	if _, ok := d.source.(*cdSource); !ok {
		return nil
	}
	for i := range d.Layout.Sessions {
		tracks := d.Layout.Sessions[i].Tracks
		for j := 1; j < len(tracks); j++ {
			t, next := &tracks[j-1], &tracks[j]
			if t.Mode.IsData() == next.Mode.IsData() {
				continue
			}
			low, high := t.Start, next.Start // low is of the one kind, high of the other
			for high-low > 1 {
				mid := low + (high-low)/2
				data, err := d.holdsData(ctx, dev, mid, t.Mode.IsData())
				if err != nil {
					return err
				}
				if data == t.Mode.IsData() {
					low = mid
				} else {
					high = mid
				}
			}
			t.End, next.Pregap = high, int(next.Start-high)
		}
	}
	return nil
}

// holdsData reports whether a sector is one of data. Of one that cannot be read
// nothing is known: then the answer is what was expected.
func (d *Disc) holdsData(ctx context.Context, dev *mmc.Drive, at disc.LBA, expected bool) (bool, error) {
	var s [cdsector.Size]byte
	err := d.source.readRaw(ctx, dev, s[:], at, mmc.AnySector)
	if err == nil {
		return cdsector.HasSync(&s), nil
	}
	if !drive.Classify(err).OneCommand() {
		return false, err
	}
	return expected, nil
}

func audioOrData(data bool) string {
	if data {
		return "data"
	}
	return "audio"
}

func (d *Disc) readCDText(ctx context.Context, dev *mmc.Drive) {
	b, err := dev.CDText(ctx)
	if err != nil || len(b) < disc.PackSize {
		return
	}
	packs, bad, err := disc.ParsePacks(b)
	if err != nil {
		d.note("The disc has CD-TEXT that cannot be read: %v.", err)
		return
	}
	if bad > 0 {
		d.note("%d of %d packs of CD-TEXT are damaged and left out.", bad, bad+len(packs))
	}
	d.Layout.CDText = packs
}
