package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spindle/disc/accuraterip"
)

// reportAudio says what databases of CDs state of the tracks.
func (r *verifyResult) reportAudio(p *page) {
	if a := r.AccurateRip; a != nil && a.Tracks != nil {
		p.line("AccurateRip (%s):", filepath.Base(a.File))
		for _, t := range a.Tracks {
			p.line("  track %d: %s", t.Track, t.words())
		}
		if ends := r.unprovenEnds(); ends != "" {
			p.line("  %s: in no checksum", ends)
		}
	}
	if c := r.CTDB; c != nil && c.Tracks != nil {
		c.report(p)
	}
}

// unprovenEnds names the sectors at the ends of proven tracks that AccurateRip leaves out.
func (r *verifyResult) unprovenEnds() string {
	all := r.AccurateRip.Tracks
	var ends []string
	if r.proven(all[0].Track) {
		ends = append(ends, fmt.Sprintf("first %d sectors of track %d", accuraterip.Outside, all[0].Track))
	}
	if last := all[len(all)-1].Track; r.proven(last) {
		ends = append(ends, fmt.Sprintf("last %d sectors of track %d", accuraterip.Outside, last))
	}
	return strings.Join(ends, ", ")
}

// confidence says how many people agree.
func confidence(n, of int) string {
	text := fmt.Sprintf("confidence %d of %d", n, of)
	if n < proof2 {
		text += ", which may be your own"
	}
	return text
}

// away says how far another pressing is away.
func away(offset int) string {
	switch {
	case offset > 0:
		return fmt.Sprintf("with offset +%d", offset)
	case offset < 0:
		return fmt.Sprintf("with offset %d", offset)
	}
	return ""
}

// versionOne reports whether the track agrees by version 1 only, as that of another pressing does.
func (t *ripTrack) versionOne() bool { return t.Confidence2 < proof2 && t.Confidence > t.Confidence2 }

func (t *ripTrack) words() string {
	switch t.Result {
	case outcomes[accuraterip.Accurate]:
		text := "accurately ripped"
		if t.versionOne() {
			text += ", by version 1"
		}
		return fmt.Sprintf("%s (%s)", text, confidence(t.Confidence, t.Total))
	case outcomes[accuraterip.OtherPressing]:
		return fmt.Sprintf("accurately ripped, by version 1 %s (%s)", away(t.Offset), confidence(t.Confidence, t.Total))
	case outcomes[accuraterip.Silent]:
		return "silent: nothing to compare"
	case outcomes[accuraterip.Absent]:
		return "not in the database"
	}
	return fmt.Sprintf("no match: v1 %s, v2 %s here, %s in the database (confidence of all: %d)", t.V1, t.V2, t.Stated, t.Total)
}

func (c *ctdbVerdict) report(p *page) {
	p.line("CTDB (%s):", filepath.Base(c.File))
	switch {
	case c.Entries == 0:
		p.line("  disc not in the database")
	case c.Same:
		text := "the whole disc: accurately ripped"
		if c.Offset != 0 {
			text += ", " + away(c.Offset)
		}
		p.line("  %s (%s)", text, confidence(c.Confidence, c.Total))
	default:
		for _, t := range c.Tracks {
			if t.Confidence > 0 {
				p.line("  track %d: accurately ripped (%s)", t.Track, confidence(t.Confidence, c.Total))
				continue
			}
			p.line("  track %d: no match", t.Track)
		}
	}
	if c.Wrong > 0 {
		p.line("  %s wrong, which its parity can repair", p.red(plural(c.Wrong, "word")+" of 16 bits"))
	}
	if c.Beyond != "" {
		p.line("  parity does not repair it: %s", c.Beyond)
	}
	if c.Repaired {
		p.line("  in the copy they are repaired; it was read again, and is the same")
	}
}

// openTracks returns the tracks that were compared and that no database proves. Silence is not among them.
func (r *verifyResult) openTracks() (open []string, compared int) {
	add := func(track int) {
		compared++
		if !r.proven(track) {
			open = append(open, strconv.Itoa(track))
		}
	}
	switch {
	case r.AccurateRip != nil:
		for _, t := range r.AccurateRip.Tracks {
			if t.Result != outcomes[accuraterip.Silent] {
				add(t.Track)
			}
		}
	case r.CTDB != nil:
		for _, t := range r.CTDB.Tracks {
			add(t.Track)
		}
	}
	return open, compared
}

// unprovenText is a sentence about the tracks that no database proves, or empty.
func (r *verifyResult) unprovenText() string {
	switch open, compared := r.openTracks(); {
	case len(open) == 0:
		return ""
	case len(open) == compared:
		if r.onlyVersionOne() {
			return "No database proves the audio: version 1 of AccurateRip, which leaves some bits out, is all that agrees."
		}
		return "No database proves the audio: the disc may be of another pressing, or not right."
	case len(open) == 1:
		return "No database proves track " + open[0] + ": it may be of another pressing, or not right."
	default:
		return "No database proves tracks " + strings.Join(open, ", ") + ": they may be of another pressing, or not right."
	}
}

// onlyVersionOne reports whether all tracks that AccurateRip compares agree, but by version 1.
func (r *verifyResult) onlyVersionOne() bool {
	return r.AccurateRip != nil && !slices.ContainsFunc(r.AccurateRip.Tracks, func(t ripTrack) bool {
		return t.Result != outcomes[accuraterip.Silent] && !t.versionOne()
	})
}
