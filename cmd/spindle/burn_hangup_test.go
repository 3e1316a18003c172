//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"spindle/internal/testdisc"
)

// A burn runs to its end when the terminal is closed (SIGHUP) or nobody reads its
// output any more, in whatever phase it is.
func TestBurnHangup(t *testing.T) {
	exe, err := exec.LookPath("spindle")
	if err != nil {
		exe = buildCommand(t)
	}
	src, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	small := filepath.Join(t.TempDir(), "small.iso")
	if b, err := os.ReadFile(src); err != nil || os.WriteFile(small, b, 0o666) != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(src, 12<<20); err != nil { // so that writing takes a while
		t.Fatal(err)
	}
	for media, phases := range map[string][]string{
		"dvd+r":  {"writing", "closing", "verifying"},
		"bd-re":  {"formatting", "writing", "closing", "verifying"},
		"dvd-rw": {"blanking"},
	} {
		for _, phase := range phases {
			for _, how := range []struct {
				name         string
				hangup, lose bool
				status       int
			}{
				{"hangup", true, false, exitDone},
				{"pipe", false, true, exitFailed},
				{"both", true, true, exitFailed},
			} {
				t.Run(fmt.Sprintf("%s/%s/%s", media, phase, how.name), func(t *testing.T) {
					t.Parallel()
					dir := t.TempDir()
					env := append(os.Environ(), "XDG_STATE_HOME="+dir)
					disc := filepath.Join(dir, "disc.iso")
					args := []string{"burn", src, "--json", "--speed", "1", "-d", "sim:" + disc + "?pace=60&media=" + media}
					if phase == "blanking" {
						first := exec.Command(exe, "burn", small, "-q", "-d", "sim:"+disc+"?media="+media)
						first.Env = env
						if text, err := first.CombinedOutput(); err != nil {
							t.Fatalf("%v\n%s", err, text)
						}
						args = append(args, "--blank")
					}
					cmd := exec.Command(exe, args...)
					cmd.Env = env
					out, err := cmd.StdoutPipe()
					if err != nil {
						t.Fatal(err)
					}
					var words bytes.Buffer
					cmd.Stderr = &words
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					lines := bufio.NewScanner(out)
					found := false
					for !found && lines.Scan() {
						found = strings.Contains(lines.Text(), fmt.Sprintf(`"phase":%q`, phase))
					}
					if !found {
						t.Errorf("it was never %s", phase)
					}
					if how.lose {
						out.Close()
					}
					if how.hangup {
						if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
							t.Errorf("it ended too early: %v", err)
						}
					}
					if !how.lose {
						rest, err := io.ReadAll(out)
						if err != nil || !bytes.Contains(rest, []byte(`"event":"result","status":0`)) {
							t.Errorf("the rest of the output: %s, %v", rest, err)
						}
					}
					_ = cmd.Wait() // the status is compared
					if got := cmd.ProcessState.ExitCode(); got != how.status {
						t.Errorf("exit status %d (%v), want %d\n%s", got, cmd.ProcessState, how.status, words.String())
					}
					failed := exec.Command(exe, "reburn", "--list")
					failed.Env = env
					if list, err := failed.Output(); err != nil || string(list) != "No burn has failed.\n" {
						t.Errorf("the journal: %s, %v", list, err)
					}
					if said, err := exec.Command(exe, "verify", src, "--with", disc).CombinedOutput(); media != "bd-re" && err != nil {
						t.Errorf("the disc: %v\n%s", err, said)
					}
				})
			}
		}
	}
}
