package c2d_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/internal/mutants"
	"spindle/internal/testdisc"
	"spindle/internal/testdisc/testforeign"
)

// source makes a disc of the generator.
func source(t testing.TB, name string) disc.Image {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img
}

// made makes an image of a disc of the generator.
func made(t testing.TB, name string, c *testforeign.C2D) []byte {
	t.Helper()
	f, err := c.Make(t.Context(), "x", source(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return f.Bytes["x.c2d"]
}

func opened(t testing.TB, b []byte) (disc.Image, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.c2d")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), path)
	if err == nil {
		t.Cleanup(func() { img.Close() })
	}
	return img, err
}

// Discs of all kinds are what they were, with and without sub-channels.
func TestOpen(t *testing.T) {
	for _, name := range []string{"mixed", "xa", "twosession", "cdtext", "audio", "demo"} {
		for _, c := range []*testforeign.C2D{{}, {Sub: true, Roxio: true}} {
			src := source(t, name)
			img, err := opened(t, made(t, name, c))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			got, want := img.Layout(), src.Layout()
			if got.MCN != want.MCN || len(got.CDText) != len(want.CDText) || len(got.Sessions) != len(want.Sessions) {
				t.Errorf("%s: %+v, want %+v", name, got, want)
			}
			for i, w := range want.Tracks() {
				g := got.Tracks()[i]
				if g.Start != w.Start || g.Pregap != w.Pregap || g.End != w.End || g.Mode != w.Mode || g.ISRC != w.ISRC || len(g.Indexes) != len(w.Indexes) {
					t.Errorf("%s: track %+v, want %+v", name, *g, *w)
				}
			}
			a, err := imagetest.Sum(t.Context(), img)
			b, err2 := imagetest.Sum(t.Context(), src)
			if err != nil || err2 != nil || !bytes.Equal(a, b) {
				t.Errorf("%s: other sectors (%v, %v)", name, err, err2)
			}
			if c.Sub {
				var sub, linear [cdsector.SubSize]byte
				want.Subchannel(want.Tracks()[0].Start+5, &linear)
				if err := img.Subchannels().ReadSubchannel(t.Context(), sub[:], want.Tracks()[0].Start+5); err != nil || sub != linear {
					t.Errorf("%s: another sub-channel (%v)", name, err)
				}
			}
			imagetest.Test(t, img)
		}
	}
}

func TestRefused(t *testing.T) {
	le := binary.LittleEndian
	at := func(n int) int { return 196 + n*44 }
	for want, test := range map[string]struct {
		c     testforeign.C2D
		spoil func(b []byte)
	}{
		"with compressed tracks":         {testforeign.C2D{Compressed: true}, func([]byte) {}},
		"states 0 blocks":                {testforeign.C2D{}, func(b []byte) { le.PutUint16(b[50:], 0) }},
		"states 65535 blocks":            {testforeign.C2D{}, func(b []byte) { le.PutUint16(b[50:], 1<<16-1) }},
		"4294967295 bytes of CD-TEXT":    {testforeign.C2D{}, func(b []byte) { le.PutUint32(b[52:], 1<<32-1) }},
		"bytes at byte 4294967295":       {testforeign.C2D{}, func(b []byte) { le.PutUint32(b[56:], 1<<32-1) }},
		"a block of a track of 45":       {testforeign.C2D{}, func(b []byte) { b[at(0)] = 45 }},
		"index 1 of track 100":           {testforeign.C2D{}, func(b []byte) { b[at(0)+38] = 100 }},
		"to 4294967295 (at byte 196)":    {testforeign.C2D{}, func(b []byte) { le.PutUint32(b[at(0)+8:], 1<<32-1) }},
		"at byte 9223372036854775808":    {testforeign.C2D{}, func(b []byte) { le.PutUint64(b[at(0)+12:], 1<<63) }},
		"with 2353 bytes a sector":       {testforeign.C2D{}, func(b []byte) { le.PutUint32(b[at(0)+20:], 2353) }},
		"the unknown mode 7":             {testforeign.C2D{}, func(b []byte) { b[at(0)+40] = 7 }},
		"track 1 is in session 2":        {testforeign.C2D{}, func(b []byte) { b[at(0)+37] = 2 }},
		"before the first track at 9999": {testforeign.C2D{}, func(b []byte) { le.PutUint32(b[at(0)+4:], 9999); le.PutUint32(b[at(0)+8:], 10000) }},
	} {
		b := made(t, "mixed", &test.c)
		test.spoil(b)
		if _, err := opened(t, b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := opened(t, made(t, "mixed", &testforeign.C2D{Compressed: true})); !errors.Is(err, format.ErrUnknown) {
		t.Error(err)
	}
	for _, n := range []int{0, 40, 195, 200, 260} {
		if _, err := opened(t, made(t, "mixed", &testforeign.C2D{})[:n]); err == nil {
			t.Errorf("%d bytes", n)
		}
	}
}

// The sectors that a file lost are flaws.
func TestCut(t *testing.T) {
	b := made(t, "mixed", &testforeign.C2D{})
	img, err := opened(t, b[:len(b)-3*2352])
	if err != nil || img.Flaws().Sectors() != 3 {
		t.Fatal(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(made(f, "mixed", &testforeign.C2D{})[:4096])
	f.Add(made(f, "cdtext", &testforeign.C2D{Sub: true})[:4096])
	path := filepath.Join(f.TempDir(), "x.c2d")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		img, err := image.Open(t.Context(), path)
		if err != nil {
			return
		}
		defer img.Close()
		if err := img.Layout().Validate(); err != nil {
			t.Error(err)
		}
	})
}

// Damaged at random, an image is refused, or keeps the contract of one.
func TestMutants(t *testing.T) {
	whole := made(t, "mixed", &testforeign.C2D{Sub: true})
	for n := range uint64(mutants.Count()) {
		img, err := opened(t, mutants.Of(whole, n))
		if err != nil {
			continue
		}
		if _, err := imagetest.Sum(t.Context(), img); err == nil && img.Layout().End() < 10_000 {
			imagetest.Test(t, img)
		}
	}
}
