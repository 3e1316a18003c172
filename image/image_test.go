package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/internal/corpus"
	"spindle/internal/testdisc"
	"spindle/iso"
)

func TestOpenByContent(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"audio", "iso", "mixed"} {
		path, err := testdisc.Make(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		// The name does not matter, the content does.
		other := filepath.Join(dir, name+".xyz")
		if err := os.Rename(path, other); err != nil {
			t.Fatal(err)
		}
		img, err := Open(context.Background(), other)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := img.Layout().Validate(); err != nil {
			t.Error(err)
		}
		img.Close()
	}
}

func TestOpenUnknown(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		"": "empty", "ECM\x02": "Reloaded", "IsZ!" + strings.Repeat("\x01", 99): ".isz",
		"DAA VOL" + strings.Repeat("\x00", 99): ".daa", "\xFE\xEF\x01": ".gho",
		"some text": "", "JISO": ".jso",
		"ER" + strings.Repeat("\x00", 510) + "PM" + strings.Repeat("\x00", 600): "without a volume of HFS",
		strings.Repeat("\x00", 510) + "\x55\xAA" + strings.Repeat("\x00", 999):  "USB stick",
		"<!DOCTYPE html>": "download went wrong",
	} {
		path := filepath.Join(dir, "x")
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(context.Background(), path); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, err := Open(context.Background(), dir); !errors.Is(err, ErrUnknown) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(context.Background(), filepath.Join(dir, "no")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestUserData(t *testing.T) {
	path, err := testdisc.Make(t.TempDir(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	img, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	v, err := iso.ReadVolume(UserData(t.Context(), img, img.Layout().Tracks()[0]), 0)
	if err != nil || v.Label != "SPINDLE_DEMO" {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := iso.ReadVolume(UserData(t.Context(), img, img.Layout().Tracks()[1]), 0); err == nil {
		t.Error("an audio track has a file system")
	}
}

func TestForeignImages(t *testing.T) {
	for path, tracks := range map[string]int{
		"libcdio/cdda.cue": 1, "libcdio/p1.cue": 2, "libcdio/isofs-m1.cue": 1, "libcdio/joliet.iso": 1,
	} {
		img, err := Open(context.Background(), corpus.Path(t, path))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := len(img.Layout().Tracks()); got != tracks {
			t.Errorf("%s: %d tracks, want %d", path, got, tracks)
		}
		p := make([]byte, disc.CD.SectorSize())
		if err := img.ReadSectors(t.Context(), p, img.Layout().End()-1); err != nil {
			t.Error(err)
		}
		img.Close()
	}
}

// Only an .iso can be opened as one: of another image it would be the container.
func TestOpenAsOther(t *testing.T) {
	dir := t.TempDir()
	src, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"x.chd": ErrUnknown, "x.nrg": ErrUnknown, "x.iso.ecm": nil, "x.cso": nil, "x.vhd": nil,
	} {
		path := filepath.Join(dir, name)
		if _, err := convert(t, src, path, CreateOptions{Lossy: true}); err != nil {
			t.Fatal(err)
		}
		img, err := OpenAs(t.Context(), path, disc.DVD)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			img.Close()
		}
	}
}
