package image_test

import (
	"os"
	"path/filepath"
	"testing"

	"spindle/image"
	"spindle/image/imagetest"
	"spindle/internal/testdisc"
	"spindle/internal/testdisc/testforeign"
)

// foreignISOs make images of an ISO as other programs do, in formats that are only read.
func foreignISOs() map[string]func(iso []byte) *testforeign.Files {
	all := make(map[string]func([]byte) *testforeign.Files)
	for name, files := range testforeign.ISOs() {
		all[name] = func(iso []byte) *testforeign.Files { return files("x", iso) }
	}
	return all
}

// foreignDiscs are images of discs as other programs make them, in formats that are only read.
func foreignDiscs(t *testing.T, iso []byte) map[string]*testforeign.Files {
	t.Helper()
	sound := make([]byte, 300*2352)
	for i := range sound {
		sound[i] = byte(i / 7 * 13)
	}
	all := map[string]*testforeign.Files{"cif": testforeign.CIF("x",
		[]testforeign.CIFTrack{{Type: 1, Sectors: len(iso) / 2048, Data: iso}, {Sectors: 250, Data: sound, ISRC: "DEAB40512345"}})}
	for name, c := range map[string]*testforeign.C2D{"mixed": {}, "xa": {Roxio: true}, "cdextra": {Sub: true}} {
		path, err := testdisc.Make(t.TempDir(), name)
		if err != nil {
			t.Fatal(err)
		}
		img, err := image.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if all["c2d, "+name], err = c.Make(t.Context(), "x", img); err != nil {
			t.Fatal(err)
		}
		img.Close()
	}
	return all
}

// readISO makes the ISO of the generator.
func readISO(t *testing.T) (path string, b []byte) {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	if b, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return path, b
}

// What other programs make of an ISO is that ISO, and keeps the contract of an image.
func TestForeignConformance(t *testing.T) {
	path, iso := readISO(t)
	src, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	want, err := imagetest.Sum(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	end := src.Layout().End()
	for name, make := range foreignISOs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := make(iso)
			path, err := files.Write(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			img, err := image.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			if got := img.Files(); len(got) != len(files.Order) || got[0] != path {
				t.Errorf("files %v", got)
			}
			got, err := imagetest.Sum(t.Context(), img)
			if err != nil || string(got) != string(want) || img.Layout().End() != end {
				t.Errorf("another content: %v (%s)", err, filepath.Base(path))
			}
			imagetest.Test(t, img)
		})
	}
}
