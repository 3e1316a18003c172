//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"spindle/internal/testdisc"
)

// After a power cut, a rip is there under its name, or its map is: the folder is brought to the disk
// between the two.
func TestNameIsSyncedBeforeMapGoes(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip(err)
	}
	exe := command(t)
	for _, name := range []string{"iso", "data"} {
		dir := t.TempDir()
		src, err := testdisc.Make(t.TempDir(), name)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Join(dir, "x")
		ext, image := ".iso", ".iso"
		if name == "data" {
			ext, image = ".cue", ".bin"
		}
		log := filepath.Join(t.TempDir(), "calls")
		cmd := exec.Command(strace, "-f", "-y", "-s", "1000", "-o", log, "-e", "trace=/^(rename|unlink|fsync).*", exe, "rip", "-q", base+ext, "-d", "sim:"+src)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("%v\n%s", err, text) // no process may be traced here
		}
		calls, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		// In this order, whatever comes between.
		for _, want := range []string{`"` + base + image + `.part"`, "fsync(", "<" + dir + ">", "unlink", `"` + base + ext + `.map"`} {
			_, rest, found := strings.Cut(string(calls), want)
			if !found {
				t.Fatalf("%s: %s does not come, or in the wrong order:\n%s", name, want, calls)
			}
			calls = []byte(rest)
		}
	}
}
