package discfile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"spindle/drive"
	"spindle/image"
	"spindle/internal/discfile"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	disc, err := discfile.Open(filepath.Join(dir, "disc.iso"), "dvd+r", 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	drive := sim.New(sim.Config{Disc: disc})
	defer drive.Close()
	fmt.Println(disc.Media(), disc.Layout() == nil)
	// Output: dvd+r true
}

// burnTrack writes a track of 300 sectors on a CD and closes it.
func burnTrack(t *testing.T, r *sim.Recordable) {
	t.Helper()
	ctx := context.Background()
	s := sim.New(sim.Config{Disc: r})
	d := mmc.New(s)
	for _, step := range []func() error{
		func() error { return drive.WaitReady(ctx, d, time.Minute) },
		func() error {
			return d.SetWriteParameters(ctx, mmc.WriteParameters{Type: mmc.WriteTrackAtOnce, TrackMode: 4, Block: mmc.BlockMode1, MultiSession: mmc.NextSession})
		},
		func() error { return d.Write(ctx, 0, 300, make([]byte, 300*2048)) },
		func() error { return d.Close(ctx, mmc.CloseSession, 0, mmc.Wait) },
		s.Close,
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDiscIsAnImage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disc.cue")
	r, err := discfile.Open(path, "cd-rw", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := discfile.Open(path, "cd-rw", 0); !errors.Is(err, discfile.ErrInUse) {
		t.Errorf("a disc in two drives: %v", err)
	}
	burnTrack(t, r)
	img, err := image.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if n := img.Layout().Sectors(); n != 300 {
		t.Errorf("%d sectors", n)
	}
	img.Close()
	// It is the same disc the next time, and no other.
	if _, err := discfile.Open(path, "cd-r", 0); !errors.Is(err, discfile.ErrState) {
		t.Errorf("a disc of another kind: %v", err)
	}
	again, err := discfile.Open(path, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Layout() == nil || again.Layout().Sectors() != 302 { // with its run-out blocks
		t.Errorf("%+v", again.Layout())
	}
}

// Nothing that is there already is lost.
func TestNothingIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	for name, media := range map[string]string{"a.iso": "dvd+rw", "b.bin": "cd-r"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		disc := path
		if media == "cd-r" {
			disc = filepath.Join(dir, "b.cue")
		}
		if _, err := discfile.Open(disc, media, 0); !errors.Is(err, discfile.ErrInTheWay) {
			t.Errorf("%s: %v", name, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	for path, media := range map[string]string{"x.iso": "cd-r", "x.cue": "dvd+r", "y.cue": "cd-rom"} {
		if _, err := discfile.Open(filepath.Join(dir, path), media, 0); !errors.Is(err, discfile.ErrName) {
			t.Errorf("%s as %s: %v", path, media, err)
		}
	}
	if _, err := discfile.Open(filepath.Join(dir, "none.iso"), "", 0); !errors.Is(err, discfile.ErrNoDisc) {
		t.Error(err)
	}
	broken := filepath.Join(dir, "broken.iso")
	for _, state := range []string{"", "{}", `{"media":"dvd+r","capacity":-1}`, `{"media":"dvd+r","capacity":9,"sessions":[{"closed":true,"tracks":[{"number":7,"start":-3}]}]}`} {
		os.WriteFile(broken, nil, 0o600)
		os.WriteFile(broken+".state", []byte(state), 0o600)
		if _, err := discfile.Open(broken, "", 0); !errors.Is(err, discfile.ErrState) && err == nil {
			t.Errorf("state %q is taken", state)
		}
	}
}
