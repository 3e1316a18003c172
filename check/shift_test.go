package check

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// audioImage makes a CD of two tracks of audio.
func audioImage(t *testing.T, b []byte) disc.Image {
	t.Helper()
	n := disc.LBA(len(b) / cdsector.Size)
	l := &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{{Number: 1, LeadOut: n, Tracks: []disc.Track{
		{Number: 1, End: n / 3}, {Number: 2, Start: n / 3, End: n}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: int(n), Source: bytes.NewReader(b)}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A drive's read offset is no difference, whether or not the disc is damaged; other
// audio is.
func TestCompareWithOffset(t *testing.T) {
	const sectors = 600
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, sectors*cdsector.Size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	clear(b[:30*cdsector.Size])
	late := func(samples int) []byte {
		c := make([]byte, len(b))
		if n := samples * sampleBytes; n >= 0 {
			copy(c[n:], b)
		} else {
			copy(c, b[-n:])
		}
		return c
	}
	spoil := func(c []byte, at int) []byte {
		c[at*cdsector.Size+1000] ^= 1
		return c
	}
	for name, test := range map[string]struct {
		disc  []byte
		shift int
		bad   int
	}{
		"none":            {b, 0, 0},
		"6 late":          {late(6), 6, 0},
		"1776 late":       {late(1776), 1776, 0},
		"700 early":       {late(-700), -700, 0},
		"damaged":         {spoil(late(6), 302), 6, 1},
		"damaged at once": {spoil(late(6), 30), 6, 1},
		"without offset":  {spoil(late(0), 302), 0, 1},
	} {
		got, err := Compare(t.Context(), audioImage(t, b), audioImage(t, test.disc), CompareOptions{AnyOffset: true})
		if err != nil || got.Shift != test.shift || len(got.Differences) != test.bad {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := Compare(t.Context(), audioImage(t, b), audioImage(t, late(6)), CompareOptions{}); err != nil || len(got.Differences) == 0 {
		t.Errorf("between two images, an offset is a difference: %+v, %v", got, err)
	}
	other := make([]byte, len(b))
	for i := range other {
		other[i] = byte(r.Uint32())
	}
	if got, err := Compare(t.Context(), audioImage(t, b), audioImage(t, other), CompareOptions{AnyOffset: true}); err != nil || len(got.Differences) == 0 {
		t.Errorf("other audio: %+v, %v", got, err)
	}
}
