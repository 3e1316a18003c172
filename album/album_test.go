package album

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"spindle/cue"
	"spindle/disc"
)

// record is a disc of three songs with CD-TEXT, a gap and a hidden track.
func record(t *testing.T) *disc.Layout {
	t.Helper()
	block := disc.TextBlock{Language: disc.LanguageEnglish}
	block.SetText(disc.PackTitle, 0, "Night/Day")
	block.SetText(disc.PackPerformer, 0, "The Band")
	block.SetText(disc.PackTitle, 1, "One")
	block.SetText(disc.PackTitle, 2, "Two")
	block.SetText(disc.PackPerformer, 2, "A Guest")
	packs, err := disc.EncodeCDText([]disc.TextBlock{block}, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	l := &disc.Layout{MCN: "4006381333931", CDText: packs, Sessions: []disc.Session{{Tracks: []disc.Track{
		{Number: 1, Start: 32, Pregap: 32, End: 800, ISRC: "DEA120000001"},
		{Number: 2, Start: 900, Pregap: 100, End: 1500, Indexes: []disc.LBA{1000}},
		{Number: 3, Start: 1500, End: 2100, Control: disc.PreEmphasis},
	}}}}
	l.Sessions[0].LeadOut = 2100
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNamesOfCDText(t *testing.T) {
	a := Of(record(t))
	if a.Name(".cue") != "The Band - Night-Day.cue" {
		t.Error(a.Name(".cue"))
	}
	want := []string{"00 - Hidden track.flac", "01 - One.flac", "02 - Two.flac", "03 - Track 03.flac"}
	for i := range a.Songs {
		if got := a.Songs[i].fileName(".flac"); got != want[i] {
			t.Errorf("%q, want %q", got, want[i])
		}
	}
	tags := a.comments(&a.Songs[1])
	for name, want := range map[string]string{
		"TITLE": "One", "ARTIST": "The Band", "ALBUM": "Night/Day", "ALBUMARTIST": "The Band", "TRACKNUMBER": "1",
		"TRACKTOTAL": "3", "ISRC": "DEA120000001", "MCN": "4006381333931",
	} {
		if got := tags.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := a.comments(&a.Songs[2]).Get("ARTIST"); got != "A Guest" {
		t.Errorf("artist %q", got)
	}
}

func TestTagFile(t *testing.T) {
	a := Of(record(t))
	err := a.Apply([]byte("\ufeff# from my shelf\r\nalbum=Other\nDATE=1999\nGENRE=\n[2]\nARTIST=One\nARTIST=Another\nTITLE = Two = 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	tags := a.comments(&a.Songs[2])
	artists := 0
	for _, x := range tags {
		if x.Name == "ARTIST" {
			artists++
		}
	}
	if a.Title() != "Other" || tags.Get("DATE") != "1999" || tags.Get("TITLE") != "Two = 2" || artists != 2 {
		t.Errorf("%v, %v", a.Tags, tags)
	}
	for text, want := range map[string]string{
		"ALBUM":                            `line 1: "ALBUM" is not NAME=value`,
		"\n[4]\nTITLE=x":                   "line 2: the disc has no song 4",
		"[x]":                              `line 1: "x" is not the number of a track`,
		"NÄME=x":                           `line 1: "NÄME=x" is not NAME=value`,
		"TITLE=\xff":                       "not in UTF-8",
		"A=" + string(make([]byte, 2<<20)): "line 1: ",
	} {
		if err := a.Apply([]byte(text)); !errors.Is(err, ErrTags) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestTagsOfSheet(t *testing.T) {
	a := Of(record(t))
	err := a.Apply([]byte("REM GENRE \"Free Jazz\"\nREM DATE 1961\nTITLE \"Sheet\"\nPERFORMER \"Somebody\"\nFILE \"x.wav\" WAVE\n" +
		"  TRACK 01 AUDIO\n    TITLE \"First\"\n    INDEX 01 00:00:00\n" +
		"  TRACK 02 AUDIO\n    INDEX 01 00:01:00\n  TRACK 03 AUDIO\n    INDEX 01 00:02:00\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Title() != "Sheet" || a.Artist() != "Somebody" || a.Tags.Get("GENRE") != "Free Jazz" || a.Tags.Get("DATE") != "1961" {
		t.Error(a.Tags)
	}
	if a.Songs[1].Tags.Get("TITLE") != "First" || a.Songs[2].Tags.Get("TITLE") != "Two" {
		t.Error(a.Songs[1].Tags, a.Songs[2].Tags)
	}
}

// Of several languages the first names the songs; two songs of one title are two files.
func TestSeveralLanguages(t *testing.T) {
	var blocks []disc.TextBlock
	for _, x := range []struct {
		language byte
		title    string
	}{{0x08, "Lied"}, {disc.LanguageEnglish, "Song"}, {0x0F, "Chanson"}, {0x15, "Canto"}, {0x0A, "Canción"}} {
		b := disc.TextBlock{Language: x.language}
		for n := 1; n <= 3; n++ {
			b.SetText(disc.PackTitle, n, x.title)
		}
		blocks = append(blocks, b)
	}
	l := record(t)
	var err error
	if l.CDText, err = disc.EncodeCDText(blocks, 1, 3); err != nil {
		t.Fatal(err)
	}
	a := Of(l)
	names, err := a.Files(Options{})
	if err != nil || !slices.Equal(names[1:4], []string{"01 - Lied.flac", "02 - Lied.flac", "03 - Lied.flac"}) {
		t.Errorf("%q, %v", names, err)
	}
}

func TestFileName(t *testing.T) {
	long := strings.Repeat("é", 300)
	for text, want := range map[string]string{
		"AC/DC": "AC-DC.x", "a\x00b\x1b[31mc": "a_b_[31mc.x", "": "_.x", "  ": "_.x", "..": "_..x", ".hidden": "_hidden.x",
		"-rf": "_rf.x", "con": "_con.x", "Nul.txt": "_Nul.txt.x", `What? "Why" <now>*`: "What_ _Why_ _now__.x",
		"a\u202eb": "a_b.x", "tab\there": "tab here.x", "bad\xff": "bad_.x",
	} {
		if got := FileName(text, ".x"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := FileName(long, ".flac"); len(got) > mostName || !utf8.ValidString(got) || !strings.HasSuffix(got, ".flac") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
	if got := FileName("Etc...", ""); got != "Etc" {
		t.Error(got)
	}
}

func FuzzApply(f *testing.F) {
	f.Add([]byte("ALBUM=x\n[1]\nTITLE=y"))
	f.Add([]byte("FILE \"x.wav\" WAVE\n  TRACK 01 AUDIO\n    TITLE \"First\"\n    INDEX 01 00:00:00\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		a := Of(record(t))
		if a.Apply(text) != nil {
			return
		}
		for i := range a.Songs {
			if name := a.Songs[i].fileName(".flac"); len(name) > mostName || strings.ContainsAny(name, "/\\\x00") || name[0] == '.' {
				t.Errorf("%q", name)
			}
		}
	})
}

// A sheet says where each index is in the songs' files; a gap ends the song before it.
func TestSheet(t *testing.T) {
	a := Of(record(t))
	w := &writer{album: a}
	if err := w.plan(); err != nil {
		t.Fatal(err)
	}
	sheet, texts := a.sheet(w.parts, "x.cue")
	if len(texts) != 1 || len(sheet.Files) != 4 {
		t.Fatalf("%d texts, %v", len(texts), sheet.Files)
	}
	got := string(texts[0].Data)
	for _, want := range []string{
		"REM DISCID ", "CATALOG 4006381333931\r\nTITLE \"Night/Day\"\r\nPERFORMER \"The Band\"\r\nFILE \"00 - Hidden track.flac\" WAVE\r\n  TRACK 01 AUDIO\r\n",
		"    INDEX 00 00:00:00\r\nFILE \"01 - One.flac\" WAVE\r\n    INDEX 01 00:00:00\r\n  TRACK 02 AUDIO\r\n",
		"    INDEX 00 00:10:18\r\nFILE \"02 - Two.flac\" WAVE\r\n    INDEX 01 00:00:00\r\n    INDEX 02 00:01:25\r\n",
		"FLAGS PRE\r\n    INDEX 01 00:00:00\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if _, err := cue.Parse(strings.NewReader(got)); err != nil {
		t.Error(err)
	}
}
