package album

import (
	"bytes"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"spindle/disc/cdsector"
	"spindle/image/audio/flacenc"
	"spindle/image/riplog"
	"spindle/internal/testdisc/testimage"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/meta"
)

// tagsOf reads the comments of a FLAC file.
func tagsOf(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := flac.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tags := map[string]string{}
	for _, b := range f.Blocks {
		if c, ok := b.Body.(*meta.VorbisComment); ok {
			for _, x := range c.Tags {
				tags[x[0]] = x[1]
			}
		}
	}
	return tags
}

// When the last songs of an album are made, all have the gain of the album, as if they had been made together, and nothing else of
// those that were there changes. A song that is not what its log says stays as it is.
func TestGainOfAlbumMadeInParts(t *testing.T) {
	img := testimage.Open(t, "audio")
	together, err := Create(t.Context(), t.TempDir(), Of(img.Layout()), img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change   func(path string, s *riplog.Song) error // of song 3
		whole    bool                                    // nothing gets the gain
		left     bool                                    // it does not get it
		regained []int
	}{
		"as it was made": {func(string, *riplog.Song) error { return nil }, false, false, []int{1, 3}},
		"other samples":  {func(_ string, s *riplog.Song) error { s.CRC32++; return nil }, true, true, nil},
		"cut":            {func(path string, _ *riplog.Song) error { return os.Truncate(path, 20000) }, true, true, nil},
		"a link": {func(path string, _ *riplog.Song) error {
			return errors.Join(os.Rename(path, path+"x"), os.Symlink(path+"x", path))
		}, false, true, []int{1}},
	} {
		dir := t.TempDir()
		a := Of(img.Layout())
		first, err := Create(t.Context(), dir, a, img, Options{Only: []int{1, 3}})
		if err != nil {
			t.Fatal(err)
		}
		if tags := tagsOf(t, first.Songs[0].Path); tags["REPLAYGAIN_ALBUM_GAIN"] != "" || tags["REPLAYGAIN_TRACK_GAIN"] == "" {
			t.Errorf("%s: two of four songs: %v", name, tags)
		}
		var kept []riplog.Song
		for _, m := range first.Songs {
			kept = append(kept, riplog.Song{Number: m.Number, File: filepath.Base(m.Path), First: m.First, End: m.End, CRC32: m.CRC32})
		}
		if err := test.change(first.Songs[1].Path, &kept[1]); err != nil {
			t.Fatal(err)
		}
		for _, m := range first.Songs {
			if err := errors.Join(os.Chmod(m.Path, 0o640), os.Chtimes(m.Path, time.Time{}, longAgo)); err != nil {
				t.Fatal(err)
			}
		}
		was, err := os.ReadFile(first.Songs[1].Path)
		if err != nil {
			t.Fatal(err)
		}
		rest, err := Create(t.Context(), dir, a, img, Options{Only: []int{2, 4}, Kept: kept, Force: true})
		if err != nil {
			t.Fatal(err)
		}
		if test.left != (len(rest.Gains) == 1) || test.left && (rest.Gains[0].Whole != test.whole || rest.Gains[0].File != kept[1].File) {
			t.Errorf("%s: %v", name, rest.Gains)
		}
		is, err := os.ReadFile(first.Songs[1].Path)
		if err != nil || test.left != (string(is) == string(was)) {
			t.Errorf("%s: changed, or not: %v", name, err)
		}
		if want := test.regained; !slices.Equal(rest.Regained, want) {
			t.Errorf("%s: songs %v got new tags, not %v", name, rest.Regained, want)
		}
		for _, m := range first.Songs {
			if st, err := os.Stat(m.Path); err != nil || st.Mode() != 0o640 || !st.ModTime().Equal(longAgo) {
				t.Errorf("%s, song %d: %v, %v", name, m.Number, st, err)
			}
		}
		for i, path := range []string{first.Songs[0].Path, rest.Songs[0].Path, first.Songs[1].Path, rest.Songs[1].Path} {
			if i == 2 && test.left {
				continue
			}
			want, got := tagsOf(t, together.Songs[i].Path), tagsOf(t, path)
			for _, name := range []string{"REPLAYGAIN_ALBUM_GAIN", "REPLAYGAIN_ALBUM_PEAK"} {
				if test.whole {
					delete(want, name)
				}
			}
			for k, v := range want {
				if got[k] != v {
					t.Errorf("%s, song %d: %s is %q, not %q", name, i+1, k, got[k], v)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%s, song %d: %v", name, i+1, got)
			}
		}
	}
}

// Made in parts, an album of WAVE files is byte by byte what it is when it is made at once.
func TestGainOfWaveAlbum(t *testing.T) {
	img := testimage.Open(t, "audio")
	together, err := Create(t.Context(), t.TempDir(), Of(img.Layout()), img, Options{Coding: Wave})
	if err != nil {
		t.Fatal(err)
	}
	dir, a := t.TempDir(), Of(img.Layout())
	first, err := Create(t.Context(), dir, a, img, Options{Coding: Wave, Only: []int{1, 3}})
	if err != nil {
		t.Fatal(err)
	}
	var kept []riplog.Song
	for _, m := range first.Songs {
		kept = append(kept, riplog.Song{Number: m.Number, File: filepath.Base(m.Path), First: m.First, End: m.End, CRC32: m.CRC32})
	}
	rest, err := Create(t.Context(), dir, a, img, Options{Coding: Wave, Only: []int{2, 4}, Kept: kept, Force: true})
	if err != nil || len(rest.Gains) > 0 || !slices.Equal(rest.Regained, []int{1, 3}) {
		t.Fatal(err, rest.Gains, rest.Regained)
	}
	for _, m := range together.Songs {
		want, err := os.ReadFile(m.Path)
		got, gerr := os.ReadFile(filepath.Join(dir, filepath.Base(m.Path)))
		if err != nil || gerr != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, %v, or not the same", m.Path, err, gerr)
		}
	}
}

// What has the tags that it should have is not touched, nor what a checksum file names, or another program gave its gain.
func TestGainOfAlbumLeaves(t *testing.T) {
	img := testimage.Open(t, "audio")
	const list = "mine.sfv"
	for name, test := range map[string]struct {
		change   func(path string) error // of song 2
		want     error                   // why it is left
		regained bool
	}{
		"nothing changed": {},
		"no gain of the album": {func(path string) error {
			return edit(path, func(c [2]string) bool { return !strings.HasPrefix(c[0], albumPrefix) })
		}, nil, true},
		"no gain": {func(path string) error {
			return edit(path, func(c [2]string) bool { return !strings.HasPrefix(c[0], gainPrefix) })
		}, nil, true},
		"gain of another program": {func(path string) error {
			return edit(path, func(c [2]string) bool { return c[0] != "REPLAYGAIN_TRACK_GAIN" }, [2]string{"replaygain_track_gain", "+9.00 dB"})
		}, errOtherGain, false},
		"reference of another program": {func(path string) error {
			return edit(path, func([2]string) bool { return true }, [2]string{"REPLAYGAIN_REFERENCE_LOUDNESS", "89.0 dB"})
		}, errOtherGain, false},
		"named by a checksum file": {func(path string) error {
			return errors.Join(edit(path, func(c [2]string) bool { return !strings.HasPrefix(c[0], albumPrefix) }),
				os.WriteFile(filepath.Join(filepath.Dir(path), list), []byte(filepath.Base(path)+" 00000000\n"), 0o666))
		}, &summedError{}, false},
		"not a FLAC file": {func(path string) error { // but one of the same samples
			r, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, append([]byte("ID3\x04\x00\x00\x00\x00\x00\x00"), r...), 0o666))
		}, errForm, false},
	} {
		dir := t.TempDir()
		a := Of(img.Layout())
		first, err := Create(t.Context(), dir, a, img, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var kept []riplog.Song
		for _, m := range first.Songs {
			if m.Number != 3 {
				kept = append(kept, riplog.Song{Number: m.Number, File: filepath.Base(m.Path), First: m.First, End: m.End, CRC32: m.CRC32})
			}
		}
		path := first.Songs[1].Path
		if test.change != nil {
			if err := test.change(path); err != nil {
				t.Fatal(err)
			}
		}
		were := map[string]os.FileInfo{}
		for _, m := range first.Songs {
			if were[m.Path], err = os.Lstat(m.Path); err != nil {
				t.Fatal(err)
			}
		}
		again, err := Create(t.Context(), dir, a, img, Options{Only: []int{3}, Kept: kept, Force: true})
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{2}; test.regained != slices.Equal(again.Regained, want) || !test.regained && again.Regained != nil {
			t.Errorf("%s: songs %v got new tags", name, again.Regained)
		}
		switch {
		case test.want == nil && again.Gains != nil, test.want != nil && len(again.Gains) != 1:
			t.Errorf("%s: %v", name, again.Gains)
		case test.want != nil && !errors.Is(again.Gains[0], test.want) && reflect.TypeOf(again.Gains[0].Err) != reflect.TypeOf(test.want):
			t.Errorf("%s: %v", name, again.Gains[0])
		}
		for i, m := range first.Songs {
			if is, err := os.Lstat(m.Path); err != nil || os.SameFile(is, were[m.Path]) != (i != 2 && (i != 1 || !test.regained)) {
				t.Errorf("%s, song %d: replaced, or not (%v)", name, m.Number, err)
			}
		}
	}
}

// edit changes the comments of a FLAC file: some stay, and others come.
func edit(path string, stays func(c [2]string) bool, more ...[2]string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = flacenc.CopyEdited(&out, bytes.NewReader(b), int64(len(b)), func(c [][2]string) [][2]string {
		return append(slices.DeleteFunc(c, func(c [2]string) bool { return !stays(c) }), more...)
	})
	return errors.Join(err, os.WriteFile(path, out.Bytes(), 0o666))
}

// longAgo is when songs of the tests were changed.
var longAgo = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

// A song that stays, and has other tags than the album, is named.
func TestOtherTags(t *testing.T) {
	img := testimage.Open(t, "audio")
	dir := t.TempDir()
	a := Of(img.Layout())
	made, err := Create(t.Context(), dir, a, img, Options{Only: []int{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	var songs []riplog.Song
	for _, m := range made.Songs {
		songs = append(songs, riplog.Song{Number: m.Number, File: filepath.Base(m.Path)})
	}
	songs = append(songs, riplog.Song{Number: 3, File: "absent.flac"}, riplog.Song{Number: 1, Data: true, File: "x.iso"})
	if other := a.OtherTags(dir, songs); len(other) != 0 {
		t.Errorf("as they were made: %v", other)
	}
	if err := a.Apply([]byte("[2]\nTITLE=Another\n[3]\nTITLE=A third\n")); err != nil {
		t.Fatal(err)
	}
	if other := a.OtherTags(dir, songs); len(other) != 1 || other[0] != 2 {
		t.Errorf("another title: %v", other)
	}
}

// The CRC-32 of a song that stays is of its samples: it is the same with other tags.
func TestRegainKeepsSamples(t *testing.T) {
	img := testimage.Open(t, "audio")
	dir := t.TempDir()
	made, err := Create(t.Context(), dir, Of(img.Layout()), img, Options{Only: []int{2}})
	if err != nil {
		t.Fatal(err)
	}
	m := &made.Songs[0]
	s := riplog.Song{Number: 2, File: filepath.Base(m.Path), First: m.First, End: m.End, CRC32: m.CRC32}
	tags := Tags{{"REPLAYGAIN_ALBUM_GAIN", "-1.00 dB"}}
	for k, v := range tagsOf(t, m.Path) {
		if hasPrefix(k, gainPrefix) {
			tags.Set(k, v)
		}
	}
	if changed, err := regain(t.Context(), m.Path, &s, tags); err != nil || !changed {
		t.Fatal(changed, err)
	}
	p := make([]byte, int(m.End-m.First)*cdsector.Size)
	if err := img.ReadSectors(t.Context(), p, m.First); err != nil {
		t.Fatal(err)
	}
	if found, err := VerifySong(t.Context(), dir, s, []riplog.Song{s}); err != nil || found != Same || crc32.ChecksumIEEE(p) != s.CRC32 {
		t.Errorf("%v, %v", found, err)
	}
	if tags := tagsOf(t, m.Path); tags["REPLAYGAIN_ALBUM_GAIN"] != "-1.00 dB" || tags["TITLE"] == "" {
		t.Errorf("%v", tags)
	}
}
