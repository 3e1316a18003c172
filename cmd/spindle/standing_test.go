package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spindle/album"
	"spindle/image"
	"spindle/internal/testdisc"
)

// A file that somebody changed or made while a disc was read is not replaced; one that was removed is in nobody's way.
func TestStanding(t *testing.T) {
	path, err := testdisc.Make(t.TempDir(), "audio")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	x := album.Of(img.Layout())
	names, err := x.Files(album.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(song, other, absent string) error
		want   string
	}{
		"nothing":      {func(_, _, _ string) error { return nil }, ""},
		"removed":      {func(song, _, _ string) error { return os.Remove(song) }, ""},
		"longer":       {func(song, _, _ string) error { return os.WriteFile(song, []byte("longer"), 0o666) }, "was changed"},
		"another time": {func(song, _, _ string) error { return os.Chtimes(song, time.Time{}, time.Unix(1, 0)) }, "was changed"},
		"another file": {func(song, other, _ string) error { return os.Rename(other, song) }, "was changed"},
		"made":         {func(_, _, absent string) error { return os.WriteFile(absent, nil, 0o666) }, "was made"},
	} {
		dir := t.TempDir()
		song, other, absent := filepath.Join(dir, names[0]), filepath.Join(dir, "other"), filepath.Join(dir, names[1])
		for _, p := range []string{song, other} {
			if err := os.WriteFile(p, []byte("one"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		u, err := beforeReading(dir, x, album.Options{}, []string{other})
		if err != nil {
			t.Fatal(err)
		}
		if err := test.change(song, other, absent); err != nil {
			t.Fatal(err)
		}
		err = u.check()
		if (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
