//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/internal/testdisc"
)

// rips are rips that are cut off, and in which phase.
var rips = []struct {
	disc, out, drive, phase string
	more                    []string
	says                    string // when the terminal is closed
	finishes                bool   // then, too, it may run to its end: all was tried
}{
	{disc: "data", out: "x.cue", drive: "c2=no", phase: "surveying", says: "nothing was read yet"},
	{disc: "data", out: "x.cue", drive: "fault=read:1990-1993", phase: "reading", says: "is read and kept"},
	{disc: "data", out: "x.cue", drive: "fault=read:300-340", phase: "closing in on damage", says: "is read and kept", finishes: true},
	{disc: "data", out: "x.cue", drive: "fault=read:300-340", phase: "retrying", says: "is read and kept", finishes: true},
	{disc: "audio", out: "x.cue", drive: "c2=no", phase: "reading again", says: "is read and kept", finishes: true},
	{disc: "large", out: "x.iso", drive: "media=dvd-rom&fault=read:16:3", phase: "hashing", more: []string{"--sha256"}, finishes: true},
	{disc: "cdtext", out: "Songs/", drive: "offset=0", phase: "surveying", says: "nothing was read yet"},
	{disc: "cdtext", out: "Songs/", drive: "offset=0", phase: "reading", says: "is read and kept"},
	{disc: "cdtext", out: "Songs/", drive: "offset=0", phase: "proving", says: "is read and kept"},
	{disc: "cdtext", out: "Songs/", drive: "offset=0", phase: "reading again", says: "is read and kept", finishes: true},
}

// A rip whose terminal is closed (SIGHUP) or that is killed keeps what it has read, and one whose output nobody
// reads runs to its end, in whatever phase it is. The next run makes what one makes that nothing disturbs.
func TestRipHangup(t *testing.T) {
	exe := command(t)
	discs := t.TempDir()
	for _, name := range []string{"data", "audio", "cdtext"} {
		if _, err := testdisc.Make(discs, name); err != nil {
			t.Fatal(err)
		}
	}
	large := filepath.Join(discs, "large.iso")
	noise := make([]byte, 60<<20)
	_, _ = rand.NewChaCha8([32]byte{2}).Read(noise)
	if err := os.WriteFile(large, noise, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, rip := range rips {
		src := filepath.Join(discs, rip.disc+".cue")
		if rip.disc == "large" {
			src = large
		}
		args := func(dir, drive string) []string {
			return append([]string{"rip", dir + "/" + rip.out, "-d", "sim:" + src + "?" + drive}, rip.more...)
		}
		whole := t.TempDir()
		if text, err := exec.Command(exe, args(whole, "offset=0")...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, by := range []cut{hangup, pipe, killed} {
			t.Run(fmt.Sprintf("%s/%s/%s", rip.out, rip.phase, by.name), func(t *testing.T) {
				heeded(t, by.signal)
				t.Parallel()
				dir := t.TempDir()
				status, last := startUntil(t, rip.phase, nil, exe, args(dir, rip.drive+"&pace=50")...).end(by)
				ended := []int{exitDone, exitBadSectors}
				switch {
				case by == pipe:
					ended = []int{exitBadSectors, exitFailed}
				case by == killed:
					ended = append(ended, -1)
				case rip.finishes:
					ended = append(ended, exitInterrupted)
				default:
					ended = []int{exitInterrupted}
				}
				if !slices.Contains(ended, status) {
					t.Errorf("exit status %d, want one of %d", status, ended)
				}
				if status == exitInterrupted && !strings.Contains(last, rip.says) {
					t.Errorf("it says %s", last)
				}
				var left []string
				if status != exitBadSectors && status != exitFailed { // else it may be whole and damaged
					left = halves(t, dir, whole, status == exitDone)
				}
				if rip.phase == "surveying" && status == exitInterrupted && len(left) > 0 {
					t.Errorf("nothing was read, and it left %q", left)
				}
				if text, err := exec.Command(exe, args(dir, "offset=0")...).CombinedOutput(); err != nil && status != exitFailed && status != exitDone {
					t.Errorf("the next run: %v\n%s", err, text) // but where all was made
				}
				if left := halves(t, dir, whole, true); len(left) > 0 {
					t.Errorf("left: %q", left)
				}
			})
		}
	}
}

// halves makes sure that a folder has whole files under the names that those of another have, or where
// they may be missing, none, and returns the names of what else there is. The logs of rips say when they were made.
func halves(t *testing.T, dir, whole string, all bool) (left []string) {
	t.Helper()
	want := filesBelow(t, whole)
	got := filesBelow(t, dir)
	for _, name := range want {
		switch {
		case !slices.Contains(got, name):
			if all {
				t.Errorf("%s is missing", name)
			}
		case filepath.Ext(name) != ".log":
			same(t, filepath.Join(dir, name), filepath.Join(whole, name))
		}
	}
	return slices.DeleteFunc(got, func(name string) bool { return slices.Contains(want, name) })
}
