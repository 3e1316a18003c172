//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"spindle/internal/testdisc"
)

// Of several processes that make one file of different images, one does, and says so; the
// others leave what it made.
func TestMadeTogether(t *testing.T) {
	exe := command(t)
	dir := t.TempDir()
	var sources, wants []string
	for _, name := range []string{"data", "demo", "cdtext"} {
		src, err := testdisc.Make(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		want := filepath.Join(dir, name+".nrg")
		if text, err := exec.Command(exe, "convert", src, want).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		sources, wants = append(sources, src), append(wants, want)
	}
	for range 5 {
		out := t.TempDir()
		path := filepath.Join(out, "x.nrg")
		var all []*exec.Cmd
		for _, src := range sources {
			cmd := exec.Command(exe, "convert", "-q", src, path)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all = append(all, cmd)
		}
		var made []int
		for i, cmd := range all {
			_ = cmd.Wait()
			switch code := cmd.ProcessState.ExitCode(); code {
			case exitDone:
				made = append(made, i)
			case exitUsage: // it exists already
			default:
				t.Errorf("%s: exit status %d", sources[i], code)
			}
		}
		if len(made) != 1 {
			t.Errorf("%d of them made it", len(made))
			continue
		}
		got, err := os.ReadFile(path)
		want, werr := os.ReadFile(wants[made[0]])
		if err != nil || werr != nil || !bytes.Equal(got, want) {
			t.Errorf("it is not what the one that made it was asked for (%v, %v)", err, werr)
		}
		entries, err := os.ReadDir(out)
		if err != nil || !slices.Equal([]string{"x.nrg"}, names(entries)) {
			t.Errorf("left: %v, %v", entries, err)
		}
	}
}

func names(entries []os.DirEntry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
