package main

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"spindle/album"
	"spindle/disc"
	"spindle/drive"
	"spindle/image/riplog"
	"spindle/rip"
)

// What was written down of a reading comes back, for the same disc and offset only; and what
// a database proved then is not called read twice.
func TestFactsOfReading(t *testing.T) {
	l := &disc.Layout{Sessions: []disc.Session{{LeadOut: 900, Tracks: []disc.Track{
		{Number: 1, End: 400}, {Number: 2, Start: 400, End: 900},
	}}}}
	path := filepath.Join(t.TempDir(), rawFolder, "read.json")
	o := &ripFlags{}
	o.Offset = 6
	res := &rip.Result{ReadTwice: true, Pointed: true, Elapsed: 3 * time.Second, Proven: []drive.Stretch{{First: 400, End: 895}}}
	if got, err := readFacts(path, l, o); got != nil || err != nil {
		t.Fatalf("of nothing: %v, %v", got, err)
	}
	if err := writeFacts(path, l, o, res); err != nil {
		t.Fatal(err)
	}
	got, err := readFacts(path, l, o)
	if err != nil || !got.ReadTwice || !got.Pointed || got.Elapsed != res.Elapsed || len(got.Proven) != 1 || got.Proven[0] != res.Proven[0] {
		t.Fatalf("%+v, %v", got, err)
	}
	for n, want := range map[int]proof{1: riplog.TwoReads, 2: riplog.Unproven} {
		tr := l.Tracks()[n-1]
		if p, words := proofOf(&album.Made{Number: n, First: tr.Start, End: tr.End}, got); p != want {
			t.Errorf("song %d: %s, %q", n, p, words)
		}
	}
	other := l.Clone()
	other.Sessions[0].Tracks[1].Start = 401
	other.Sessions[0].Tracks[0].End = 401
	if _, err := readFacts(path, other, o); !errors.Is(err, rip.ErrOtherDisc) {
		t.Error(err)
	}
	o.Offset = 12
	if _, err := readFacts(path, l, o); err == nil {
		t.Error("another offset is taken for the same")
	}
}
