//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spindle/internal/testdisc"
)

// A run that makes the last song of an album is killed at each step of its end: as it names the song, and its sheet, and while the songs
// of before get the gain of the album, one by one, until the log has its name. The next run makes what one makes that nothing disturbs.
func TestRestOfAlbumKilled(t *testing.T) {
	exe := command(t)
	discs := t.TempDir()
	src, err := testdisc.Make(discs, "audio")
	if err != nil {
		t.Fatal(err)
	}
	rip := func(dir, tracks string) *exec.Cmd {
		return exec.Command(exe, "rip", dir+"/", "-q", "--track", tracks, "-d", "sim:"+src)
	}
	want := filepath.Join(discs, "want")
	before := filepath.Join(discs, "before")
	for _, cmd := range []*exec.Cmd{rip(before, "1-3"), exec.Command("cp", "-rp", before, want), rip(want, "4")} {
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, text)
		}
	}
	files, err := filepath.Glob(filepath.Join(want, "*"))
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, path := range append(files, filepath.Join(want, rawFolder, "made.json")) {
		name, _ := filepath.Rel(want, path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 10 {
				got := filepath.Join(t.TempDir(), "got")
				if text, err := exec.Command("cp", "-rp", before, got).CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				if !killAt(t, rip(got, "4"), filepath.Join(got, name)) {
					continue // it came to its end
				}
				if text, err := rip(got, "4").CombinedOutput(); err != nil {
					t.Errorf("once more: %v\n%s", err, text)
				}
				for _, file := range files {
					if filepath.Ext(file) != ".log" { // which states when
						same(t, filepath.Join(got, filepath.Base(file)), file)
					}
				}
				if text, err := exec.Command(exe, "verify", got).CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, text)
				}
				for _, left := range filesBelow(t, got) {
					if name := filepath.Base(left); !strings.HasPrefix(left, rawFolder) && strings.HasSuffix(name, ".spindle-tmp") {
						t.Errorf("%s was left", left)
					}
				}
				return
			}
			t.Log("never killed in time")
		})
	}
}

// killAt starts a command and kills it when a file is replaced or made. It reports whether that was in time.
func killAt(t *testing.T, cmd *exec.Cmd, path string) bool {
	t.Helper()
	was, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	for {
		select {
		case <-ended:
			return cmd.ProcessState.ExitCode() == -1
		case <-time.After(50 * time.Microsecond):
		}
		if is, err := os.Stat(path); err == nil && (was == nil || !os.SameFile(was, is)) {
			_ = cmd.Process.Kill()
			<-ended
			return cmd.ProcessState.ExitCode() == -1
		}
	}
}
