package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/image"
	"spindle/internal/screen"
	"spindle/internal/screen/faketerm"
	"spindle/internal/testdisc"
	"spindle/rip"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"

	"github.com/google/go-cmp/cmp"
)

var updateFrames = flag.Bool("update-frames", false, "rewrite testdata/frames.golden")

// A watched terminal keeps what it showed, as often as something else was on it.
type watched struct {
	*faketerm.Terminal
	shots []string
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Terminal.Write(p)
	if shot := w.String(); len(w.shots) == 0 || w.shots[len(w.shots)-1] != shot {
		w.shots = append(w.shots, shot)
	}
	return n, err
}

// ripOnTerminal rips a test disc with faults in it, and returns the terminal on which its progress was drawn.
func ripOnTerminal(t *testing.T, name string, width, height int, o rip.Options, faults ...string) *watched {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	cfg := sim.Config{}
	if cfg.Image, err = image.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	for _, text := range faults {
		f, err := sim.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	d := mmc.New(sim.New(cfg))
	term := &watched{Terminal: faketerm.New(width, height)}
	var c console
	c.init(io.Discard, term)
	c.screen = screen.New(term, term.Size)
	p := c.newRipProgress()
	p.now = d.Clock().Now
	o.Output, o.Format, o.Observer = filepath.Join(t.TempDir(), "x"+filepath.Ext(path)), rip.CueBin, p
	if filepath.Ext(path) == ".iso" {
		o.Format = rip.ISO
	}
	res, err := rip.Rip(context.Background(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	p.stop()
	listDamaged(c.page(term), "damaged files", filesHit(context.Background(), o.Output, res))
	return term
}

// What is on the terminal while a damaged disc is read: some frames, and the last.
func TestRipFrames(t *testing.T) {
	const golden = "testdata/frames.golden"
	var b strings.Builder
	for _, x := range []struct {
		disc          string
		width, height int
		faults        []string
	}{
		{"mixed", 80, 24, []string{"read:100-130:2", "read:300-302", "lost:700-701"}},
		{"iso", 80, 24, []string{"read:100-130:2", "read:250-252"}},
		{"iso", 40, 24, []string{"read:100-109"}},
		{"mixed", 80, 10, []string{"read:100-130"}},
	} {
		term := ripOnTerminal(t, x.disc, x.width, x.height, rip.Options{Retries: 2}, x.faults...)
		if term.Err != nil {
			t.Error(term.Err)
		}
		for _, phase := range []string{"around damage", "retrying, pass 1", "retrying, pass 2"} {
			shots := slices.DeleteFunc(slices.Clone(term.shots), func(s string) bool {
				return !strings.Contains(s, "a cell)\n"+phase)
			})
			fmt.Fprintf(&b, "== %s, %dx%d, in the middle of %s\n%s", x.disc, x.width, x.height, phase, shots[len(shots)/2])
		}
		fmt.Fprintf(&b, "== %s, %dx%d, at the end\n%s", x.disc, x.width, x.height, term)
	}
	if *updateFrames {
		if err := os.WriteFile(golden, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
}
