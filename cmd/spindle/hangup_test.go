//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"spindle/internal/testdisc"
)

// A rip whose terminal is closed (SIGHUP) keeps what it has read, and one whose output nobody reads runs to its
// end, in whatever phase it is.
func TestRipHangup(t *testing.T) {
	exe := command(t)
	for _, rip := range []struct {
		disc, faults, phase string
	}{
		{"data", "fault=read:1990-1993", "reading"},
		{"data", "fault=read:300-340", "closing in on damage"},
		{"data", "fault=read:300-340", "retrying"},
		{"audio", "c2=no", "reading again"},
	} {
		for _, hangup := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/hangup=%t", rip.phase, hangup), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				src, err := testdisc.Make(dir, rip.disc)
				if err != nil {
					t.Fatal(err)
				}
				out := filepath.Join(dir, "x.cue")
				cmd := exec.Command(exe, "rip", out, "--json", "-d", "sim:"+src+"?pace=50&"+rip.faults)
				pipe, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				var words bytes.Buffer
				cmd.Stderr = &words
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(pipe)
				found := false
				for !found && lines.Scan() {
					found = strings.Contains(lines.Text(), fmt.Sprintf(`"phase":%q`, rip.phase))
				}
				if !found {
					t.Errorf("it was never %s", rip.phase)
				}
				allowed := []int{exitInterrupted, exitBadSectors}
				if hangup {
					_ = cmd.Process.Signal(syscall.SIGHUP) // the status says whether it came in time
					_, _ = io.Copy(io.Discard, pipe)
				} else {
					pipe.Close()
					allowed = []int{exitBadSectors, exitFailed}
				}
				_ = cmd.Wait()
				status := cmd.ProcessState.ExitCode()
				if hangup && status == exitDone && rip.phase == "reading again" { // the last phase, which may have ended meanwhile
					same(t, filepath.Join(dir, "x.bin"), strings.TrimSuffix(src, "cue")+"bin")
					return
				}
				if !slices.Contains(allowed, status) {
					t.Errorf("exit status %d, want one of %d\n%s", status, allowed, words.String())
				}
				if _, err := os.Stat(filepath.Join(dir, "x.bin")); !hangup && err != nil {
					t.Errorf("it did not run to its end: %v", err)
				}
				part := filepath.Join(dir, "x.bin.part")
				if _, err := os.Stat(part); status == exitInterrupted && err != nil {
					t.Errorf("nothing was kept: %v", err)
				}
				again := exec.Command(exe, "rip", out, "-q", "-d", "sim:"+src)
				if text, err := again.CombinedOutput(); err != nil && status != exitFailed { // which had made all of it
					t.Errorf("the next run: %v\n%s", err, text)
				}
				same(t, filepath.Join(dir, "x.bin"), strings.TrimSuffix(src, "cue")+"bin")
			})
		}
	}
}

// same compares files.
func same(t *testing.T, path, with string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	want, err := os.ReadFile(with)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not %s", path, with)
	}
}

// command returns the path of the command.
func command(t *testing.T) string {
	t.Helper()
	if exe, err := exec.LookPath("spindle"); err == nil { // testscript puts this test's binary there
		return exe
	}
	return buildCommand(t)
}

// A maker is a command that makes files of files, and what it makes in an empty folder.
type maker struct {
	name  string
	args  func(out string) []string
	files []string
}

// makersOf prepares what the commands need in a folder.
func makersOf(t *testing.T, exe, dir string) []maker {
	t.Helper()
	tree := filepath.Join(dir, "tree")
	if err := os.MkdirAll(filepath.Join(tree, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	r := rand.NewChaCha8([32]byte{10})
	for name, size := range map[string]int{"a.dat": 3 << 20, "sub/b.dat": 3 << 20, "c.dat": 5000} {
		b := make([]byte, size)
		_, _ = r.Read(b)
		if err := os.WriteFile(filepath.Join(tree, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	img := filepath.Join(dir, "img.iso")
	if text, err := exec.Command(exe, "make", tree, img).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	audio, err := testdisc.Make(dir, "audio")
	if err != nil {
		t.Fatal(err)
	}
	return []maker{
		{"convert", func(out string) []string { return []string{"convert", img, filepath.Join(out, "x.cue")} }, []string{"x.bin", "x.cue"}},
		{"songs", func(out string) []string { return []string{"convert", audio, filepath.Join(out, "x.flac"), "--split"} },
			[]string{"x (Track 1).flac", "x (Track 2).flac", "x (Track 3).flac", "x (Track 4).flac"}},
		{"make", func(out string) []string { return []string{"make", tree, filepath.Join(out, "x.iso")} }, []string{"x.iso"}},
		{"extract", func(out string) []string { return []string{"extract", img, "-C", out} }, []string{"a.dat", "c.dat", "sub/b.dat"}},
	}
}

// What makes files leaves whole ones or none when it is ended at any moment, by SIGHUP nothing else either; and
// it runs to its end when its output cannot be written.
func TestMakersCutOff(t *testing.T) {
	exe := command(t)
	dir := t.TempDir()
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, m := range makersOf(t, exe, dir) {
		want := filepath.Join(dir, m.name)
		if err := os.Mkdir(want, 0o777); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command(exe, m.args(want)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGKILL} {
			t.Run(m.name+"/"+signal.String(), func(t *testing.T) {
				t.Parallel()
				c := cutter{t: t, exe: exe, want: want, maker: m, random: rand.New(rand.NewPCG(seed, uint64(signal)))}
				const times = 6
				for range times {
					c.once(signal)
				}
				t.Logf("%d of %d were cut off", c.cut, times)
			})
		}
		for _, lost := range []string{"/dev/full", "pipe"} {
			t.Run(m.name+"/"+filepath.Base(lost), func(t *testing.T) {
				t.Parallel()
				got := t.TempDir()
				cmd := exec.Command(exe, append(m.args(got), "--json")...)
				cmd.Stdout = lostOutput(t, lost)
				_ = cmd.Run()
				if code := cmd.ProcessState.ExitCode(); code != exitFailed {
					t.Errorf("exit status %d", code)
				}
				for _, name := range m.files {
					same(t, filepath.Join(got, name), filepath.Join(want, name))
				}
			})
		}
	}
}

// lostOutput opens what cannot be written to: a device that is full, or a pipe that nobody reads.
func lostOutput(t *testing.T, what string) *os.File {
	t.Helper()
	if what != "pipe" {
		f, err := os.OpenFile(what, os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() { w.Close() })
	return w
}

// A cutter ends a command at some moment, and looks at what is left.
type cutter struct {
	t         *testing.T
	exe, want string
	maker     maker
	random    *rand.Rand
	fuse      fuse
	cut       int
}

func (c *cutter) once(signal syscall.Signal) {
	got := c.t.TempDir()
	cmd := exec.Command(c.exe, append(c.maker.args(got), "-q")...)
	var words bytes.Buffer
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	timer := time.AfterFunc(c.fuse.next(c.random), func() { _ = cmd.Process.Signal(signal) })
	_ = cmd.Wait()
	timer.Stop()
	left := c.left(got)
	whole := len(left) == len(c.maker.files)
	switch code := cmd.ProcessState.ExitCode(); {
	case code == exitDone:
		c.fuse.adjust(false, true)
		if !whole {
			c.t.Errorf("it ended with 0, and made only %q", left)
		}
	case code == exitInterrupted && signal == syscall.SIGHUP:
		c.cut++
		c.fuse.adjust(true, false)
		if len(left) > 0 && c.maker.name != "extract" && !whole { // files that were extracted before are kept
			c.t.Errorf("interrupted, it left %q", left)
		}
	case code == -1: // before it could hear the signal, or killed
		c.cut++
		c.fuse.adjust(len(left) > 0, false)
	default:
		c.t.Errorf("exit status %d\n%s", code, words.String())
	}
	for _, name := range left {
		if slices.Contains(c.maker.files, name) {
			same(c.t, filepath.Join(got, name), filepath.Join(c.want, name))
		} else if signal != syscall.SIGKILL {
			c.t.Errorf("%s was left", name)
		}
	}
	if text, err := exec.Command(c.exe, append(c.maker.args(got), "-q", "--force")...).CombinedOutput(); err != nil {
		c.t.Errorf("once more: %v\n%s", err, text)
	}
	for _, name := range c.maker.files {
		same(c.t, filepath.Join(got, name), filepath.Join(c.want, name))
	}
}

// left lists the files below a folder.
func (c *cutter) left(dir string) []string {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		c.t.Error(err)
	}
	return names
}
