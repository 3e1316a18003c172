package main

import (
	"strings"
	"testing"

	"spindle/disc"
	"spindle/merge"
)

// TestMapCells shows a map on a terminal.
func TestMapCells(t *testing.T) {
	l := &disc.Layout{Sessions: []disc.Session{
		{Number: 1, LeadOut: 2000, Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, End: 2000}}},
		{Number: 2, LeadOut: 15000, Tracks: []disc.Track{{Number: 2, Mode: disc.Mode1, Start: 13400, End: 15000}}},
	}}
	flaws := disc.Flaws{{First: 100, Count: 30, Kind: disc.Unread}, {First: 1000, Count: 40, Kind: disc.ReadWithErrors}}
	origin := &merge.Provenance{Copies: []merge.Copy{{Name: "a"}}, Runs: []merge.Run{
		{First: 200, Count: 10, Copy: -1, Other: -1, Proof: merge.Voted}, {First: 1010, Count: 10, Copy: -1, Other: -1, Proof: merge.Contradicted},
	}}
	m := newDiscMap(l, flaws, origin)
	var b strings.Builder
	m.text(&page{w: &b, terminal: true, width: 60})
	want := `       0  .....##...rr......................................
     950  ..eee.............................................
    1900  ......                                            
`
	const end = `   14250  ........................................
Each cell is 19 sectors: . no damage known (3520), r
repaired (10), c contradicted (10), e read with errors (30),
# unread (30).
`
	if got := b.String(); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, end) || strings.Count(got, "\n") != 19 {
		t.Errorf("%s", got)
	}
	var plain strings.Builder
	m.text(&page{w: &plain})
	const ranges = `sectors 0 to 99 (100): no damage known
sectors 100 to 129 (30): unread
sectors 130 to 199 (70): no damage known
sectors 200 to 209 (10): repaired
sectors 210 to 999 (790): no damage known
sectors 1000 to 1009 (10): read with errors
sectors 1010 to 1019 (10): contradicted
sectors 1020 to 1039 (20): read with errors
sectors 1040 to 1999 (960): no damage known
sectors 13400 to 14999 (1600): no damage known
`
	if plain.String() != ranges {
		t.Errorf("%s", plain.String())
	}
}
