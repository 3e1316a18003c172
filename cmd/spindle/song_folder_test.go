package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spindle/album"
	"spindle/album/folder"
	"spindle/internal/testdisc/testimage"
)

// Songs that are not what was read do not stand in for the raw rip, nor in the way of the next run.
func TestSongsAreReadBack(t *testing.T) {
	img := testimage.Open(t, "audio")
	a, f := newApp(io.Discard, io.Discard), &songFolder{dir: t.TempDir()}
	x := album.Of(img.Layout())
	made, err := album.Create(t.Context(), f.dir, x, img, album.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.readBack(t.Context(), a, img, made); err != nil || exists(filepath.Join(f.dir, rawFolder)) {
		t.Fatal(err)
	}
	if err := os.Truncate(made.Songs[1].Path, 20000); err != nil {
		t.Fatal(err)
	}
	var r refusal
	if err := f.readBack(t.Context(), a, img, made); !errors.As(err, &r) || r.status != exitFailed {
		t.Errorf("%v", err)
	}
	own, err := album.Remembered(f.manifest(), f.dir)
	if err != nil || !slices.Contains(own, made.Songs[1].Path) {
		t.Errorf("%v, %v", own, err)
	}
	if err := f.check(t.Context(), f.raw(false), &folder.Plan{Dir: f.dir}, &ripFlags{}, x, album.Options{}); err != nil {
		t.Errorf("in the way of the next run: %v", err)
	}
}
