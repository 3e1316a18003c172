package album

import (
	"bytes"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"spindle/disc/cdsector"
)

func TestLog(t *testing.T) {
	img := openDisc(t, "audio")
	a := Of(img.Layout())
	a.Tags.Set("ALBUM", "two\n[song 9]")
	made, err := Create(t.Context(), t.TempDir(), a, img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	about := LogSection{}
	about.Add("drive", "A Drive 1.0")
	about.Add("album", a.Title())
	text := made.Log(a, about, func(*Made) string { return "two equal reads" }).Bytes()
	l, err := ParseLog(text)
	if err != nil || l.Sections[0].Get("drive") != "A Drive 1.0" {
		t.Fatalf("%v\n%s", err, text)
	}
	songs, err := l.Songs()
	if err != nil || len(songs) != len(a.Songs) {
		t.Fatalf("%v, %v", songs, err)
	}
	for i, s := range a.Songs {
		p := make([]byte, int(s.End-s.Start)*cdsector.Size)
		if err := img.ReadSectors(t.Context(), p, s.Start); err != nil {
			t.Fatal(err)
		}
		if x := songs[i]; x.CRC32 != crc32.ChecksumIEEE(p) || x.First != s.Start || x.End != s.End || x.Proof != "two equal reads" || x.Flawed {
			t.Errorf("%+v", x)
		}
	}
	changed := bytes.Replace(text, []byte("two equal"), []byte("six equal"), 1)
	if _, err := ParseLog(changed); !errors.Is(err, ErrLogChanged) {
		t.Error(err)
	}
}

func TestBadLogs(t *testing.T) {
	for text, want := range map[string]error{
		"":                                  ErrLog,
		"Exact Audio Copy V1.6":             ErrLog,
		"spindle rip log, version 2\n":      ErrLogVersion,
		logTitle + "\nno colon\n":           ErrLog,
		logTitle + "\n":                     ErrLogChanged,
		logTitle + "\n" + sealName + "00\n": ErrLogChanged,
	} {
		if _, err := ParseLog([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, lines := range []string{
		"file: ../x.flac\nsectors: 0 to 5\nCRC-32: 00000000", "file: x\nsectors: 5 to 0\nCRC-32: 0", "file: x\nsectors: 0 to 5\nCRC-32: 123456789",
		"file: x\nsectors: 0 to 99999999\nCRC-32: 0", "sectors: 0 to 5\nCRC-32: 0", "file: ..\nsectors: 0 to 5\nCRC-32: 0", "",
	} {
		l, _ := ParseLog([]byte(logTitle + "\n[song 1]\n" + lines + "\n"))
		if _, err := l.Songs(); !errors.Is(err, ErrLog) {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

func FuzzParseLog(f *testing.F) {
	f.Add([]byte(logTitle + "\nx: y\n[song 1]\nfile: x\nsectors: 0 to 5\nCRC-32: 00000000\n\n" + sealName + strings.Repeat("0", 64) + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, _ := ParseLog(b); l != nil {
			songs, _ := l.Songs()
			for _, s := range songs {
				if strings.ContainsAny(s.File, `/\`) || s.End <= s.First {
					t.Errorf("%+v", s)
				}
			}
		}
	})
}
