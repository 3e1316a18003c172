package toc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/internal/corpus"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestParse(t *testing.T) {
	f := mustParse(t, `CD_ROM_XA // comment
CATALOG "4012345678901"
FIRST_TRACK_NO 3
CD_TEXT { LANGUAGE_MAP { 0 : EN 1: 105 }
  LANGUAGE 0 { TITLE "A \"title\" \\ more" PERFORMER "" GENRE { 0, 5, 82, 111, 99, 107, 0 } }
  LANGUAGE 1 { TITLE "\223\372\226\173" SIZE_INFO { 128, 3, 3, 0 } } }
TRACK MODE2_RAW RW_RAW
NO COPY
DATAFILE "x y.bin" #100 00:02:00
ZERO MODE2_RAW 00:01:00
START 00:01:00
END 00:02:30
INDEX 00:00:10
`)
	want := &File{
		Type: CDROMXA, Catalog: "4012345678901", FirstNumber: 3,
		Text: []disc.TextBlock{
			{Charset: disc.CharsetLatin1, Language: 9, GenreCode: 5, Genre: "Rock", Texts: map[disc.PackType][]string{disc.PackTitle: {`A "title" \ more`}}},
			{Charset: disc.CharsetShiftJIS, Language: 105, Texts: map[disc.PackType][]string{disc.PackTitle: {"日本"}}},
		},
		Tracks: []Track{{
			Mode: Mode2Raw, Sub: SubRaw, Control: disc.DataTrack, Start: 75, StartPiece: -1, End: 180, EndPiece: -1, Indexes: []int{10}, Line: 7,
			Pieces: []Piece{
				{Name: "x y.bin", Mode: Mode2Raw, Sub: SubRaw, Offset: 100, Length: Length{Sectors: 150}, Line: 9},
				{Mode: Mode2Raw, Sub: SubRaw, Length: Length{Sectors: 75}, Line: 10},
			},
		}},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
}

func TestParseErrors(t *testing.T) {
	for text, line := range map[string]int{
		"": 1, "TRACK AUDIO\n": 2, "TRACK MODE9\nZERO 0:1:0\n": 1, "CATALOG \"12\"\n": 1, "TRACK AUDIO\nFILE \"x\n": 2,
		"TRACK AUDIO\nSILENCE 0:0:75\n": 2, "TRACK AUDIO\nSILENCE 0:60:0\n": 2, "TRACK AUDIO\nSILENCE 0\nSTART\nSTART\n": 3,
		"TRACK AUDIO\nFIFO \"x\" 0\n": 2, "TRACK AUDIO\nPREGAP 0:0:0\nSILENCE 1\n": 3, "FIRST_TRACK_NO 0\n": 2,
		"CD_TEXT { LANGUAGE 9 { } }\n": 1, "TRACK AUDIO\nSILENCE 0:9:0\nINDEX 0:0:5\nINDEX 0:0:5\n": 5, "\x00": 1, "TRACK AUDIO\nSILENCE \"\\777\"": 2,
		"TRACK AUDIO\nISRC \"bad\"\nSILENCE 1\n": 2, "TRACK AUDIO\nSILENCE 99999999999999999999\n": 2,
	} {
		_, err := Parse(strings.NewReader(text))
		var pe *ParseError
		if !errors.As(err, &pe) || pe.Line != line {
			t.Errorf("%q: %v, want line %d", text, err, line)
		}
	}
}

// numbered is content whose every two bytes say where they are.
func numbered(n int) []byte {
	b := make([]byte, n)
	for i := 0; i+1 < n; i += 2 {
		binary.LittleEndian.PutUint16(b[i:], uint16(i/2))
	}
	return b
}

func swap(b []byte) []byte {
	out := bytes.Clone(b)
	for i := 0; i+1 < len(out); i += 2 {
		out[i], out[i+1] = out[i+1], out[i]
	}
	return out
}

func open(t *testing.T, dir, text string) (disc.Image, error) {
	t.Helper()
	return mustParse(t, text).Open(t.Context(), dir)
}

func TestPieces(t *testing.T) {
	dir := t.TempDir()
	content := numbered(100 * 2352)
	if err := os.WriteFile(filepath.Join(dir, "s.bin"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	silence := func(n int) []byte { return make([]byte, n) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, test := range map[string]struct {
		text string
		want []byte
	}{
		"sectors":          {`TRACK AUDIO FILE "s.bin" 00:00:10 00:00:05`, swap(content[10*2352 : 15*2352])},
		"swapped":          {`TRACK AUDIO FILE "s.bin" SWAP 00:00:10 00:00:05`, content[10*2352 : 15*2352]},
		"offset and rest":  {`TRACK AUDIO FILE "s.bin" #2352 00:01:22`, swap(content[98*2352:])},
		"samples, padded":  {`TRACK AUDIO FILE "s.bin" 10 600`, join(swap(content[40:40+2400]), silence(2*2352-2400))},
		"silence, samples": {`TRACK AUDIO SILENCE 10 FILE "s.bin" 0 578 SILENCE 588`, join(silence(40), swap(content[:2312]), silence(2352))},
		"joined": {`TRACK AUDIO FILE "s.bin" 0 100 FILE "s.bin" SWAP 5 100 SILENCE 1`,
			join(swap(content[:400]), content[20:420], silence(2352-800))},
	} {
		img, err := open(t, dir, test.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := make([]byte, len(test.want))
		if n := img.Layout().Sectors() * 2352; n != len(got) {
			t.Errorf("%s: %d bytes, want %d", name, n, len(got))
		} else if err := img.ReadSectors(t.Context(), got, 0); err != nil || !bytes.Equal(got, test.want) {
			t.Errorf("%s: other samples (%v)", name, err)
		}
		img.Close()
	}
	for text, want := range map[string]string{
		"TRACK AUDIO\nFILE \"s.bin\" 00:02:00":    "line 2: s.bin has",
		"TRACK AUDIO\nSILENCE 0:1:0\nINDEX 0:1:0": "line 1: track 1: INDEX 02 is not between",
		"TRACK AUDIO\nFILE \"no.bin\" 0":          "line 2", "TRACK AUDIO\nFILE \"../../etc/passwd\" 0": "line 2", "TRACK AUDIO\nSILENCE 0:1:0\nSTART 0:1:0": "line 1: track 1: START",
		"TRACK AUDIO\nSILENCE 9999:0:0\nSILENCE 9999:0:0\nSILENCE 9999:0:0\nSILENCE 9999:0:0": "longer than any disc",
	} {
		if _, err := open(t, dir, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestModes(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "d.bin"), numbered(30*2448), 0o666); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[string]cdsector.Kind{
		"MODE1": cdsector.Mode1, "MODE2_FORM1": cdsector.Form1, "MODE2_FORM2": cdsector.Form2, "MODE2": cdsector.Mode2, "MODE0": cdsector.Mode0,
	} {
		text := "TRACK " + mode + " DATAFILE \"d.bin\" 00:00:03 ZERO 00:00:02"
		if mode == "MODE0" {
			text = "TRACK MODE1 ZERO MODE0 00:00:05"
		}
		img, err := open(t, dir, text)
		if err != nil {
			t.Errorf("%s: %v", mode, err)
			continue
		}
		for a := range disc.LBA(5) {
			var s [cdsector.Size]byte
			if err := img.ReadSectors(t.Context(), s[:], a); err != nil {
				t.Fatal(err)
			}
			kind := cdsector.Classify(&s)
			if kind != want && (a < 3 || mode != "MODE2") || !cdsector.EDCOK(&s, kind) {
				t.Errorf("%s: sector %d is %s", mode, a, kind)
			}
		}
		img.Close()
	}
}

// What Q of cdrdao's raw sub-channels lacks comes from the layout.
func TestSubchannels(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "d.bin"), make([]byte, 10*2448), 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := open(t, dir, `TRACK AUDIO RW_RAW DATAFILE "d.bin"`)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	var sub [cdsector.SubSize]byte
	if err := img.Subchannels().ReadSubchannel(t.Context(), sub[:], 3); err != nil {
		t.Fatal(err)
	}
	raw := [cdsector.QSize]byte(sub[12:])
	q, err := cdsector.DecodeQ(&raw)
	if err != nil || q.Track != 1 || q.Abs != (addr.MSF{M: 0, S: 2, F: 3}) {
		t.Errorf("%+v, %v", q, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("CD_DA CATALOG \"1234567890123\" TRACK AUDIO FILE \"x\" SWAP #3 0 0:1:0 START INDEX 0:0:1 END"))
	f.Add([]byte("CD_TEXT { LANGUAGE_MAP { 0: 9 } LANGUAGE 0 { TITLE \"\\101\" SIZE_INFO { 1, 2 } } } TRACK MODE1 ZERO MODE0 RW 99 "))
	corpus.Seeds(f, "cdrdao/*.toc", 4096)
	corpus.Seeds(f, "whipper/*.toc", 4096)
	corpus.Seeds(f, "libcdio/*.toc", 4096)
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), make([]byte, 5000), 0o666); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse(bytes.NewReader(b))
		if err != nil {
			return
		}
		img, err := file.Open(t.Context(), dir)
		if err != nil {
			return
		}
		defer img.Close()
		p := make([]byte, 2352)
		for _, track := range img.Layout().Tracks() {
			_ = img.ReadSectors(t.Context(), p, track.Begin())
			_ = img.ReadSectors(t.Context(), p, track.End-1)
		}
	})
}
