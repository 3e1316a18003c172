package main

import (
	"strings"
	"testing"

	"spindle/burn"
	"spindle/image/format"
)

// Every reason has its words.
func TestCannotHold(t *testing.T) {
	for r := format.OnlyCDs; r.String() != ""; r++ {
		if cannotHold[r] == "" {
			t.Errorf("no words for %q", r)
		}
	}
	for k := format.LaterSessions; k.String() != ""; k++ {
		m := explain(&format.LossError{Suffix: ".iso", Losses: []format.Loss{{Kind: k, Count: 2}}})
		if lossWords(format.Loss{Kind: k, Count: 2}) == k.String() || !strings.Contains(m.next, "--lossy") || m.status != exitUsage {
			t.Errorf("no words for the loss of %q: %+v", k, m)
		}
	}
	all := []format.Loss{{Kind: format.AllCDText}, {Kind: format.ISRCs}, {Kind: format.AudioTracks, Count: 1}}
	if m := explain(&format.LossError{Suffix: ".mds", Losses: all}); !strings.HasSuffix(m.what, "it would lose the CD-TEXT, the ISRCs, and a track of audio") ||
		!strings.Contains(m.next, "--track") {
		t.Error(m)
	}
	text := explain(&format.CannotHoldError{Suffix: ".wav", Reason: format.OneSong, Count: 3}).what
	if !strings.Contains(text, "a .wav file cannot hold this image: it has 3 tracks of audio; choose one with --track") {
		t.Error(text)
	}
}

// Of what does not fit, the smallest kind of disc is named that takes it, and is larger than that in the drive.
func TestFitAdvice(t *testing.T) {
	for _, test := range []struct {
		need, free int
		want       string
	}{
		{400000, 359849, "DVD (4.7 GB)"},
		{2295105, 2295104, "DVD DL"},
		{5000000, 2295104, "BD (25 GB)"},
		{12000000, 11826176, "BD DL"}, // a BD with spare areas
		{400000, 16, "DVD (4.7 GB)"},  // a disc that is nearly full
		{70000000, 12219392, "no larger disc"},
	} {
		if got := fitAdvice(&burn.FitError{Need: test.need, Free: test.free}); !strings.Contains(got, test.want) {
			t.Errorf("%d on %d: %s", test.need, test.free, got)
		}
	}
}
