package rip

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"spindle/image"
	"spindle/scsi/mmc"
)

// What the options name is read before the rest, as soon as the file system says where it is.
func TestFirst(t *testing.T) {
	for _, name := range []string{"iso", "demo"} {
		src := makeDisc(t, name)
		img, err := image.Open(context.Background(), src)
		if err != nil {
			t.Fatal(err)
		}
		l := img.Layout()
		img.Close()
		opts := Options{Output: filepath.Join(t.TempDir(), filepath.Base(src)), Format: CueBin, First: []string{"*.TXT"}}
		if filepath.Ext(src) == ".iso" {
			opts.Format = ISO
		}
		var order []int
		o := &observer{progress: func(p Progress) {
			if p.Phase == Copying && p.Sectors > 0 {
				order = append(order, int(p.LBA))
			}
		}}
		opts.Observer = o
		c := &counter{Device: simulated(t, src, "")}
		if _, err := Rip(context.Background(), mmc.New(c), opts); err != nil {
			t.Fatal(err)
		}
		if !o.told(NoteFirst) {
			t.Errorf("%s: %+v", name, o.notes)
		}
		if len(order) < 2 || order[0] <= int(l.Tracks()[0].Begin()) {
			t.Errorf("%s: the order is %v", name, order[:min(len(order), 8)])
		}
		if opts.Format == ISO {
			same(t, src, opts.Output)
		} else {
			same(t, base(src)+".bin", base(opts.Output)+".bin")
		}
	}
	src := makeDisc(t, "audio")
	o := &observer{}
	if _, err := Rip(context.Background(), tray(t, src, ""), Options{Output: filepath.Join(t.TempDir(), "x.cue"), Format: CueBin,
		First: []string{"*"}, Observer: o}); err != nil || !o.told(NoteNoFiles) {
		t.Errorf("%v, %+v", err, o.notes)
	}
}

func TestMatchesAny(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"*.txt", "docs/README.TXT", true}, {"photos/*", "photos/a.jpg", true}, {"photos", "photos/2001/a.jpg", true},
		{"photos/*", "photos/2001/a.jpg", true}, {"/photos/", "PHOTOS/a.jpg", true}, {"photos", "my/photos.txt", false},
		{"a/*.jpg", "b/a.jpg", false}, {"[", "a", false}, {"*", "a/b", true},
	} {
		if got := matchesAny([]string{test.pattern}, test.name); got != test.want {
			t.Errorf("%q, %q: %t", test.pattern, test.name, got)
		}
	}
}

// Files that are not whole are named when a rip ends early.
func TestIncompleteFiles(t *testing.T) {
	src := makeDisc(t, "iso")
	ctx, cancel := context.WithCancel(context.Background())
	opts := Options{Output: filepath.Join(t.TempDir(), "x.iso"), Format: ISO}
	reads := 0
	opts.Observer = &observer{progress: func(p Progress) {
		if p.Phase == Copying && p.Sectors > 0 {
			if reads++; reads == 2 {
				cancel()
			}
		}
	}}
	_, err := Rip(ctx, tray(t, src, "?media=dvd-rom"), opts)
	var left *IncompleteError
	if !errors.As(err, &left) || len(left.Files) == 0 || !slices.ContainsFunc(left.Left, func(b BadRange) bool { return b.Reason == NotTried }) {
		t.Errorf("%v: %+v", err, left)
	}
}
