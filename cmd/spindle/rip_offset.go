package main

import (
	"context"

	"spindle/album"
	"spindle/disc/accuraterip"
	"spindle/disc/discid"
	"spindle/drive/known"
)

// An offsetSeen is what the songs of a disc say of the read offset of the drive.
type offsetSeen struct {
	Samples int  `json:"samples"`
	Away    int  `json:"away"`            // of what was ripped
	Discs   int  `json:"discs"`           // that say the same
	Known   *int `json:"known,omitempty"` // what is decided, and remembered of the drive
}

func (o *offsetSeen) text(p *page) {
	switch {
	case o == nil || o.Away == 0:
	case o.Known != nil && *o.Known == o.Samples:
		p.text("AccurateRip knows these songs %s away, and so it is with other discs: the read offset of this drive is %+d samples. "+
			"This is remembered; --offset known corrects for it.", plural(max(o.Away, -o.Away), "sample"), o.Samples)
	default:
		p.text("AccurateRip knows these songs %s away: the disc is of another pressing, or the read offset of this drive is %+d samples. Three discs "+
			"that agree decide (so far %d).", plural(max(o.Away, -o.Away), "sample"), o.Samples, o.Discs)
	}
}

// learnOffset remembers what AccurateRip says of the read offset of the drive: where most songs are
// so many samples away from what other drives gave, or just that. What was read is shifted to where another drive put it.
func (s *ripSession) learnOffset(ctx context.Context, a *app, x *album.Album, made *album.Created, shift int) *offsetSeen {
	name := a.drive()
	away, proven, ok := awayFrom(made)
	lib := a.library()
	if !ok || lib == nil || a.trace != "" || isReplay(name) {
		return nil
	}
	ids, err := discid.Of(x.Layout)
	if err != nil {
		return nil
	}
	id, err := identify(ctx, s.dev, name)
	if err != nil {
		return nil
	}
	seen := &offsetSeen{Samples: s.o.Offset + shift + away, Away: away}
	f, discs, err := lib.Saw(id, known.Sighting{Disc: ids.AccurateRip.String(), Samples: seen.Samples, Proven: proven})
	if err != nil {
		a.note("what the songs say of the drive's read offset was not remembered: " + fileWords(err))
		return nil
	}
	seen.Discs = discs
	if f.From != known.Unknown {
		seen.Known = &f.Value
	}
	return seen
}

// awayFrom returns how many samples the songs lie from what other drives gave: at least two of
// them, more than anywhere else. They are proven where they are just that, by checksums that
// see every sample.
func awayFrom(made *album.Created) (away int, proven, ok bool) {
	const least = 2 // songs, and people
	found := map[int]int{}
	exact := 0
	for i := range made.Songs {
		switch r := &made.Songs[i].Proof.AccurateRip; {
		case r.Confidence() < least:
		case r.Outcome == accuraterip.OtherPressing:
			found[r.Offset]++
		case r.Outcome == accuraterip.Accurate:
			found[0]++
			if r.V2 >= least {
				exact++
			}
		}
	}
	best, tie := 0, false
	for n, songs := range found {
		switch {
		case songs > best:
			away, best, tie = n, songs, false
		case songs == best:
			tie = true
		}
	}
	return away, away == 0 && exact >= least, best >= least && !tie
}
