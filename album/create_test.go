package album

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/meta"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/format"
	"spindle/image/riplog"
	"spindle/internal/testdisc/testimage"
)

// An album is the disc: what its sheet opens has the same tracks and the same sectors.
func TestAlbumIsTheDisc(t *testing.T) {
	for label, o := range map[string]Options{"flac": {}, "one": {OneFile: true, EmbedSheet: true}, "wav": {Coding: Wave}} {
		for _, name := range []string{"audio", "mixed", "cdextra", "hidden"} {
			if testing.Short() && name != "mixed" {
				continue // the race detector makes each many times as long
			}
			t.Run(name+"/"+label, func(t *testing.T) {
				t.Parallel()
				img := testimage.Open(t, name)
				dir := t.TempDir()
				made, err := Create(t.Context(), dir, Of(img.Layout()), img, o)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range made.Files {
					if filepath.Dir(f) != dir {
						t.Errorf("%s is not in the folder", f)
					}
				}
				again, err := image.Open(t.Context(), made.Sheet)
				if err != nil {
					t.Fatal(err)
				}
				defer again.Close()
				compare(t, img, again)
				checkReadBack(t, img, made)
			})
		}
	}
}

// checkReadBack damages each file in turn.
func checkReadBack(t *testing.T, img disc.Image, made *Created) {
	t.Helper()
	last := int64(0)
	if err := made.ReadBack(t.Context(), img, func(done, total int64) { last = total - done }); err != nil || last != 0 {
		t.Errorf("%v, %d bytes short", err, last)
	}
	paths := map[string]bool{}
	for _, s := range made.Songs {
		paths[s.Path] = true
	}
	for _, d := range made.Data {
		paths[d.Path] = true
	}
	for path := range paths {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bad := bytes.Clone(whole)
		bad[len(bad)/2] ^= 1
		for _, b := range [][]byte{bad, whole[:len(whole)-4000], nil} {
			if err := os.WriteFile(path, b, 0o666); err != nil {
				t.Fatal(err)
			}
			if made.ReadBack(t.Context(), img, nil) == nil {
				t.Errorf("%s is taken for whole, with %d of %d bytes", path, len(b), len(whole))
			}
		}
		if err := os.WriteFile(path, whole, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func compare(t *testing.T, a, b disc.Image) {
	t.Helper()
	tracks := a.Layout().Tracks()
	if n := len(b.Layout().Tracks()); n != len(tracks) {
		t.Fatalf("%d tracks, not %d", n, len(tracks))
	}
	for i, x := range tracks {
		y := b.Layout().Tracks()[i]
		if x.Start != y.Start || x.End != y.End || x.Pregap != y.Pregap || x.Mode != y.Mode || x.ISRC != y.ISRC || len(x.Indexes) != len(y.Indexes) {
			t.Errorf("%+v, not %+v", *y, *x)
			continue
		}
		p, q := make([]byte, x.Sectors()*cdsector.Size), make([]byte, x.Sectors()*cdsector.Size)
		if err := errors.Join(a.ReadSectors(t.Context(), p, x.Begin()), b.ReadSectors(t.Context(), q, y.Begin())); err != nil {
			t.Error(err)
		} else if !bytes.Equal(p, q) {
			t.Errorf("track %d differs", x.Number)
		}
	}
}

// Some songs only, and a sheet that says so. Others are added to them.
func TestSomeSongs(t *testing.T) {
	img := testimage.Open(t, "audio")
	dir := t.TempDir()
	made, err := Create(t.Context(), dir, Of(img.Layout()), img, Options{Only: []int{2}})
	if err != nil || len(made.Files) != 2 || made.Sheet != made.Files[1] || len(made.Songs) != 1 || made.Songs[0].Number != 2 {
		t.Fatalf("%+v, %v", made, err)
	}
	sheet, err := os.ReadFile(made.Sheet)
	if err != nil || !bytes.Contains(sheet, []byte("REM ABSENT 1 3 4\r\n")) ||
		!bytes.Contains(sheet, []byte("    REM ABSENT 00:06:20\r\n    INDEX 01 00:00:00\r\n  TRACK 02 AUDIO")) || bytes.Count(sheet, []byte("REM ABSENT")) != 4 {
		t.Errorf("%v\n%s", err, sheet)
	}
	part, err := image.Open(t.Context(), made.Sheet)
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	first, end := made.Songs[0].First, made.Songs[0].End
	if absent := (disc.Flaws{{First: 0, Count: int(first), Kind: disc.Unread}, {First: end, Count: int(img.Layout().End() - end), Kind: disc.Unread}}); !slices.Equal(part.Flaws(), absent) ||
		part.Layout().End() != img.Layout().End() || len(part.Layout().CDText) == 0 {
		t.Errorf("flaws %v, not %v", part.Flaws(), absent)
	}
	kept := []riplog.Song{{Number: 2, File: filepath.Base(made.Songs[0].Path), First: made.Songs[0].First, End: made.Songs[0].End}}
	for force, want := range map[bool]error{false: format.ErrExists, true: nil} {
		if _, err := Create(t.Context(), dir, Of(img.Layout()), img, Options{Kept: kept, Force: force}); !errors.Is(err, want) {
			t.Errorf("force %t: %v", force, err)
		}
	}
	whole, err := image.Open(t.Context(), made.Sheet)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	compare(t, img, whole)
	all, err := Create(t.Context(), t.TempDir(), Of(img.Layout()), img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all.Songs {
		if s.Number == 2 && s.Sums != made.Songs[0].Sums {
			t.Errorf("%+v, and in all %+v", made.Songs[0].Sums, s.Sums)
		}
	}
	if _, err := Create(t.Context(), dir, Of(img.Layout()), img, Options{Only: []int{77}}); !errors.Is(err, format.ErrNoTrack) {
		t.Error(err)
	}
}

func TestNothingIsReplaced(t *testing.T) {
	img := testimage.Open(t, "audio")
	dir := t.TempDir()
	a := Of(img.Layout())
	if _, err := Create(t.Context(), dir, a, img, Options{}); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadDir(dir)
	if _, err := Create(t.Context(), dir, a, img, Options{}); !errors.Is(err, format.ErrExists) {
		t.Error(err)
	}
	if _, err := Create(t.Context(), dir, a, img, Options{Force: true}); err != nil {
		t.Error(err)
	}
	if after, _ := os.ReadDir(dir); len(after) != len(before) {
		t.Errorf("%d files, then %d", len(before), len(after))
	}
}

// What is not right in the disc is not right in the songs.
func TestFlawsOfSongs(t *testing.T) {
	img := testimage.Open(t, "audio")
	t2 := img.Layout().Tracks()[1]
	flawed := disc.WithFlaws(img, disc.FlawsOf(disc.Flaw{First: t2.Start + 5, Count: 3, Kind: disc.Unread}))
	made, err := Create(t.Context(), t.TempDir(), Of(img.Layout()), flawed, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range made.Songs {
		if want := 3; s.Number == 2 && s.Flawed != want || s.Number != 2 && s.Flawed != 0 {
			t.Errorf("song %d has %d", s.Number, s.Flawed)
		}
	}
	if len(made.Maps) != 2 || !strings.HasSuffix(made.Maps[0], ".cue.map") {
		t.Errorf("maps: %q", made.Maps)
	}
	again, err := image.Open(t.Context(), made.Sheet)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if f := again.Flaws(); len(f) != 1 || f[0].First != t2.Start+5 || f[0].Count != 3 {
		t.Errorf("%v", f)
	}
}

func TestNoAudio(t *testing.T) {
	img := testimage.Open(t, "data")
	if _, err := Create(t.Context(), t.TempDir(), Of(img.Layout()), img, Options{}); !errors.Is(err, ErrNoAudio) {
		t.Error(err)
	}
}

// Every song says how to bring it, and the album, to the loudness that players want.
func TestGains(t *testing.T) {
	img := testimage.Open(t, "audio")
	made, err := Create(t.Context(), t.TempDir(), Of(img.Layout()), img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	albums := map[string]bool{}
	for _, s := range made.Songs {
		f, err := flac.ParseFile(s.Path)
		if err != nil {
			t.Fatal(err)
		}
		tags := map[string]string{}
		for _, b := range f.Blocks {
			if c, ok := b.Body.(*meta.VorbisComment); ok {
				for _, x := range c.Tags {
					tags[x[0]] = x[1]
				}
			}
		}
		f.Close()
		if !strings.HasSuffix(tags["REPLAYGAIN_TRACK_GAIN"], " dB") || tags["REPLAYGAIN_REFERENCE_LOUDNESS"] != "-18.00 LUFS" || tags["TITLE"] == "" {
			t.Errorf("%s: %v", s.Path, tags)
		}
		albums[tags["REPLAYGAIN_ALBUM_GAIN"]+tags["REPLAYGAIN_ALBUM_PEAK"]] = true
	}
	if len(albums) != 1 {
		t.Errorf("gains of the album: %v", albums)
	}
}
