package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"spindle/disc"
	"spindle/rip"
)

// Before a disc is read there is room for the raw rip and for what is made of it, where the format
// tells how large that becomes.
func TestRoomForOther(t *testing.T) {
	const size = 1000 * 2352
	l := &disc.Layout{Sessions: []disc.Session{{Number: 1, LeadOut: 1000, Tracks: []disc.Track{{Number: 1, Mode: disc.Audio, End: 1000}}}}}
	for name, test := range map[string]struct {
		out   string
		begun string // the map of an earlier run
		free  int64
		err   error
		want  string
	}{
		"enough":       {"x.nrg", "", 2 * size, nil, ""},
		"too little":   {"x.nrg", "", 2*size - 1, nil, "x.nrg needs 4.7 MB: 2.4 MB to read the disc to, and 2.4 MB for itself"},
		"packs":        {"x.chd", "", size, nil, "note: x.chd may not fit"},
		"packs enough": {"x.chd", "", 2 * size, nil, ""},
		"packs none":   {"x.chd", "", size - 1, nil, "x.chd needs up to 4.7 MB"},
		"begun":        {"x.nrg", fmt.Sprintf("0 ? 1\n0 0x1000 ?\n0x1000 %#x +\n", size-0x1000), size + 0x1000, nil, ""},
		"begun, less":  {"x.nrg", fmt.Sprintf("0 ? 1\n0 0x1000 ?\n0x1000 %#x +\n", size-0x1000), size, nil, "x.nrg needs"},
		"unknown":      {"x.nrg", "", 0, errors.ErrUnsupported, ""},
	} {
		var notes bytes.Buffer
		a := &app{console: console{stderr: &notes}}
		r := &rawRip{out: filepath.Join(t.TempDir(), test.out)}
		o := &ripFlags{}
		o.Output = filepath.Join(r.dir(), "disc.cue")
		if test.begun != "" {
			if err := errors.Join(os.Mkdir(r.dir(), 0o777), os.WriteFile(o.Output+".map", []byte(test.begun), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		err := r.room(a, o, l, func(string) (int64, error) { return test.free, test.err })
		got := notes.String()
		if err != nil {
			got = explain(err).what
		}
		if (got == "") != (test.want == "") || !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Whatever is full, its file is named.
func TestNoSpace(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "d/x.bin", Err: syscall.ENOSPC}
	for _, err := range []error{full, fmt.Errorf("%w: %w", rip.ErrOutput, full), fmt.Errorf("x.bin: %w", full), errors.Join(errExtracting, full)} {
		if m := explain(err); m.what != `there is no space left for "d/x.bin"` || !strings.Contains(m.next, "Free some space") {
			t.Errorf("%v: %+v", err, m)
		}
	}
}
