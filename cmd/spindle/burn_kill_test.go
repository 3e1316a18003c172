//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spindle/disc"
	"spindle/image"
	"spindle/internal/testdisc"
)

// burnKills is how many times a burn is killed; 200 with SPINDLE_CAMPAIGN=all.
const burnKills = 40

// Killing a burn with SIGKILL at any moment leaves a disc that reburn completes,
// or says that it cannot.
func TestBurnKilled(t *testing.T) {
	exe, err := exec.LookPath("spindle")
	if err != nil {
		exe = buildCommand(t)
	}
	src, err := testdisc.Make(t.TempDir(), "data")
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	total := burnKills
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" {
		total = 200
	}
	var wg sync.WaitGroup
	var goneOn atomic.Int64
	const workers = 4
	for w := range workers {
		wg.Go(func() {
			k := &burnKiller{t: t, exe: exe, src: src, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, uint64(w)))}
			for i := range total / workers {
				k.once(i)
			}
			t.Logf("worker %d: %s", w, k.count())
			goneOn.Add(int64(k.ways["from where it was cut off"]))
		})
	}
	wg.Wait()
	if goneOn.Load() == 0 && total == 200 {
		t.Error("no burn was ever resumed: this tests too little")
	}
}

// Killing a raw burn of several tracks leaves a simulated disc that can still be looked at.
func TestRawBurnKilled(t *testing.T) {
	exe, err := exec.LookPath("spindle")
	if err != nil {
		exe = buildCommand(t)
	}
	src, err := testdisc.Make(t.TempDir(), "mixed")
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k := &burnKiller{t: t, exe: exe, src: src, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 9))}
	killed := 0
	for n := range 8 {
		drive := fmt.Sprintf("sim:%s?media=cd-r", filepath.Join(k.dir, fmt.Sprintf("raw%d.cue", n)))
		code, text := k.run(time.Millisecond+k.fuse.next(k.random), "burn", src, "-q", "--mode", "raw", "--no-verify", "-d", drive+"&pace=150&speed=4")
		switch code {
		case exitDone:
			k.fuse.adjust(false, true)
		case -1:
			killed++
			k.fuse.adjust(false, false) // later, until one comes to its end
		default:
			t.Errorf("exit status %d\n%s", code, text)
		}
		if code, text := k.run(0, "info", "-d", drive); code != exitDone {
			t.Errorf("after the kill: exit status %d\n%s", code, text)
		}
	}
	t.Logf("%d were killed", killed)
}

// burnKiller kills burns in one folder.
type burnKiller struct {
	t        *testing.T
	exe, src string
	dir      string
	random   *rand.Rand
	ways     map[string]int
	fuse     fuse
}

func (k *burnKiller) count() string {
	return strings.TrimPrefix(fmt.Sprint(k.ways), "map")
}

// run runs spindle, and kills it after a time unless that is zero.
func (k *burnKiller) run(kill time.Duration, args ...string) (code int, stderr string) {
	cmd := exec.Command(k.exe, args...)
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(k.dir, "state"), "NO_COLOR=1")
	var b bytes.Buffer
	cmd.Stderr = &b
	if err := cmd.Start(); err != nil {
		k.t.Error(err)
		return -1, ""
	}
	if kill > 0 {
		timer := time.AfterFunc(kill, func() { cmd.Process.Kill() })
		defer timer.Stop()
	}
	// The exit status is what counts.
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), b.String()
}

// once burns on a new disc, kills that, and burns again.
func (k *burnKiller) once(n int) {
	if k.ways == nil {
		k.ways = make(map[string]int)
	}
	media := []string{"dvd+r", "dvd+rw", "bd-r", "cd-rw", "bd-re", "dvd-rw", "cd-r", "dvd-ram"}[n%8]
	ext := ".iso"
	if strings.HasPrefix(media, "cd") {
		ext = ".cue"
	}
	path := filepath.Join(k.dir, fmt.Sprintf("%d%s", n, ext))
	// At this pace a whole burn takes some tenths of a second.
	drive := "sim:" + path + "?media=" + media
	code, text := k.run(time.Millisecond+k.fuse.next(k.random), "burn", k.src, "-q", "-d", drive+"&pace=150&speed=4")
	switch code {
	case exitDone:
		k.ways["came to its end"]++
		k.fuse.adjust(false, true)
		k.compare(path, media)
		return
	case -1:
	default:
		k.t.Errorf("%s: exit status %d\n%s", media, code, text)
		return
	}
	if n%2 == 1 { // what resumes may be killed, too
		if code, _ = k.run(time.Millisecond+k.fuse.next(k.random), "reburn", "-q", "-d", drive+"&pace=150"); code == exitDone {
			k.ways["reburned before it was killed"]++
			k.compare(path, media)
			return
		}
	}
	code, text = k.run(0, "reburn", "-d", drive)
	switch {
	case strings.Contains(text, "there is no failed burn"): // killed before it began
		k.ways["had not begun"]++
		k.fuse.adjust(false, false)
		return
	case code == exitNoDisc && strings.Contains(text, "a fresh disc is needed") && (media == "cd-r" || media == "dvd+r" || media == "bd-r"):
		k.ways["needs a fresh disc"]++
		code, text = k.run(0, "reburn", "-d", strings.Replace(drive, path, strings.TrimSuffix(path, ext)+"-fresh"+ext, 1))
		path = strings.TrimSuffix(path, ext) + "-fresh" + ext
	case code == exitNoDisc && strings.Contains(text, "Add --force") &&
		(strings.Contains(text, "data of an unknown kind") || strings.Contains(text, "what the drive could not read")):
		// So little was written, or can be read, that the disc may as well be another.
		k.ways["asked"]++
		code, text = k.run(0, "reburn", "--force", "-d", drive)
	default:
		if _, way, ok := strings.Cut(text, "Plan   "); ok {
			way, _, _ = strings.Cut(way, ",")
			way, _, _ = strings.Cut(way, " (")
			k.ways[way]++
		}
	}
	if code != exitDone {
		k.t.Errorf("%s: reburn: exit status %d\n%s", media, code, text)
		return
	}
	k.compare(path, media)
}

// compare makes sure that the disc holds the image.
func (k *burnKiller) compare(path, media string) {
	want, err := image.Open(context.Background(), k.src)
	if err != nil {
		k.t.Error(err)
		return
	}
	defer want.Close()
	got, err := image.Open(context.Background(), path)
	if err != nil {
		k.t.Errorf("%s: %v", media, err)
		return
	}
	defer got.Close()
	track := want.Layout().Tracks()[0]
	size := int(track.End-track.Start) * 2048
	a, b := make([]byte, size), make([]byte, size)
	if _, err := image.UserData(context.Background(), want, track).ReadAt(a, 0); err != nil {
		k.t.Error(err)
	}
	on := got.Layout().Tracks()[0]
	if _, err := image.UserData(context.Background(), got, on).ReadAt(b, 0); err != nil {
		k.t.Errorf("%s: %v", media, err)
	}
	for i := range size / 2048 {
		if !bytes.Equal(a[i*2048:(i+1)*2048], b[i*2048:(i+1)*2048]) {
			k.t.Errorf("%s: sector %d of the disc is wrong", media, disc.LBA(i))
			return
		}
	}
}
