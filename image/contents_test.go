package image_test

import (
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"

	"spindle/image"
	"spindle/internal/testdisc"

	"github.com/google/go-cmp/cmp"
)

// What is on test discs, as a file system: data, audio, and both.
func TestContents(t *testing.T) {
	for name, want := range map[string][]string{
		"demo":  {"readme.txt", "docs/numbers.txt", "Track 02.wav"},
		"audio": {"Track 01.wav", "Track 02.wav"},
		"iso":   {"numbers.txt"},
	} {
		path, err := testdisc.Make(t.TempDir(), name)
		if err != nil {
			t.Fatal(err)
		}
		img, err := image.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := image.OpenContents(t.Context(), img, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(c, want...); err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
		if _, err := image.OpenContents(t.Context(), img, 99); err == nil {
			t.Errorf("%s has a track 99", name)
		}
		if err := img.Close(); err != nil {
			t.Error(err)
		}
	}
}

// One track alone, and its samples as a WAVE file.
func TestContentsOfTrack(t *testing.T) {
	path, err := testdisc.Make(t.TempDir(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	c, err := image.OpenContents(t.Context(), img, 2)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range list {
		names = append(names, d.Name())
	}
	if diff := cmp.Diff([]string{"Track 02.wav"}, names); diff != "" {
		t.Error(diff)
	}
	b, err := fs.ReadFile(c, "Track 02.wav")
	info, serr := c.Stat("Track 02.wav")
	if err != nil || serr != nil || int64(len(b)) != info.Size() || string(b[:4]) != "RIFF" {
		t.Errorf("%d bytes, %v, %v", len(b), err, serr)
	}
}
