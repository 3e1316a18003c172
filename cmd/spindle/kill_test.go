//go:build unix

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"spindle/image/mapfile"
	"spindle/internal/testdisc"
)

// kills is how many times a rip is killed; 200 with SPINDLE_CAMPAIGN=all.
const kills = 40

// fillByte stands for what could not be read; see package rip.
const fillByte = 0x55

// Killing a rip of a damaged disc with SIGKILL at any moment loses no sector that
// the map calls finished, and the next run resumes.
func TestKilled(t *testing.T) {
	exe, err := exec.LookPath("spindle") // testscript puts this test's binary there
	if err != nil {
		exe = buildCommand(t)
	}
	src, err := testdisc.Make(t.TempDir(), "data")
	if err != nil {
		t.Fatal(err)
	}
	truth, err := os.ReadFile(src[:len(src)-len("cue")] + "bin")
	if err != nil {
		t.Fatal(err)
	}
	// Two damaged places that read in the end, and one that never does. At
	// this pace a whole rip takes some tenths of a second.
	drive := "sim:" + src + "?fault=read:300-310:4&fault=read:1500:3&fault=read:1800-1801&speed=4&pace=250"
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	total := kills
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" {
		total = 200
	}
	var wg sync.WaitGroup
	const workers = 4
	for w := range workers {
		wg.Go(func() {
			k := &killer{t: t, exe: exe, drive: drive, truth: truth, dir: t.TempDir(),
				random: rand.New(rand.NewPCG(seed, uint64(w)))}
			for range total / workers {
				k.once()
			}
			k.finish()
			t.Logf("worker %d: %d rips came to their end, the map grew after %d of %d kills", w, k.done, k.grew, total/workers)
			if k.grew == 0 {
				t.Error("no kill ever left more than before: this tests nothing")
			}
		})
	}
	wg.Wait()
}

func buildCommand(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "spindle")
	if out, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}

// A fuse chooses the moments at which a process is killed. They follow the speed of
// the machine: a process that dies before it did anything gives the next one more
// time, one that came to its end less.
type fuse struct{ longest time.Duration }

// next returns how long to wait before the next kill.
func (f *fuse) next(random *rand.Rand) time.Duration {
	if f.longest == 0 {
		f.longest = 500 * time.Millisecond
	}
	return time.Duration(random.Int64N(int64(f.longest)))
}

// adjust learns from one process.
func (f *fuse) adjust(advanced, ended bool) {
	const least, most = 50 * time.Millisecond, 20 * time.Second
	switch {
	case ended:
		f.longest = max(least, f.longest*4/5)
	case !advanced:
		f.longest = min(most, f.longest*3/2)
	}
}

// killer kills rips in one folder.
type killer struct {
	t        *testing.T
	exe      string
	drive    string
	truth    []byte
	dir      string
	random   *rand.Rand
	fuse     fuse
	finished int64 // bytes the map called finished after the last kill
	done     int   // rips that came to their end
	grew     int
}

func (k *killer) path(name string) string { return filepath.Join(k.dir, name) }

// once starts a rip, kills it at some moment, and checks what is left.
func (k *killer) once() {
	cmd := exec.Command(k.exe, "rip", k.path("x.cue"), "-q", "-d", k.drive)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		k.t.Error(err)
		return
	}
	timer := time.AfterFunc(k.fuse.next(k.random), func() { cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	before := k.grew
	defer func() { k.fuse.adjust(k.grew > before, cmd.ProcessState.ExitCode() != -1) }()
	switch code := cmd.ProcessState.ExitCode(); {
	case err != nil && code == -1: // killed
		k.check()
	case code == exitDone || code == exitBadSectors:
		k.done++
		k.check()
		// Start over: the rest of the kills hit another rip.
		for _, name := range []string{"x.cue", "x.bin", "x.cue.map"} {
			os.Remove(k.path(name))
		}
		k.finished = 0
	default:
		k.t.Errorf("exit status %d\n%s", code, stderr.String())
	}
}

// check makes sure that what the map calls finished is on the disk as it is on
// the disc, and never less than before.
func (k *killer) check() {
	f, err := os.Open(k.path("x.cue.map"))
	if err != nil {
		return // killed before there was one
	}
	defer f.Close()
	m, err := mapfile.Read(f)
	if err != nil {
		k.t.Error(err)
		return
	}
	image, err := os.ReadFile(k.path("x.bin.part"))
	if err != nil {
		image, err = os.ReadFile(k.path("x.bin"))
	}
	if err != nil {
		if m.Count(mapfile.NonTried) != m.Size() {
			k.t.Errorf("the map speaks of an image that is not there: %v", err)
		}
		return
	}
	for _, b := range m.Blocks() {
		if b.Status != mapfile.Finished {
			continue
		}
		if b.End() > int64(len(image)) || !bytes.Equal(image[b.Pos:b.End()], k.truth[b.Pos:b.End()]) {
			k.t.Errorf("bytes %d to %d are called finished, and are not those of the disc", b.Pos, b.End())
		}
	}
	now := m.Count(mapfile.Finished)
	if now < k.finished {
		k.t.Errorf("%d bytes were finished, now only %d", k.finished, now)
	}
	if now > k.finished {
		k.grew++
	}
	k.finished = now
	k.ask(f.Name())
}

// ask lets GNU ddrescue judge the map, where it is installed.
func (k *killer) ask(path string) {
	log, err := exec.LookPath("ddrescuelog")
	if err != nil {
		return
	}
	if out, err := exec.Command(log, "-t", path).CombinedOutput(); err != nil {
		k.t.Errorf("ddrescuelog: %v\n%s", err, out)
	}
}

// finish lets a rip come to its end and compares the image.
func (k *killer) finish() {
	cmd := exec.Command(k.exe, "rip", k.path("x.cue"), "-q", "--retries", "5", "-d", k.drive)
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != exitBadSectors {
		k.t.Errorf("the last run: %v", err)
	}
	image, err := os.ReadFile(k.path("x.bin"))
	if err != nil {
		k.t.Error(err)
		return
	}
	const bad, n = 1800, 2
	for i := range len(k.truth) / 2352 {
		got, want := image[i*2352:(i+1)*2352], k.truth[i*2352:(i+1)*2352]
		if i >= bad && i < bad+n {
			if got[100] != fillByte {
				k.t.Errorf("sector %d is not filled", i)
			}
		} else if !bytes.Equal(got, want) {
			k.t.Errorf("sector %s is wrong", strconv.Itoa(i))
		}
	}
}
