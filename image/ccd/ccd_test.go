package ccd

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image/format"

	"github.com/google/go-cmp/cmp"
)

// written is a descriptor as CloneCD 5 writes one: a data track, an audio track
// with a pregap, a second session.
const written = "[CloneCD]\r\nVersion=3\r\n[Disc]\r\nTocEntries=8\r\nSessions=2\r\nDataTracksScrambled=0\r\nCDTextLength=0\r\nCATALOG=4012345678901\r\n" +
	"[Session 1]\r\nPreGapMode=1\r\nPreGapSubC=0\r\n[Session 2]\r\nPreGapMode=1\r\nPreGapSubC=0\r\n"

func entry(n, session, point, control int, plba string) string {
	return strings.Join([]string{"[Entry " + string(rune('0'+n)) + "]", "Session=" + string(rune('0'+session)), "Point=" + hexOf(point),
		"ADR=0x01", "Control=" + hexOf(control), "TrackNo=0", "AMin=0", "ASec=0", "AFrame=0", "ALBA=-150", "Zero=0", plba, ""}, "\r\n")
}

func hexOf(n int) string {
	return "0x" + string("0123456789abcdef"[n>>4]) + string("0123456789abcdef"[n&15])
}

func text() string {
	return written +
		entry(0, 1, 0xA0, 4, "PMin=1\r\nPSec=0\r\nPFrame=0\r\nPLBA=4350") + entry(1, 1, 0xA1, 0, "PMin=2\r\nPLBA=8850") +
		entry(2, 1, 0xA2, 0, "PMin=0\r\nPSec=6\r\nPFrame=0\r\nPLBA=300") + entry(3, 1, 1, 4, "PMin=0\r\nPSec=2\r\nPFrame=0\r\nPLBA=0") +
		entry(4, 1, 2, 0, "PLBA=150") +
		entry(5, 2, 0xA0, 4, "PMin=3\r\nPSec=32\r\nPFrame=0") + entry(6, 2, 0xA2, 4, "PLBA=11800") + entry(7, 2, 3, 4, "PLBA=11700") +
		"[TRACK 1]\r\nMODE=1\r\nINDEX 1=0\r\n[TRACK 2]\r\nMODE=0\r\nISRC=DEA123400001\r\nINDEX 0=100\r\nINDEX 1=150\r\nINDEX 2=200\r\n" +
		"[TRACK 3]\r\nMODE=2\r\nINDEX 1=0\r\n"
}

func TestLayout(t *testing.T) {
	d, err := Parse(strings.NewReader(text()))
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	want := &disc.Layout{MCN: "4012345678901", Sessions: []disc.Session{
		{Number: 1, LeadOut: 300, Tracks: []disc.Track{
			{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 100},
			{Number: 2, ISRC: "DEA123400001", Start: 150, Pregap: 50, Indexes: []disc.LBA{200}, End: 300},
		}},
		{Number: 2, Format: disc.FormatXA, LeadOut: 11800, Tracks: []disc.Track{
			{Number: 3, Mode: disc.Mode2, Control: disc.DataTrack, Start: 11700, End: 11800},
		}},
	}}
	if diff := cmp.Diff(want, l); diff != "" {
		t.Error(diff)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.ccd")
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("x.ccd", text())
	if _, err := format.OpenPath(context.Background(), path, openFile); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "x.img") {
		t.Errorf("without its .img: %v", err)
	}
	write("X.IMG", "x")
	if _, err := format.OpenPath(context.Background(), path, openFile); err == nil || !strings.Contains(err.Error(), "too short") {
		t.Errorf("empty: %v", err)
	}
	write("X.IMG", strings.Repeat("x", 400*2352))
	write("x.sub", strings.Repeat("s", 400*96))
	img, err := format.OpenPath(context.Background(), path, openFile)
	if err != nil {
		t.Fatal(err)
	}
	img.Close()
	if img.Subchannels() == nil {
		t.Error("no sub-channels")
	}
	for bad, want := range map[string]string{
		"[CloneCD]\nVersion=3\n":                                   "line 2",
		"[CloneCD]\n[Entry 0]\nSession=x\n":                        "line 3",
		"[CloneCD]\n[Entry 0\n":                                    "line 2",
		"[CloneCD]\n[Entry 0]\nSession=5\nPoint=1\n":               "line 2",
		"[CloneCD]\n[Entry 0]\nSession=1\nPoint=1\nPLBA=0\n":       "lead-out",
		"[CloneCD]\n[TRACK 100]\n":                                 "line 2",
		"[CloneCD]\n[Disc]\nCATALOG=12\n":                          "line 3",
		"[CloneCD]\n[CDText]\nEntry 0=80 00\n":                     "line 3",
		"[CloneCD]\n[TRACK 1]\nISRC=no\n":                          "line 3",
		strings.Replace(text(), "Scrambled=0", "Scrambled=1", 1):   "scrambled",
		strings.Replace(text(), "INDEX 0=100", "INDEX 0=170", 1):   "INDEX 0",
		strings.Replace(text(), "PLBA=150", "PLBA=350", 1):         "track 2 starts at 350, and what follows it at 300",
		strings.Replace(text(), "TocEntries=8", "TocEntries=9", 1): "the table of contents has 8 entries of 9",
		text()[:strings.Index(text(), "[Entry 5]")]:                "the table of contents has 5 entries of 8",
		text()[:strings.LastIndex(text(), "PLBA=11700")]:           "track 3 has no address",
	} {
		write("x.ccd", bad)
		if _, err := format.OpenPath(context.Background(), path, openFile); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", bad, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(text()))
	f.Add([]byte("[CloneCD]\n[CDText]\nEntries=1\nEntry 0=80 00 00 00 41 00 00 00 00 00 00 00 00 00 00 00\n[Entry 0]\nSession=1\nPoint=0xa2\nPLBA=99\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(bytes.NewReader(b))
		if err != nil {
			return
		}
		if l, err := d.Layout(); err == nil {
			if err := l.Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}
