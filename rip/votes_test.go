package rip

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"spindle/disc/cdsector"
)

// Audio that never comes twice the same is put together, with C2 and without, read once or
// twice, and with an offset; how is said, also by the run that resumes.
func TestAudioByVotes(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 40)))
	for query, change := range map[string]func(*Options){
		"fault=read:1300-1303":                      func(*Options) {},
		"c2=no&fault=read:1300-1303":                func(*Options) {},
		"fault=noisy:1300-1303:5":                   func(o *Options) { o.Retries = 6 },
		"seed=2&fault=read:1300-1303":               func(o *Options) { o.Once = true },
		"fault=read:1300-1302&offset=6":             func(o *Options) { o.Offset = 6 },
		"fault=read:1300-1302&offset=6&seed=3":      func(o *Options) { o.Offset = 6; o.Once = true },
		"trait=c2-296-only-last&fault=read:700-740": func(*Options) {},
		"fault=read:1300-1303&seed=5":               func(o *Options) { o.Subchannel = true },
	} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Retries = 4
		change(&opts)
		res, err := Rip(context.Background(), a.query(t, query), opts)
		if err != nil || len(res.Bad) > 0 || len(res.Votes) < 3 {
			t.Errorf("%s: %v, %v, votes %v", query, err, res.Bad, res.Votes)
			continue
		}
		if opts.Offset == 0 {
			a.isOn(t, opts)
		}
		for _, v := range res.Votes {
			if v.Samples < 1 || v.Of < 2 || !opts.Once && v.Agree < leastAgree {
				t.Errorf("%s: %+v", query, v)
			}
		}
	}
}

// What was voted on is reported by every later run.
func TestVotesAreKept(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 41)))
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Retries = 4
	first, err := Rip(context.Background(), a.query(t, "fault=read:1300&fault=lost:100"), opts)
	if err != nil || len(first.Votes) != 1 || len(first.Bad) != 1 {
		t.Fatalf("%v, %+v", err, first)
	}
	res, err := Rip(context.Background(), a.drive(t), opts)
	if err != nil || len(res.Bad) > 0 || len(res.Votes) != 1 || res.Votes[0] != first.Votes[0] {
		t.Fatalf("%v, %+v", err, res)
	}
	a.isOn(t, opts)
}

// No sample is called decided that is not the disc's, also where the same wrong ones come
// twice, as long as one reading that nobody marks has the right one.
func TestVotesNeverLie(t *testing.T) {
	r := rand.New(rand.NewPCG(43, 43))
	settled := 0
	for range 1000 {
		var want cdsector.Reading
		fillNoise(want.Data[:], r)
		known := []cdsector.Reading{want}
		bad := want // the same wrong bytes, marked or not
		for range r.IntN(100) {
			bad.Data[r.IntN(cdsector.Size)] ^= byte(1 + r.IntN(255))
		}
		for range r.IntN(3) {
			known = append(known, bad)
		}
		rate := r.Float64() * 0.05
		for range r.IntN(6) {
			x := cdsector.Reading{Data: want.Data, Marks: new(cdsector.Erasures)}
			for i := 0; i < len(x.Data); i += bytesPerSample {
				if r.Float64() < rate {
					fillNoise(x.Data[i&^7:][:8], r) // so that no two are wrong in the same way
					if r.IntN(2) == 0 {
						x.Marks.Set(r.IntN(cdsector.Size))
					}
				}
			}
			known = append(known, x)
		}
		r.Shuffle(len(known), func(i, j int) { known[i], known[j] = known[j], known[i] })
		s, open, v := voteSamples(known, true)
		for i := range s {
			if s[i] != want.Data[i] && !open.Has(i) {
				t.Fatalf("byte %d of %d readings is called decided, and is wrong", i, len(known))
			}
		}
		if open == (cdsector.Erasures{}) {
			settled++
		}
		if v.Samples > 0 && (v.Of != len(known) || v.Agree > v.Of) {
			t.Fatalf("%+v of %d readings", v, len(known))
		}
	}
	if settled < 100 {
		t.Errorf("only %d sectors are settled: the test shows little", settled)
	}
}

// A sample needs agreement, and more of it where readings contradict each other.
func TestDecided(t *testing.T) {
	for _, test := range []struct {
		agree, clean int
		twice, want  bool
	}{
		{2, 2, true, true}, {1, 1, true, false}, {1, 1, false, true}, {0, 0, false, false},
		{2, 3, true, false}, {3, 4, true, true}, {3, 6, true, false}, {4, 7, true, true}, {2, 3, false, false},
	} {
		x := sampleCount{agree: test.agree, clean: test.clean}
		if got := x.decided(test.twice); got != test.want {
			t.Errorf("%+v: %t", test, got)
		}
	}
}

// The pointers of shifted audio mark the bytes that they marked before.
func TestShiftPointers(t *testing.T) {
	one, two := make([]byte, 296), make([]byte, 296)
	one[2], one[0] = 0x80, 0x80 // byte 0, which is not part of it
	two[2], two[0] = 0x80, 0x80
	out := make([]byte, 296)
	shiftPointers(out, one, two, 24)
	var e cdsector.Erasures
	copy(e[:], out)
	if !e.Has(cdsector.Size-24) || e.Has(0) || out[294] == 0 {
		t.Errorf("% x", out)
	}
	shiftPointers(out, one, make([]byte, 296), 24)
	if !allZero(out) {
		t.Error("an error that is not part of a sector is counted")
	}
	one[1] = 3 // which form it is in does not show
	if shiftPointers(out, one, two, 24); allZero(out) {
		t.Error("pointers are lost")
	}
}
