package riplog

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"spindle/disc"
)

// What is written is read again.
func TestSongs(t *testing.T) {
	songs := []Song{
		{Number: 1, Title: "two\n[song 9]\u009b31m", File: "01.flac", First: 0, End: 300, CRC32: 7, Proof: Proof{TwoReads, true, "in some words"}},
		{Number: 2, File: "02.flac", First: 300, End: 600, CRC32: 8, Flaws: disc.Flaws{{First: 350, Count: 1, Kind: disc.ReadWithErrors}, {First: 598, Count: 2, Kind: disc.Unread}}},
		{Number: 3, Data: true, File: "03.iso", First: 12000, End: 12300, Flaws: disc.Flaws{{First: 12000, Count: 3, Kind: disc.Unproven}}},
	}
	l := &Log{Sections: []Section{{Lines: []Line{{"drive", "A Drive 1.0"}}}}}
	for _, s := range songs {
		l.Sections = append(l.Sections, s.Section())
	}
	text := l.Bytes()
	read, err := Parse(text)
	if err != nil || read.Sections[0].Get("drive") != "A Drive 1.0" {
		t.Fatalf("%v\n%s", err, text)
	}
	songs[0].Title = "two [song 9] 31m"
	if got, err := read.Songs(); err != nil || !reflect.DeepEqual(got, songs) {
		t.Errorf("%v, %+v", err, got)
	}
	changed := bytes.Replace(text, []byte("in some"), []byte("in other"), 1)
	if _, err := Parse(changed); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
}

// How a song is proven is read from the code; from the words only where a log has none.
func TestProof(t *testing.T) {
	for lines, want := range map[string]Proof{
		"proof: whatever\nproof code: 1, database":          {Database, false, "whatever"},
		"proof: two equal reads\nproof code: 1, read once":  {OneRead, false, "two equal reads"},
		"proof: x\nproof code: 1, voted, repaired, more":    {Votes, true, "x"},
		"proof: two equal reads\nproof code: 2, read twice": {Unknown, false, "two equal reads"},
		"proof: two equal reads\nproof code: 1, dreamt":     {Unknown, false, "two equal reads"},
		"proof code: 1": {},
		"proof: AccurateRip v2, confidence 34 of 36":                    {Database, false, "AccurateRip v2, confidence 34 of 36"},
		"proof: CTDB, 12 samples repaired, confidence 3 of 4":           {Database, true, "CTDB, 12 samples repaired, confidence 3 of 4"},
		"proof: two equal reads (no match in CTDB)":                     {TwoReads, false, "two equal reads (no match in CTDB)"},
		"proof: two equal reads; 12 samples voted":                      {Votes, false, "two equal reads; 12 samples voted"},
		"proof: read once, no error reported by the drive (C2)":         {OneRead, false, "read once, no error reported by the drive (C2)"},
		"proof: read once; what proved it then is not here now":         {Unproven, false, "read once; what proved it then is not here now"},
		"proof: copied from an image":                                   {Copied, false, "copied from an image"},
		"proof: 3 sectors not right\nnot right: sectors 1 to 3: unread": {Unknown, false, "3 sectors not right"},
		"x: y": {},
	} {
		l, err := Parse((&Log{Sections: []Section{{}}}).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(lines, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			l.Sections[0].Add(name, value)
		}
		if got := l.Sections[0].proof(); got != want {
			t.Errorf("%s: %+v", lines, got)
		}
	}
}

func TestBadLogs(t *testing.T) {
	for text, want := range map[string]error{
		"":                               ErrSyntax,
		"Exact Audio Copy V1.6":          ErrSyntax,
		"spindle rip log, version 2\n":   ErrVersion,
		title + "\nno colon\n":           ErrSyntax,
		title + "\n":                     ErrChanged,
		title + "\n" + sealName + "00\n": ErrChanged,
	} {
		if _, err := Parse([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	const good = "file: x\nsectors: 0 to 5\nCRC-32: 0\n"
	for _, lines := range []string{
		"file: ../x.flac\nsectors: 0 to 5\nCRC-32: 00000000", "file: x\nsectors: 5 to 0\nCRC-32: 0", "file: x\nsectors: 0 to 5\nCRC-32: 123456789",
		"file: x\nsectors: 0 to 99999999\nCRC-32: 0", "sectors: 0 to 5\nCRC-32: 0", "file: ..\nsectors: 0 to 5\nCRC-32: 0", "",
		good + "not right: sectors 5 to 6: unread", good + "not right: sectors 2 to 1: unread", good + "not right: sectors 1 to 2: unready", good + "not right: much",
	} {
		l, _ := Parse([]byte(title + "\n[song 1]\n" + lines + "\n"))
		if _, err := l.Songs(); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(title + "\nx: y\n[song 1]\nfile: x\nsectors: 0 to 5\nCRC-32: 00000000\n\n" + sealName + strings.Repeat("0", 64) + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, _ := Parse(b); l != nil {
			songs, _ := l.Songs()
			for _, s := range songs {
				if strings.ContainsAny(s.File, `/\`) || s.End <= s.First {
					t.Errorf("%+v", s)
				}
			}
		}
	})
}
