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

// words says what AccurateRip states of a track: it is called accurately ripped where that is proof.
func (t *ripTrack) words() string {
	r := &t.proof.AccurateRip
	switch r.Outcome {
	case accuraterip.Accurate, accuraterip.OtherPressing:
		return verdict(t.proof.ByAccurateRip(), strings.Join(versions(r), "; "))
	case accuraterip.Silent:
		return silentWords
	case accuraterip.Absent:
		return "not in the database"
	}
	here := fmt.Sprintf("v1 %s, v2 %s here", t.V1, t.V2)
	if r.Silent {
		here = "silent here"
	}
	return fmt.Sprintf("no match: %s, %s in the database (confidence of all: %d)", here, t.Stated, t.Total)
}

// verdict words that others have the same, and whether that is proof.
func verdict(proven bool, who string) string {
	if proven {
		return "accurately ripped (" + who + ")"
	}
	return "matches (" + who + ")"
}

// versionOne reports whether the track agrees by version 1 only, as that of another pressing does.
func (t *ripTrack) versionOne() bool {
	r := &t.proof.AccurateRip
	return r.V1 > 0 && r.V2 < leastProof
}

// words says what CTDB states of a track.
func (t *ctdbTrack) words() string {
	switch x := t.proof; {
	case onlySilence(x):
		return silentWords
	case x.CTDB > 0:
		return verdict(x.ByCTDB(), confidence(x.CTDB, x.CTDBTotal))
	case x.CTDBMoved > 0:
		return verdict(x.ByCTDB(), confidenceAt(x.Offset, x.CTDBMoved, x.CTDBTotal))
	}
	return "no match"
}

func (c *ctdbVerdict) report(p *page) {
	p.line("CTDB (%s):", filepath.Base(c.File))
	switch {
	case c.Entries == 0:
		p.line("  disc not in the database")
	case c.Same && c.silent:
		p.line("  the whole disc: %s", silentWords)
	case c.Same:
		p.line("  the whole disc: %s", verdict(c.proven, confidenceAt(c.Offset, c.Confidence, c.Total)))
	default:
		for _, t := range c.Tracks {
			p.line("  track %d: %s", t.Track, t.words())
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
	for i := range r.proofs {
		switch p := &r.proofs[i]; {
		case onlySilence(&p.Proof):
			continue
		case !p.proven():
			open = append(open, strconv.Itoa(p.track))
		}
		compared++
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
		return !onlySilence(t.proof) && !t.versionOne()
	})
}
