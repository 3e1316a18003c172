package image_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"spindle/image"
	"spindle/image/audio"
	"spindle/internal/corpus"
	"spindle/internal/testdisc"
	"spindle/internal/testdisc/testimage"

	gocmp "github.com/google/go-cmp/cmp"
)

// What is on test discs, as a file system: data, audio, and both.
func TestContents(t *testing.T) {
	for name, want := range map[string][]string{
		"demo":  {"readme.txt", "docs/numbers.txt", "Track 02.wav"},
		"audio": {"Track 01.wav", "Track 02.wav"},
		"iso":   {"numbers.txt"},
	} {
		img := testimage.Open(t, name)
		c, err := image.OpenContents(t.Context(), img, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(c, want...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := image.OpenContents(t.Context(), img, 99); err == nil {
			t.Errorf("%s has a track 99", name)
		}
	}
}

// One track alone, and its samples as a WAVE file.
func TestContentsOfTrack(t *testing.T) {
	img := testimage.Open(t, "demo")
	c, err := image.OpenContents(t.Context(), img, 2)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range list {
		names = append(names, d.Name())
	}
	if diff := gocmp.Diff([]string{"Track 02.wav"}, names); diff != "" {
		t.Error(diff)
	}
	b, err := fs.ReadFile(c, "Track 02.wav")
	info, serr := c.Stat("Track 02.wav")
	if err != nil || serr != nil || int64(len(b)) != info.Size() || string(b[:4]) != "RIFF" {
		t.Errorf("%d bytes, %v, %v", len(b), err, serr)
	}
}

// The audio of a disc, file after file, is all that its audio tracks hold.
func TestContentsHoldAllAudio(t *testing.T) {
	for _, name := range []string{"audio", "hidden", "mixed", "cdextra", "tracks99"} {
		img := testimage.Open(t, name)
		want := sha256.New()
		for _, tr := range img.Layout().Tracks() {
			if tr.Mode.IsData() {
				continue
			}
			if _, err := io.Copy(want, image.Sectors(t.Context(), img, tr.Begin(), tr.End)); err != nil {
				t.Fatal(err)
			}
		}
		got, files := sha256.New(), 0
		for _, song := range audio.Songs(img.Layout()) {
			c, err := image.OpenContents(t.Context(), img, cmp.Or(song.Number, image.HiddenTrack))
			if err != nil {
				t.Fatal(err)
			}
			b, err := fs.ReadFile(c, fmt.Sprintf("Track %02d.wav", song.Number))
			if err != nil {
				t.Fatal(err)
			}
			got.Write(b[len(audio.WaveHeader(0)):])
			files++
		}
		if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
			t.Errorf("%s: the %d files are not the audio of the disc", name, files)
		}
	}
}

// The image of a later session alone has its directories behind its end.
func TestLaterSessionAlone(t *testing.T) {
	path, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const rootRecord = 16*2048 + 156 // in the primary volume descriptor (ECMA-119, 8.4.18)
	binary.LittleEndian.PutUint32(b[rootRecord+2:], 5767)
	binary.BigEndian.PutUint32(b[rootRecord+6:], 5767)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if _, err := image.OpenContents(t.Context(), img, 0); !errors.Is(err, image.ErrElsewhere) {
		t.Errorf("%v", err)
	}
}

// A file system that counts its blocks from elsewhere opens where its root directory is found,
// and what it has in the sessions before is an error.
func TestLaterSessionAloneOpens(t *testing.T) {
	img, err := image.Open(t.Context(), corpus.Path(t, "formats", "made", "dc.iso"))
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	whole, err := image.Open(t.Context(), corpus.Path(t, "formats", "made", "dc-audio-data.cdi"))
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	a, err := image.OpenContents(t.Context(), img, 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := image.OpenContents(t.Context(), whole, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"noise.bin", "sub/file1.txt"} {
		x, err := fs.ReadFile(a, name)
		y, err2 := fs.ReadFile(b, name)
		if err != nil || err2 != nil || len(x) == 0 || !bytes.Equal(x, y) {
			t.Errorf("%s: %v, %v", name, err, err2)
		}
	}
}
