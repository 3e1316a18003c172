package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image/format"

	"github.com/google/go-cmp/cmp"
	"github.com/mewkiz/flac"
)

// part is a track of a disc to be made: sectors before INDEX 01 and from it on.
type part struct {
	mode          disc.Mode
	gap, length   int
	behindSession bool // it begins a session
}

// parts are n tracks of audio, each but the first with a gap.
func parts(n, gap, length int) []part {
	all := []part{{length: length}}
	for range n - 1 {
		all = append(all, part{gap: gap, length: length})
	}
	return all
}

// songDiscs are discs, with the sectors of the songs on them: "number: start-end".
var songDiscs = []struct {
	name  string
	parts []part
	songs string // empty: only the sum counts
}{
	{"12 tracks with gaps of a second", parts(12, 75, 90), ""},
	{"99 tracks", parts(99, 3, 10), ""},
	{"hidden track", []part{{gap: 600, length: 300}, {length: 310}}, "0: 0-600, 1: 600-900, 2: 900-1210"},
	{"one track behind a hidden one", []part{{gap: 600, length: 300}}, "0: 0-600, 1: 600-900"},
	{"mixed", []part{{mode: disc.Mode1, length: 300}, {gap: 150, length: 300}, {gap: 75, length: 300}}, "2: 300-825, 3: 825-1125"},
	{"data behind audio", []part{{length: 300}, {mode: disc.Mode1, gap: 150, length: 300}, {gap: 150, length: 300}}, "1: 0-300, 3: 750-1200"},
	{"CD-Extra", []part{{length: 300}, {gap: 75, length: 300}, {mode: disc.Mode2, length: 300, behindSession: true}}, "1: 0-375, 2: 375-675"},
	{"audio in two sessions", []part{{length: 300}, {gap: 20, length: 300, behindSession: true}, {gap: 5, length: 9}}, "1: 0-300, 2: 11700-12025, 3: 12025-12034"},
	{"data", []part{{mode: disc.Mode1, length: 300}}, ""},
}

// press makes a disc, and returns the samples of its audio tracks too. Sectors of data are
// distinguished from those by their first byte.
func press(t *testing.T, parts []part) (disc.Image, []byte) {
	t.Helper()
	l := new(disc.Layout)
	l.Sessions = []disc.Session{{Number: 1}}
	var at disc.LBA
	var extents []disc.Extent
	var samples []byte
	for i, p := range parts {
		if p.behindSession {
			at += 11400
			l.Sessions = append(l.Sessions, disc.Session{Number: len(l.Sessions) + 1})
		}
		s := &l.Sessions[len(l.Sessions)-1]
		track := disc.Track{Number: i + 1, Mode: p.mode, Pregap: p.gap, Start: at + disc.LBA(p.gap), End: at + disc.LBA(p.gap+p.length)}
		content := bytes.Repeat([]byte{0xDA}, track.Sectors()*SectorSize)
		if p.mode == disc.Audio {
			content = make([]byte, 0, track.Sectors()*SectorSize)
			for n := range track.Sectors() * SectorSize / 4 {
				content = binary.LittleEndian.AppendUint32(content, uint32(int(at)*588+n)*7)
			}
			samples = append(samples, content...)
		} else {
			track.Control = disc.DataTrack
		}
		extents = append(extents, disc.Extent{First: at, Count: track.Sectors(), Source: bytes.NewReader(content)})
		s.Tracks, s.LeadOut, at = append(s.Tracks, track), track.End, track.End
	}
	img, err := disc.NewExtentImage(l, extents)
	if err != nil {
		t.Fatal(err)
	}
	return img, samples
}

func TestSongs(t *testing.T) {
	for _, d := range songDiscs {
		img, samples := press(t, d.parts)
		var have []string
		sum := 0
		for _, s := range Songs(img.Layout()) {
			have = append(have, fmt.Sprintf("%d: %d-%d", s.Number, s.Start, s.End))
			sum += int(s.Bytes())
		}
		if diff := cmp.Diff(d.songs, strings.Join(have, ", ")); d.songs != "" && diff != "" {
			t.Errorf("%s: %s", d.name, diff)
		}
		if sum != len(samples) {
			t.Errorf("%s: %d bytes of samples in the songs, %d on the disc", d.name, sum, len(samples))
		}
	}
	// The two seconds that every disc has before LBA 0 are not a hidden track.
	for begin, want := range map[disc.LBA]int{-150: 1, -1: 1, 0: 1} {
		l := &disc.Layout{Sessions: []disc.Session{{Tracks: []disc.Track{{Number: 1, Pregap: -int(begin), End: 300}}}}}
		if n := len(Songs(l)); n != want {
			t.Errorf("INDEX 00 at %d: %d songs, want %d", begin, n, want)
		}
	}
}

// decode returns the samples of a FLAC file, as the library's own decoder has them, or of
// a WAVE file.
func decode(t *testing.T, path string) []byte {
	t.Helper()
	if filepath.Ext(path) == ".wav" {
		return content(t, path)
	}
	s, err := flac.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []byte
	for uint64(len(out)) < s.Info.NSamples*4 {
		f, err := s.ParseNext()
		if err != nil {
			t.Fatal(err)
		}
		for i, left := range f.Subframes[0].Samples {
			out = binary.LittleEndian.AppendUint16(out, uint16(left))
			out = binary.LittleEndian.AppendUint16(out, uint16(f.Subframes[1].Samples[i]))
		}
	}
	return out
}

// What a disc is split into, put together again, is its audio to the sample.
func TestSplitIsWhole(t *testing.T) {
	for _, d := range songDiscs {
		img, samples := press(t, d.parts)
		for _, ext := range []string{".wav", ".flac"} {
			f, err := format.ForSuffix(ext)
			if err != nil {
				t.Fatal(err)
			}
			res, err := format.Create(t.Context(), f, filepath.Join(t.TempDir(), "x"+ext), img, format.Options{Split: true, Lossy: true})
			if len(samples) == 0 {
				if !errors.Is(err, format.ErrCannotHold) {
					t.Errorf("%s%s: %v", d.name, ext, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for _, path := range res.Files {
				got = append(got, decode(t, path)...)
			}
			if !bytes.Equal(got, samples) {
				t.Errorf("%s%s: %d bytes of other samples than the %d of the disc", d.name, ext, len(got), len(samples))
			}
			if res.Whole.Size != int64(len(samples)) {
				t.Errorf("%s%s: %d bytes counted", d.name, ext, res.Whole.Size)
			}
		}
	}
}

// A hidden track can be taken alone, and is named and tagged as track 0.
func TestHiddenTrack(t *testing.T) {
	f, err := format.ForSuffix(".flac")
	if err != nil {
		t.Fatal(err)
	}
	img, samples := press(t, []part{{gap: 600, length: 300}, {length: 310}})
	path := filepath.Join(t.TempDir(), "x.flac")
	if _, err := format.Create(t.Context(), f, path, img, format.Options{Track: format.HiddenTrack}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(decode(t, path), samples[:600*SectorSize]) {
		t.Error("other samples")
	}
	res, err := format.Create(t.Context(), f, filepath.Join(t.TempDir(), "x.flac"), img, format.Options{Split: true})
	if err != nil || filepath.Base(res.Files[0]) != "x (Track 0).flac" {
		t.Errorf("%v, %v", res, err)
	}
	text := disc.TextBlock{Language: disc.LanguageEnglish}
	text.SetText(disc.PackTitle, 0, "Album")
	text.SetText(disc.PackTitle, 1, "First")
	l := img.Layout().Clone()
	if l.CDText, err = disc.EncodeCDText([]disc.TextBlock{text}, 1, 2); err != nil {
		t.Fatal(err)
	}
	l.Sessions[0].Tracks[0].ISRC = "DEA123400001"
	want := [][2]string{{"TRACKNUMBER", "0"}, {"TRACKTOTAL", "2"}, {"ALBUM", "Album"}}
	if diff := cmp.Diff(want, tags(l, &Songs(l)[0], 2)); diff != "" {
		t.Error(diff)
	}
	img, _ = press(t, parts(2, 0, 300))
	if _, err := format.Create(t.Context(), f, path, img, format.Options{Track: format.HiddenTrack, Force: true}); !errors.Is(err, format.ErrNoTrack) {
		t.Errorf("no hidden track: %v", err)
	}
}
