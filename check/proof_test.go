package check

import (
	"bytes"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/internal/testdisc"
)

// Data between audio tracks is silence, whether it is handed over or left out.
func TestProofLeavesDataOut(t *testing.T) {
	l := &disc.Layout{Sessions: []disc.Session{{Number: 1, LeadOut: 600, Tracks: []disc.Track{
		{Number: 1, End: 200}, {Number: 2, Mode: disc.Mode1, Start: 200, End: 400}, {Number: 3, Start: 400, End: 600}}}}}
	all := testdisc.NetRandom(2, 600*cdsector.Size)
	fed, left := NewProof(l), NewProof(l)
	for _, s := range left.Spans {
		if err := left.Take(s.First, all[int(s.First)*cdsector.Size:int(s.End)*cdsector.Size]); err != nil {
			t.Fatal(err)
		}
	}
	for a := 0; a < 600; a += 64 {
		n := min(64, 600-a)
		if err := fed.Take(disc.LBA(a), all[a*cdsector.Size:][:n*cdsector.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if !fed.Complete() || fed.CTDB.Sums().Disc != left.CTDB.Sums().Disc {
		t.Error("data was taken for audio")
	}
}

// Of all sectors of a disc, in pieces of any size, the audio arrives: from the first INDEX 01 of an audio track to
// the end of the last, what lies between sessions as silence.
func TestProofTakes(t *testing.T) {
	l := &disc.Layout{Sessions: []disc.Session{
		{Number: 1, LeadOut: 300, Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, End: 100}, {Number: 2, Start: 120, Pregap: 20, End: 300}}},
		{Number: 2, LeadOut: 11800, Tracks: []disc.Track{{Number: 3, Start: 11700, End: 11800}}},
	}}
	all := testdisc.NetRandom(1, 11800*cdsector.Size)
	clear(all[300*cdsector.Size : 11700*cdsector.Size])
	want := NewProof(l)
	if err := want.Take(120, all[120*cdsector.Size:]); err != nil || !want.Complete() {
		t.Fatal(err)
	}
	for _, step := range []int{1, 7, 64} {
		p := NewProof(l)
		for _, x := range l.Tracks() {
			for a := x.Begin(); a < x.End; a += disc.LBA(step) {
				n := min(int(x.End-a), step)
				if err := p.Take(a, all[int(a)*cdsector.Size:][:n*cdsector.Size]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !p.Complete() || p.AccurateRip.Sums()[1] != want.AccurateRip.Sums()[1] || p.CTDB.Sums().Disc != want.CTDB.Sums().Disc {
			t.Errorf("steps of %d: not the audio", step)
		}
	}
	if s := want.Slots(); !bytes.Equal([]byte{byte(s[0]), byte(s[1])}, []byte{1, 2}) {
		t.Error(s)
	}
	if r := want.Runs(disc.FlawsOf(disc.Flaw{First: 90, Count: 40, Kind: disc.Unread})); len(r) != 1 || r[0].First != 0 || r[0].End != 10*588 {
		t.Error(r)
	}
	if NewProof(&disc.Layout{Medium: disc.DVD}) != nil || NewProof(&disc.Layout{}) != nil {
		t.Error("a disc without audio has a proof")
	}
}
