//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"spindle/internal/testdisc"
)

// burnPhases are burns that are cut off, and in which phase. A burn that comes before is of the same image, and
// ends with a status; what is cut off is then a reburn.
var burnPhases = []struct {
	media, phase string
	small        bool   // a small image comes before, and is erased
	fails        string // how the burn fails that comes before
	stops        bool   // nothing was written yet, and a closed terminal ends it
}{
	{media: "dvd+r", phase: "writing"},
	{media: "dvd+r", phase: "closing"},
	{media: "dvd+r", phase: "verifying"},
	{media: "bd-re", phase: "formatting"},
	{media: "bd-re", phase: "writing"},
	{media: "bd-re", phase: "closing"},
	{media: "bd-re", phase: "verifying"},
	{media: "dvd-rw", phase: "blanking", small: true},
	{media: "dvd+rw", phase: "comparing", fails: "2A:100:gone", stops: true},
	{media: "dvd+r", phase: "checking", fails: "2A:100:gone", stops: true},
	{media: "dvd+r", phase: "writing", fails: "2A:20:gone"},
	{media: "dvd+r", phase: "verifying", fails: "28:20:gone"}, // nothing is left but to compare
}

// A burn runs to its end when the terminal is closed (SIGHUP) or nobody reads its
// output any more, in whatever phase it is; one that is killed is resumed.
func TestBurnHangup(t *testing.T) {
	exe := command(t)
	src, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	small := filepath.Join(t.TempDir(), "small.iso")
	if b, err := os.ReadFile(src); err != nil || os.WriteFile(small, b, 0o666) != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 12<<20) // so that writing takes a while
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	if b, err := os.ReadFile(small); err != nil || os.WriteFile(src, append(b, noise[len(b):]...), 0o666) != nil {
		t.Fatal(err)
	}
	for _, row := range burnPhases {
		for _, by := range []cut{hangup, pipe, both, killed} {
			name := row.media + "/" + row.phase + "/" + by.name
			if row.fails != "" {
				name = "reburn/" + name
			}
			t.Run(name, func(t *testing.T) {
				heeded(t, by.signal)
				t.Parallel()
				dir := t.TempDir()
				env := append(os.Environ(), "XDG_STATE_HOME="+dir)
				run := func(want int, args ...string) string {
					t.Helper()
					cmd := exec.Command(exe, args...)
					cmd.Env = env
					text, _ := cmd.CombinedOutput()
					if got := cmd.ProcessState.ExitCode(); got != want {
						t.Errorf("%q: exit status %d, want %d\n%s", args, got, want, text)
					}
					return string(text)
				}
				disc := filepath.Join(dir, "disc.iso")
				drive := "sim:" + disc + "?media=" + row.media
				args := []string{"burn", src, "--speed", "1", "-d", drive + "&pace=60"}
				switch {
				case row.small:
					run(exitDone, "burn", small, "-q", "-d", drive)
					args = append(args, "--blank")
				case row.fails != "":
					run(exitBurnFailed, "burn", src, "-q", "-d", drive+"&fault="+row.fails)
					args = []string{"reburn", "--speed", "1", "-d", drive + "&pace=60"}
				}
				status, last := startUntil(t, row.phase, env, exe, args...).end(by)
				want := map[cut]int{hangup: exitDone, pipe: exitFailed, both: exitFailed, killed: -1}[by]
				if row.stops && by.signal == syscall.SIGHUP {
					want = exitInterrupted
				}
				if status != want && !(by == both && want == exitInterrupted && status == exitFailed) {
					t.Errorf("exit status %d, want %d\n%s", status, want, last)
				}
				switch {
				case by == hangup && row.stops && !strings.Contains(last, "nothing was written"):
					t.Errorf("it says %s", last)
				case by == hangup && !row.stops && !strings.Contains(last, `"event":"result","status":0`):
					t.Errorf("the last line: %s", last)
				}
				if by == killed || want == exitInterrupted {
					run(exitDone, "reburn", "-q", "-d", drive)
				}
				if list := run(exitDone, "reburn", "--list"); list != "No burn has failed.\n" {
					t.Errorf("the journal: %s", list)
				}
				if row.media != "bd-re" { // which would be compared with all that follows
					run(exitDone, "verify", src, "--with", disc)
				}
			})
		}
	}
}
