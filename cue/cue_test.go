package cue

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/internal/corpus"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t *testing.T, text string) *Sheet {
	t.Helper()
	sh, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return sh
}

const full = `REM GENRE Test
CATALOG 4012345678901
TITLE "The Disc"
PERFORMER "Somebody"
FILE "a disc.bin" BINARY
  TRACK 01 MODE1/2352
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Song"
    FLAGS DCP PRE
    ISRC GBAYE6700001
    INDEX 00 00:10:00
    INDEX 01 00:12:00
    INDEX 02 00:20:10
    POSTGAP 00:01:00
`

func TestParse(t *testing.T) {
	got := mustParse(t, full)
	want := &Sheet{
		Catalog: "4012345678901", Text: Text{Title: "The Disc", Performer: "Somebody"},
		Comments: []string{"GENRE Test"},
		Files:    []File{{Name: "a disc.bin", Type: Binary, Line: 5}},
		Tracks: []Track{
			{Number: 1, Type: Mode12352, Session: 1, Control: disc.DataTrack, Line: 6, Indexes: []Index{{1, 0, 0}}},
			{Number: 2, Type: Audio, Session: 1, Control: disc.CopyPermitted | disc.PreEmphasis, Line: 8,
				ISRC: "GBAYE6700001", Text: Text{Title: "Song"}, Postgap: 75,
				Indexes: []Index{{0, 0, 750}, {1, 0, 900}, {2, 0, 1510}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWriteAndParse(t *testing.T) {
	for _, text := range []string{full,
		"FILE x.bin BINARY\nREM SESSION 01\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nREM LEAD-OUT 01:30:00\n" +
			"REM SESSION 02\nREM LEAD-IN 01:00:00\nREM PREGAP 00:02:00\nTRACK 02 MODE2/2352\nINDEX 01 00:30:00\n",
		"CDTEXTFILE x.cdt\nFILE 1.wav WAVE\nTRACK 01 AUDIO\nPREGAP 00:03:00\nINDEX 01 00:00:00\nFILE 2.wav WAVE\n" +
			"TRACK 02 AUDIO\nINDEX 00 00:00:00\nINDEX 01 00:01:00\n",
	} {
		want := mustParse(t, text)
		var b bytes.Buffer
		if _, err := want.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		got := mustParse(t, b.String())
		ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Line" }, cmp.Ignore())
		if diff := cmp.Diff(want, got, ignore); diff != "" {
			t.Errorf("%s\n%s", b.String(), diff)
		}
	}
}

func TestEncodings(t *testing.T) {
	text := "TITLE \"Caf\u00e9\"\nFILE x.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
	latin := strings.ReplaceAll(text, "\u00e9", "\xe9")
	var utf16 []byte
	utf16 = append(utf16, 0xFF, 0xFE)
	for _, r := range text {
		utf16 = binary.LittleEndian.AppendUint16(utf16, uint16(r))
	}
	for name, s := range map[string]string{
		"UTF-8": text, "BOM": "\xEF\xBB\xBF" + text, "Latin-1": latin, "UTF-16": string(utf16),
		"CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "CR": strings.ReplaceAll(text, "\n", "\r"),
	} {
		if got := mustParse(t, s).Text.Title; got != "Caf\u00e9" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestShiftJIS(t *testing.T) {
	const rest = "\"\nFILE x.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
	for bytes, want := range map[string]string{
		"\x83\x89\x83\x43\x83\x75 1": "ライブ 1", "\x93\xfa\x96\x7b\x8c\xea": "日本語", "D\xe9j\xe0 vu": "Déjà vu", "\xc4rger \xfcber \xd6l": "Ärger über Öl",
	} {
		if got := mustParse(t, "TITLE \""+bytes+rest).Text.Title; got != want {
			t.Errorf("%q is %q, want %q", bytes, got, want)
		}
	}
}

// The sub-channels of a CD+G follow each sector.
func TestCDG(t *testing.T) {
	dir := t.TempDir()
	var b []byte
	for i := range 5 {
		b = append(b, make([]byte, 2352)...)
		b = append(b, bytes.Repeat([]byte{byte(i)}, 96)...)
	}
	if err := os.WriteFile(filepath.Join(dir, "x.bin"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := mustParse(t, "FILE x.bin BINARY\nTRACK 01 CDG\nINDEX 01 00:00:00\n").Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	var sub [96]byte
	if err := img.Subchannels().ReadSubchannel(t.Context(), sub[:], 3); err != nil {
		t.Fatal(err)
	}
	want := append(make([]byte, 72), bytes.Repeat([]byte{0xFF}, 24)...) // 3 is the bits of V and W
	if !bytes.Equal(sub[:], want) {
		t.Errorf("% x", sub)
	}
}

func TestParseErrors(t *testing.T) {
	const head = "FILE x.bin BINARY\nTRACK 01 AUDIO\n"
	for name, test := range map[string]struct {
		text string
		line int
	}{
		"empty":            {"", 0},
		"no track":         {"FILE x.bin BINARY\n", 1},
		"no index 01":      {head + "INDEX 00 00:00:00\n", 3},
		"no index":         {head, 2},
		"bad time":         {head + "INDEX 01 00:00:75\n", 3},
		"bad number":       {"FILE x.bin BINARY\nTRACK 100 AUDIO\n", 2},
		"bad mode":         {"FILE x.bin BINARY\nTRACK 01 MODE3/2352\n", 2},
		"track before":     {"TRACK 01 AUDIO\n", 1},
		"gap in tracks":    {head + "INDEX 01 00:00:00\nTRACK 03 AUDIO\n", 4},
		"index order":      {head + "INDEX 01 00:10:00\nINDEX 02 00:05:00\n", 4},
		"index skips":      {head + "INDEX 01 00:10:00\nINDEX 03 00:15:00\n", 4},
		"before pregap":    {head + "INDEX 00 00:10:00\nINDEX 01 00:05:00\n", 4},
		"catalog":          {"CATALOG 123\n", 1},
		"isrc":             {head + "ISRC 123\n", 3},
		"flag":             {head + "FLAGS FOO\n", 3},
		"unknown":          {"HELLO WORLD\n", 1},
		"quote":            {"TITLE \"x\n", 1},
		"file type":        {"FILE x.bin FOO\n", 1},
		"session order":    {"REM SESSION 02\n", 1},
		"two catalogs":     {"CATALOG 4012345678901\nCATALOG 4012345678901\n", 2},
		"index no track":   {"INDEX 01 00:00:00\n", 1},
		"pregap no track":  {"PREGAP 00:00:00\n", 1},
		"argument missing": {head + "INDEX 01\n", 3},
		"large":            {strings.Repeat("REM x\n", maxSheet/6+10), 1},
	} {
		_, err := Parse(strings.NewReader(test.text))
		var pe *ParseError
		if !errors.As(err, &pe) {
			t.Errorf("%s: %v", name, err)
		} else if pe.Line != test.line {
			t.Errorf("%s: line %d (%s), want %d", name, pe.Line, pe.Msg, test.line)
		}
	}
}

// write makes a file of n bytes.
func write(t *testing.T, path string, n int) {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, n), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestOpenLayout(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "one.bin"), 1000*2352)
	write(t, filepath.Join(dir, "three.bin"), 100*2352)
	write(t, filepath.Join(dir, "two.iso"), 300*2048)
	write(t, filepath.Join(dir, "mix.bin"), 300*2048+200*2352)
	type track struct{ Begin, Start, End disc.LBA }
	for name, test := range map[string]struct {
		text string
		want []track
	}{
		"plain": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 00:04:00\nINDEX 01 00:06:00\n",
			[]track{{0, 0, 300}, {300, 450, 1000}}},
		"two files": {"FILE two.iso BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\nFILE one.bin BINARY\nTRACK 02 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:00:00\n",
			[]track{{0, 0, 300}, {300, 450, 1450}}},
		"mixed sizes": {"FILE mix.bin BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 01 00:04:00\n",
			[]track{{0, 0, 300}, {300, 300, 500}}},
		"hidden": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 00 00:00:00\nINDEX 01 00:05:00\n",
			[]track{{0, 375, 1000}}},
		"hidden, unsaid": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:05:00\n",
			[]track{{0, 375, 1000}}},
		"the pregap every disc has": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:00:00\n",
			[]track{{0, 0, 1000}}},
		"silence hidden before track 1": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nPREGAP 00:05:00\nINDEX 01 00:00:00\n",
			[]track{{0, 375, 1375}}},
		"PREGAP is in no file, INDEX 00 is": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nPREGAP 00:01:00\n" +
			"INDEX 00 00:04:00\nINDEX 01 00:06:00\n",
			[]track{{0, 0, 300}, {300, 525, 1075}}},
		"INDEX 01 in the next file, as EAC writes it": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 00:12:00\n" +
			"FILE three.bin BINARY\nINDEX 01 00:00:00\n",
			[]track{{0, 0, 900}, {900, 1000, 1100}}},
		"postgap": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nPOSTGAP 00:01:00\n",
			[]track{{0, 0, 1075}}},
		"index in the next file": {"FILE two.iso BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\nTRACK 02 MODE1/2048\nINDEX 00 00:03:00\n" +
			"FILE one.bin BINARY\nINDEX 01 00:00:00\n",
			nil}, // the second file is no whole number of such sectors
		"sessions": {"REM SESSION 01\nFILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nREM SESSION 02\nTRACK 02 AUDIO\nINDEX 01 00:04:00\n",
			[]track{{0, 0, 300}, {11700, 11700, 12400}}},
	} {
		img, err := mustParse(t, test.text).Open(dir)
		if test.want == nil {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []track
		for _, tr := range img.Layout().Tracks() {
			got = append(got, track{tr.Begin(), tr.Start, tr.End})
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		p := make([]byte, 2352)
		for _, tr := range img.Layout().Tracks() {
			for _, a := range []disc.LBA{tr.Begin(), tr.End - 1} {
				if err := img.ReadSectors(t.Context(), p, a); err != nil {
					t.Errorf("%s: sector %d: %v", name, a, err)
				}
			}
		}
		if err := img.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cut.bin"), 300*2352-5)
	write(t, filepath.Join(dir, "bad.wav"), 300)
	for name, test := range map[string]struct{ text, want string }{
		"missing":         {"FILE no.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "line 1"},
		"outside":         {"FILE ../../etc/passwd BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "line 1"},
		"cut":             {"FILE cut.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "cut short"},
		"behind the end":  {"FILE cut.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 01 01:00:00\n", "too short"},
		"not a WAVE":      {"FILE bad.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "not a WAVE"},
		"unknown":         {"FILE cut.bin MP3\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "MP3"},
		"CD-TEXT missing": {"CDTEXTFILE no.cdt\nFILE cut.bin BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\n", ""},
	} {
		_, err := mustParse(t, test.text).Open(dir)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWave(t *testing.T) {
	dir := t.TempDir()
	samples := bytes.Repeat([]byte{1, 2, 3, 4}, 1000) // 1.7 sectors
	var b []byte
	b = append(b, "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00"...)
	b = binary.LittleEndian.AppendUint32(b, 44100)
	b = binary.LittleEndian.AppendUint32(b, 176400)
	b = append(b, 4, 0, 16, 0)
	b = append(b, "LIST\x03\x00\x00\x00abc\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(samples)))
	b = append(b, samples...)
	if err := os.WriteFile(filepath.Join(dir, "a.wav"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := mustParse(t, "FILE A.WAV WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n").Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	p := make([]byte, 2*2352)
	if err := img.ReadSectors(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	if want := append(samples, make([]byte, 704)...); !bytes.Equal(p, want) {
		t.Error("the samples are not those of the file, padded with silence")
	}
}

func TestForeignSheets(t *testing.T) {
	for _, path := range append(corpus.Glob(t, "libcdio/*.cue"), corpus.Glob(t, "whipper/*.cue")...) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		sh, err := Parse(f)
		f.Close()
		var pe *ParseError
		if strings.HasPrefix(filepath.Base(path), "bad-") {
			if !errors.As(err, &pe) || pe.Line < 1 {
				t.Errorf("%s: should be refused with its line: %v", path, err)
			}
			t.Logf("%s: %v", filepath.Base(path), err)
			continue
		}
		if filepath.Base(path) == "kanye.cue" {
			// Its data track has the type "MODEx/2xxx", which says nothing.
			if !errors.As(err, &pe) || pe.Line != 85 {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var b bytes.Buffer
		if _, err := sh.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(&b); err != nil {
			t.Errorf("%s: what is written cannot be read: %v", path, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	corpus.Seeds(f, "*/*.cue", 1<<16)
	f.Fuzz(func(t *testing.T, b []byte) {
		sh, err := Parse(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if _, err := sh.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatalf("what is written cannot be read: %v\n%s", err, out.String())
		}
		if len(again.Tracks) != len(sh.Tracks) {
			t.Fatalf("%d tracks became %d", len(sh.Tracks), len(again.Tracks))
		}
	})
}

// Opening must neither panic nor reach outside of its folder, whatever the sheet.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("FILE a BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 00:00:01\nINDEX 01 00:00:01\n"))
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), make([]byte, 10*2352), 0o666); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sh, err := Parse(bytes.NewReader(b))
		if err != nil {
			return
		}
		for i := range sh.Files {
			sh.Files[i].Name = "a"
		}
		img, err := sh.Open(dir)
		if err != nil {
			return
		}
		defer img.Close()
		p := make([]byte, 2352)
		for _, tr := range img.Layout().Tracks() {
			if err := img.ReadSectors(t.Context(), p, tr.End-1); err != nil {
				t.Fatal(err)
			}
		}
	})
}
