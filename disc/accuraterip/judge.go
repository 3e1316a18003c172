package accuraterip

import (
	"cmp"
	"maps"
	"slices"
)

// An Outcome is what the database says about a track.
type Outcome uint8

// The outcomes.
const (
	Absent        Outcome = iota // the database has no checksum of the track
	Silent                       // so is the track, and nothing else is in the database: its checksum is 0, which cannot be told from none
	NoMatch                      // other people's tracks are different, or of another pressing
	OtherPressing                // the track is that of another pressing, some samples away
	Accurate                     // the track is what other people's drives gave
)

// A Result is how a track came out. The confidence is that of all entries that agree
// taken together, V1 + V2, as CUETools counts; Total is that of all entries of the track.
type Result struct {
	Outcome Outcome
	Silent  bool // the track is silent, which other people's need not be
	V1, V2  int  // confidence of the entries that agree, by the version of their checksum
	Total   int
	Offset  int    // in samples, of OtherPressing: this track has its samples so many later
	Stated  uint32 // the checksum with the highest confidence, of NoMatch
}

// Confidence returns how many submissions agree.
func (r *Result) Confidence() int { return r.V1 + r.V2 }

// Judge compares the tracks, all of which were written, with a response. The track at
// index i has place slots[i] in the table of contents; a disc that begins with a data
// track has that at place 0, and no entry for its last track.
func (m *Meter) Judge(r Response, slots []int) []Result {
	sums := m.Sums()
	results := make([]Result, len(sums))
	var open []int // tracks that may be of another pressing
	for i, s := range sums {
		results[i] = judge(s, r.Track(slots[i]))
		if results[i].Outcome == NoMatch {
			open = append(open, i)
		}
	}
	offsets := m.pressings(r, slots)
	for _, i := range open {
		for _, o := range offsets {
			if n := agreeing(o.tracks[i]); n > 0 {
				results[i].Outcome, results[i].V1, results[i].Offset = OtherPressing, n, o.offset
				break
			}
		}
	}
	return results
}

// judge compares a track as it is.
func judge(s Sums, entries []Entry) Result {
	r := Result{Silent: s.Silent}
	best := 0
	for _, e := range entries {
		r.Total += e.Confidence
		switch e.Sum {
		case s.V1:
			r.V1 += e.Confidence
		case s.V2:
			r.V2 += e.Confidence
		}
		if e.Confidence > best {
			best, r.Stated = e.Confidence, e.Sum
		}
	}
	switch {
	case len(entries) == 0 && s.Silent:
		r.Outcome = Silent
	case len(entries) == 0:
	case r.Confidence() > 0:
		r.Outcome, r.Stated = Accurate, 0
	default:
		r.Outcome = NoMatch
	}
	return r
}

// A pressing is an offset at which tracks match.
type pressing struct {
	offset int
	tracks map[int][]Entry // those that match at it
	strong bool            // a track matches in frame 450, too
}

func agreeing(entries []Entry) (n int) {
	for _, e := range entries {
		n += e.Confidence
	}
	return n
}

// pressings returns the offsets at which the disc matches, those with most tracks first. One
// checksum among the thousands that are tried matches by chance now and then: two tracks, or the track and its
// frame 450, have to agree.
func (m *Meter) pressings(r Response, slots []int) []pressing {
	found := make(map[int]*pressing)
	for i := range m.tracks {
		m.hits(i, r.Track(slots[i]), found)
	}
	var all []pressing
	for _, o := range slices.Sorted(maps.Keys(found)) {
		if p := found[o]; len(p.tracks) > 1 || p.strong {
			all = append(all, *p)
		}
	}
	slices.SortStableFunc(all, func(a, b pressing) int {
		return cmp.Or(len(b.tracks)-len(a.tracks), a.offset*a.offset-b.offset*b.offset)
	})
	return all
}

// hits notes the offsets but 0 at which a track matches.
func (m *Meter) hits(i int, entries []Entry, found map[int]*pressing) {
	bySum := make(map[uint32][]Entry)
	for _, e := range entries {
		bySum[e.Sum] = append(bySum[e.Sum], e)
	}
	if len(bySum) == 0 {
		return
	}
	t := &m.tracks[i]
	keys := make(map[int]uint32)
	for o, v1 := range t.v1() {
		matching := bySum[v1]
		if len(matching) == 0 || o == 0 {
			continue
		}
		if len(keys) == 0 {
			keys = maps.Collect(t.keyFrames())
		}
		p := found[o]
		if p == nil {
			p = &pressing{offset: o, tracks: make(map[int][]Entry)}
			found[o] = p
		}
		p.tracks[i] = matching
		for _, e := range matching {
			p.strong = p.strong || e.Frame450 != 0 && e.Frame450 == keys[o]
		}
	}
}
