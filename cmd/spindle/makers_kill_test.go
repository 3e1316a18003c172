//go:build unix

package main

import (
	"bytes"
	"fmt"
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

// A maker is a command that makes files, and what it makes in an empty folder.
type maker struct {
	name   string
	before func(out string) []string // a command that is run first, or nil
	args   func(out string) []string
	files  []string
	keeps  func(name string) bool // whether something else may be left of an interrupted one; nil: nothing
	// partial: an interrupted one leaves what is whole.
	partial bool
	again   []string // what is added to the command when it is given once more
	says    string   // when it is interrupted
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
	force := []string{"--force"}
	return slices.Concat([]maker{
		{name: "convert", args: func(out string) []string { return []string{"convert", img, filepath.Join(out, "x.cue")} },
			files: []string{"x.bin", "x.cue"}, again: force, says: "nothing was made"},
		{name: "songs", args: func(out string) []string { return []string{"convert", audio, filepath.Join(out, "x.flac"), "--split"} },
			files: []string{"x (Track 1).flac", "x (Track 2).flac", "x (Track 3).flac", "x (Track 4).flac"}, again: force, says: "nothing was made"},
		{name: "make", args: func(out string) []string { return []string{"make", tree, filepath.Join(out, "x.iso")} },
			files: []string{"x.iso"}, again: force, says: "nothing was made"},
		{name: "extract", args: func(out string) []string { return []string{"extract", img, "-C", out} },
			files: []string{"a.dat", "c.dat", "sub/b.dat"}, again: force, says: "--force", partial: true},
	}, ripMakers(t, dir), mergeMakers(t, exe, dir))
}

// ripMakers rip an image by way of a raw rip, and albums: a whole one, and what is missing of one, after which its first song, too, states the gain of all.
func ripMakers(t *testing.T, dir string) []maker {
	disc, err := testdisc.Make(dir, "cdtext")
	if err != nil {
		t.Fatal(err)
	}
	rip := func(more ...string) func(out string) []string {
		return func(out string) []string {
			return append([]string{"rip", out + "/Songs/", "-d", "sim:" + disc + "?pace=200"}, more...)
		}
	}
	m := maker{name: "album", args: rip(), says: "kept",
		files: []string{"Songs/01 - First.flac", "Songs/02 - Second.flac", "Songs/Album.cue"},
		keeps: func(name string) bool {
			return strings.HasPrefix(name, "Songs/"+rawFolder) || name == "Songs/Album.log" || name == "Songs/Album.cdt"
		}}
	chd := maker{name: "raw rip", says: "kept", files: []string{"x.chd"}, args: func(out string) []string {
		return []string{"rip", out + "/x.chd", "--lossy", "-d", "sim:" + disc + "?pace=200"}
	}, keeps: func(name string) bool { return strings.HasPrefix(name, ".x.chd"+rawFolder) }}
	rest := m
	rest.name, rest.before, rest.partial = "rest of album", rip("--track", "1"), true
	return []maker{m, rest, chd}
}

// mergeMakers merge images, and verify one, which makes nothing.
func mergeMakers(t *testing.T, exe, dir string) []maker {
	disc, err := testdisc.Make(dir, "data")
	if err != nil {
		t.Fatal(err)
	}
	in := []string{filepath.Join(dir, "in1.cue"), filepath.Join(dir, "in2.cue")}
	for i, path := range in {
		cmd := exec.Command(exe, "rip", "-q", path, "--retries", "0", "-d", fmt.Sprintf("sim:%s?fault=read:%d00-%[2]d20", disc, i+1))
		if _ = cmd.Run(); cmd.ProcessState.ExitCode() != exitBadSectors {
			t.Fatal(cmd.ProcessState)
		}
	}
	return []maker{
		{name: "merge", args: func(out string) []string { return []string{"merge", in[0], in[1], filepath.Join(out, "x.cue")} },
			files: []string{"x.bin", "x.cue"}, again: []string{"--force"}, says: "nothing was made",
			keeps: func(name string) bool { return name == "x.cue.merge" }},
		{name: "verify", before: func(out string) []string { return []string{"convert", disc, filepath.Join(out, "x.nrg")} },
			args: func(out string) []string { return []string{"verify", filepath.Join(out, "x.nrg")} }, files: []string{"x.nrg"}, says: "nothing was changed"},
	}
}

// undisturbed runs a maker to its end in a folder.
func (m maker) undisturbed(t *testing.T, exe, dir string) {
	t.Helper()
	m.prepare(t, exe, dir)
	if text, err := exec.Command(exe, m.args(dir)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// prepare runs what comes before the command.
func (m maker) prepare(t *testing.T, exe, dir string) {
	t.Helper()
	if m.before == nil {
		return
	}
	if text, err := exec.Command(exe, m.before(dir)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// cutOffs is how many times each maker is cut off by each signal; 40 with SPINDLE_CAMPAIGN=all.
const cutOffs = 4

// What makes files leaves whole ones or none when it is killed or ended at any moment, by SIGHUP nothing else either; what
// makes none leaves nothing; and all run to their end when their output cannot be written. The next run makes what
// one makes that nothing disturbs.
func TestMakersKilled(t *testing.T) {
	exe := command(t)
	dir := t.TempDir()
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	times := cutOffs
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" {
		times = 40
	}
	for _, m := range makersOf(t, exe, dir) {
		want := filepath.Join(dir, m.name)
		if err := os.Mkdir(want, 0o777); err != nil {
			t.Fatal(err)
		}
		m.undisturbed(t, exe, want)
		for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGKILL} {
			t.Run(m.name+"/"+signal.String(), func(t *testing.T) {
				heeded(t, signal)
				t.Parallel()
				c := cutter{t: t, exe: exe, want: want, maker: m, random: rand.New(rand.NewPCG(seed, uint64(signal)))}
				for range times {
					c.once(signal)
				}
				t.Logf("worker: %d of %d were cut off", c.cut, times)
			})
		}
		for _, lost := range []string{"/dev/full", "pipe"} {
			t.Run(m.name+"/"+filepath.Base(lost), func(t *testing.T) {
				t.Parallel()
				got := t.TempDir()
				m.prepare(t, exe, got)
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
	c.maker.prepare(c.t, c.exe, got)
	was := filesBelow(c.t, got)
	cmd := exec.Command(c.exe, append(c.maker.args(got), "-q")...)
	var words bytes.Buffer
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	timer := time.AfterFunc(c.fuse.next(c.random), func() { _ = cmd.Process.Signal(signal) })
	_ = cmd.Wait()
	timer.Stop()
	left := filesBelow(c.t, got)
	status := cmd.ProcessState.ExitCode()
	c.fuse.adjust(len(left) > len(was), status == exitDone)
	c.judge(status, signal, words.String(), left)
	if len(was) == 0 { // else a file of those that are there already is one that is to change
		c.whole(got, left)
	}
	for _, name := range left {
		if signal != syscall.SIGKILL && !slices.Contains(c.maker.files, name) && (c.maker.keeps == nil || !c.maker.keeps(name)) {
			c.t.Errorf("%s was left", name)
		}
	}
	if status != exitDone {
		if text, err := exec.Command(c.exe, append(c.maker.args(got), c.maker.again...)...).CombinedOutput(); err != nil && !(status == -1 && strings.Contains(string(text), "has the whole album already")) {
			c.t.Errorf("once more: %v\n%s", err, text)
		}
	}
	c.whole(got, c.maker.files)
}

// judge looks at how a command ended.
func (c *cutter) judge(status int, signal syscall.Signal, words string, left []string) {
	all := !slices.ContainsFunc(c.maker.files, func(name string) bool { return !slices.Contains(left, name) })
	some := slices.ContainsFunc(c.maker.files, func(name string) bool { return slices.Contains(left, name) })
	switch {
	case status == exitDone:
		if !all {
			c.t.Errorf("it ended with 0, and made only %q", left)
		}
	case status == exitInterrupted && signal == syscall.SIGHUP:
		c.cut++
		if some && !all && !c.maker.partial {
			c.t.Errorf("interrupted, it left %q", left)
		}
		if !strings.Contains(words, c.maker.says) && !strings.Contains(words, unread) {
			c.t.Errorf("it does not say %q:\n%s", c.maker.says, words)
		}
	case status == -1: // before it could hear the signal, or killed
		c.cut++
	default:
		c.t.Errorf("exit status %d\n%s", status, words)
	}
}

// whole makes sure that those of some files that the command makes are those of a run that nothing disturbed.
func (c *cutter) whole(dir string, names []string) {
	for _, name := range names {
		if slices.Contains(c.maker.files, name) {
			same(c.t, filepath.Join(dir, name), filepath.Join(c.want, name))
		}
	}
}

// filesBelow lists the files below a folder.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return names
}
