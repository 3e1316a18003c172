package main

import (
	"strings"
	"testing"

	"spindle/album"
	"spindle/image/riplog"
	"spindle/rip"
)

// What a song is called that is not right, or not proven yet, or voted on.
func TestProofWords(t *testing.T) {
	song := album.Made{}
	song.First, song.End = 100, 200
	damaged := song
	damaged.Flawed = 50
	for _, test := range []struct {
		song  album.Made
		res   rip.Result
		proof proof
		words string
	}{
		{song, rip.Result{ReadTwice: true}, riplog.TwoReads, "two equal reads"},
		{song, rip.Result{ReadTwice: true, Votes: []rip.Vote{{At: 99, Samples: 9, Agree: 1, Of: 2}, {At: 150, Samples: 10, Agree: 9, Of: 11},
			{At: 151, Samples: 2, Agree: 10, Of: 11}}}, riplog.Votes, "two equal reads; 12 samples voted, at least 9 of 11 readings agree"},
		{song, rip.Result{ReadTwice: true, Votes: []rip.Vote{{At: 150, Samples: 3, Agree: 1, Of: 2}}}, riplog.Votes,
			"two equal reads; 3 samples voted, for some no two of 2 readings agree"},
		{damaged, rip.Result{ReadTwice: true}, riplog.NotRight, "50 sectors not right"},
		{damaged, rip.Result{ReadTwice: true, Bad: []rip.BadRange{{First: 150, Last: 199, Reason: rip.NotCompared}, {First: 20, Last: 20, Reason: rip.Flawed}}},
			riplog.Unproven, "50 sectors read once, not compared"},
		{damaged, rip.Result{ReadTwice: true, Bad: []rip.BadRange{{First: 150, Last: 199, Reason: rip.Flawed}}}, riplog.NotRight, "50 sectors not right"},
	} {
		if p, words := proofOf(&test.song, &test.res); p != test.proof || words != test.words {
			t.Errorf("%s, %q; want %q", p, words, test.words)
		}
	}
}

// Nothing is said of other songs where there are none.
func TestSummaryOfVotes(t *testing.T) {
	for n, want := range map[int]bool{1: false, 2: true} {
		r := &albumResult{Songs: make([]albumSong, n), proofs: map[proof]int{riplog.Votes: 1, riplog.TwoReads: n - 1}}
		if got := r.summary(); strings.Contains(got, "others") != want {
			t.Errorf("%d songs: %s", n, got)
		}
	}
}
