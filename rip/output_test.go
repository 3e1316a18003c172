package rip

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spindle/internal/regular"
)

// What stands in the place of a part is neither followed nor emptied: with Force it
// gives way, and what it leads to stays.
func TestPartIsMadeAnew(t *testing.T) {
	src := makeDisc(t, "iso")
	for name, link := range map[string]func(target, path string) error{"symbolic": os.Symlink, "hard": os.Link} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			victim, out := filepath.Join(dir, "victim"), filepath.Join(dir, "x.iso")
			if err := os.WriteFile(victim, []byte("precious"), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := link(victim, out+partSuffix); err != nil {
				t.Skip(err)
			}
			opts := Options{Output: out, Format: ISO, Force: true}
			if _, err := Rip(context.Background(), tray(t, src, ""), opts); err != nil {
				t.Fatal(err)
			}
			same(t, src, out)
			if b, err := os.ReadFile(victim); err != nil || string(b) != "precious" {
				t.Errorf("the file linked to holds %q (%v)", b, err)
			}
		})
	}
}

// Nor does a rip that is resumed write through a link.
func TestResumeFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "x.iso")
	if err := os.WriteFile(victim, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path+partSuffix); err != nil {
		t.Skip(err)
	}
	for _, mode := range []openMode{openOld, openAny} {
		f := outFile{path: path}
		if err := f.open(mode); !errors.Is(err, regular.ErrNotRegular) {
			t.Errorf("mode %d: %v", mode, err)
		}
	}
}
