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

// A sheet may name files that are not there, and say how long they are.
func TestAbsentFiles(t *testing.T) {
	const text = "REM ABSENT 0 2 3\r\nFILE \"0.wav\" WAVE\r\n  TRACK 01 AUDIO\r\n    REM ABSENT 00:00:32\r\n    INDEX 00 00:00:00\r\n" +
		"FILE \"1.wav\" WAVE\r\n    INDEX 01 00:00:00\r\n  TRACK 02 AUDIO\r\n    INDEX 00 00:03:00\r\n" +
		"FILE \"2.wav\" WAVE\r\n    REM ABSENT 00:04:00\r\n    INDEX 01 00:00:00\r\n    INDEX 02 00:01:00\r\n" +
		"FILE \"3.iso\" BINARY\r\n  TRACK 03 MODE1/2048\r\n    REM ABSENT 00:05:00\r\n    INDEX 01 00:00:00\r\n"
	sh := mustParse(t, text)
	var absent []int
	for _, f := range sh.Files {
		absent = append(absent, f.Absent)
	}
	if diff := cmp.Diff([]int{32, 0, 300, 375}, absent); diff != "" || string(sh.Bytes()) != text {
		t.Errorf("%s\n%s", diff, sh.Bytes())
	}
	var files []Content
	for i, n := range absent {
		files = append(files, Content{Source: bytes.NewReader(make([]byte, 1)), Absent: n})
		if n == 0 {
			files[i].End = 300 * 2352
		}
	}
	l, _, err := sh.Place(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tracks := l.Tracks(); len(tracks) != 3 || tracks[0].Pregap != 32 || tracks[1].Start != 332 || tracks[2].Start != 632 || l.End() != 632+375 {
		t.Errorf("%+v", l)
	}
}

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
