package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spindle/image"
	"spindle/internal/testdisc"
)

// writes calls a function for what is written.
type writes struct{ do func() }

func (w *writes) Write(p []byte) (int, error) {
	w.do()
	return len(p), nil
}

// What something writes to between the checks that come first and the copying is not merged, nor converted.
func TestWrittenToBeforeCopy(t *testing.T) {
	for name, run := range map[string]func(a *app, one, two, out string) error{
		"merge": func(a *app, one, two, out string) error {
			_, err := runMerge(t.Context(), a, []string{one, two}, out, mergeFlags{})
			return err
		},
		"convert": func(a *app, one, _, out string) error {
			img, found, err := openImage(t.Context(), a, one)
			if err != nil {
				return err
			}
			defer img.Close()
			a.note("meanwhile")
			_, _, err = convertFlags{}.make(t.Context(), a, out, img, found)
			return err
		},
	} {
		dir := t.TempDir()
		var paths [2]string
		for i := range paths {
			sub := filepath.Join(dir, []string{"a", "b"}[i])
			if err := os.Mkdir(sub, 0o777); err != nil {
				t.Fatal(err)
			}
			path, err := testdisc.Make(sub, "data")
			if err != nil {
				t.Fatal(err)
			}
			paths[i] = path
		}
		bin := strings.TrimSuffix(paths[0], ".cue") + ".bin"
		if err := os.WriteFile(bin+".md5", []byte(strings.Repeat("0", 32)+"  data.bin\n"), 0o666); err != nil { // which is noted
			t.Fatal(err)
		}
		a := newApp(io.Discard, &writes{func() {
			if err := os.Chtimes(bin, time.Time{}, time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
		}})
		out := filepath.Join(dir, "out.cue")
		if err := run(a, paths[0], paths[1], out); !errors.Is(err, image.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "out*")); len(left) > 0 {
			t.Errorf("%s: left behind: %v", name, left)
		}
	}
}
