package gdi_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/imagetest"
	"spindle/internal/corpus"
	"spindle/internal/testdisc"
)

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) disc.Image {
	t.Helper()
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img
}

// sectors makes n sectors of a mode from an address on, or samples.
func sectors(mode byte, at, n int) []byte {
	b := make([]byte, n*2352)
	for i := range n {
		s := (*[2352]byte)(b[i*2352:])
		for k := range s {
			s[k] = byte(k*7 + at + i)
		}
		if mode == 1 {
			cdsector.SetHeader(s, disc.LBA(at+i).MSF(), mode)
			cdsector.Seal(s, cdsector.Mode1)
		}
	}
	return b
}

const text = "4\r\n1 0 4 2352 sub\\track01.bin 0\r\n2 450 0 2352 \"track 02.raw\" 0\r\n\r\n3 45000 4 2352 track03.bin 0\r\n  4   45040 4 2048  track04.iso   4\r\n"

// disc makes the files of a GD-ROM.
func gdrom(t testing.TB) (path string, tracks [][]byte) {
	t.Helper()
	dir := t.TempDir()
	tracks = [][]byte{sectors(1, 0, 300), sectors(0, 450, 20), sectors(1, 45000, 30), sectors(1, 45040, 10)}
	write(t, filepath.Join(dir, "sub", "track01.bin"), tracks[0])
	write(t, filepath.Join(dir, "Track 02.RAW"), tracks[1])
	write(t, filepath.Join(dir, "track03.bin"), tracks[2])
	var user []byte
	for i := range 10 {
		user = append(user, tracks[3][i*2352+16:i*2352+2064]...)
	}
	write(t, filepath.Join(dir, "track04.iso"), append([]byte("head"), user...))
	path = filepath.Join(dir, "x.gdi")
	write(t, path, []byte(text))
	return path, tracks
}

func TestOpen(t *testing.T) {
	path, tracks := gdrom(t)
	img := open(t, path)
	l := img.Layout()
	var got strings.Builder
	for _, s := range l.Sessions {
		for _, x := range s.Tracks {
			fmt.Fprintf(&got, "%d/%d %v %d+%d-%d; ", s.Number, x.Number, x.Mode, x.Begin(), x.Pregap, x.End)
		}
	}
	if want := "1/1 mode 1 0+0-300; 1/2 audio 300+150-470; 2/3 mode 1 45000+0-45030; 2/4 mode 1 45030+10-45050; "; got.String() != want {
		t.Errorf("%s", got.String())
	}
	for i, x := range l.Tracks() {
		p := make([]byte, int(x.End-x.Start)*2352)
		if err := img.ReadSectors(t.Context(), p, x.Start); err != nil || !bytes.Equal(p, tracks[i]) {
			t.Errorf("track %d has other sectors (%v)", x.Number, err)
		}
	}
	imagetest.Test(t, img)

	// Written and opened again, it is the same.
	for _, out := range []string{"y.gdi", "a b.gdi", "z.chd"} {
		out = filepath.Join(t.TempDir(), out)
		if _, err := image.Create(t.Context(), out, img, image.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		back := open(t, out)
		for i, x := range back.Layout().Tracks() {
			p := make([]byte, int(x.End-x.Start)*2352)
			if err := back.ReadSectors(t.Context(), p, x.Start); err != nil || !bytes.Equal(p, tracks[i]) || x.Start != l.Tracks()[i].Start || x.Pregap != l.Tracks()[i].Pregap {
				t.Errorf("%s: track %d has other sectors (%v)", out, x.Number, err)
			}
		}
		imagetest.Test(t, back)
	}
}

func TestCreateRefused(t *testing.T) {
	for _, name := range []string{"mixed", "twosession", "iso"} {
		src, err := testdisc.Make(t.TempDir(), name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = image.Create(t.Context(), filepath.Join(t.TempDir(), "x.gdi"), open(t, src), image.CreateOptions{Lossy: true})
		if !errors.Is(err, image.ErrCannotHold) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefused(t *testing.T) {
	path, _ := gdrom(t)
	for bad, want := range map[string]string{
		"x\n":                               "line 1: it is not the number of tracks",
		"0\n":                               "line 1: it is not the number of tracks",
		"100\n":                             "line 1: it is not the number of tracks",
		"2\n1 0 4 2352 track03.bin 0\n":     "line 3: 1 of 2 tracks are missing",
		"1\n1 0 4 2352 track03.bin 0\n2 0":  "line 3: the first line states 1 tracks",
		"1\n1 0 4 2352 track03.bin\n":       "line 2: 5 fields",
		"1\n1 0 4 2352 \"\" 0\n":            "line 2: no file is named",
		"1\n1\v0\v4\v2352\vx\v0\n":          "line 2: 1 fields",
		"1\n1 -1 4 2352 track03.bin 0\n":    `line 2: "-1" is not a number`,
		"1\n1 0 3 2352 track03.bin 0\n":     "line 2: the kind of track 1 is 3",
		"1\n1 0 4 2353 track03.bin 0\n":     "line 2: track 1 has 2353 bytes",
		"1\n1 0 4 2352 gone.bin 0\n":        `line 2: there is no file "gone.bin"`,
		"1\n1 0 4 2352 track03.bin 99999\n": "begin at byte 99999",
		"1\n7 0 4 2352 ../track03.bin 0\n":  "",
		"2\n1 0 4 2352 track03.bin 0\n2 20 0 2352 \"track 02.raw\" 0\n": "track 2 begins at 20, inside",
		"2\n1 0 4 2352 track03.bin 0\n2 100 4 2352 track03.bin 2352\n":  "tracks 1 and 2 are both at byte 2352 of track03.bin",
		"2\n1 45000 4 2352 track03.bin 0\n2 100 4 2352 track04.iso 0\n": "track 1 is in session 2",
	} {
		write(t, path, []byte(bad))
		img, err := image.Open(t.Context(), path)
		if err == nil {
			img.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Descriptors of others, to files that are made up.
func TestCorpus(t *testing.T) {
	for _, path := range corpus.Glob(t, "formats/flyinghead__flycast/tests/files/test_gdis/*/cs.gdi") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write(t, filepath.Join(dir, "cs.gdi"), b)
		for _, name := range []string{"tracks/cs01.bin", "cs01.bin", "cs (0,1).bin"} {
			write(t, filepath.Join(dir, name), sectors(1, 0, 10))
		}
		for _, name := range []string{"tracks/cs02.raw", "cs02.raw"} {
			write(t, filepath.Join(dir, name), sectors(0, 0, 10))
		}
		for _, name := range []string{"tracks/cs03.bin", "cs03.bin"} {
			write(t, filepath.Join(dir, name), sectors(1, 45000, 10))
		}
		img := open(t, filepath.Join(dir, "cs.gdi"))
		if l := img.Layout(); len(l.Sessions) != 2 || len(l.Tracks()) != 3 {
			t.Errorf("%s: %+v", path, l)
		}
	}
	img := open(t, corpus.Path(t, "formats", "emmercm__igir", "test", "fixtures", "roms", "discs", "GD-ROM.gdi"))
	if l := img.Layout(); len(l.Tracks()) != 4 || l.Tracks()[3].Start != 158259 || l.End() != 158262 {
		t.Errorf("%+v", l)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(text)
	f.Add("1\n1 0 4 2352 track03.bin 0\n")
	f.Add("1\n1\v0\u00a04\f2352\vx\v0\n")
	path, _ := gdrom(f)
	f.Fuzz(func(t *testing.T, s string) {
		write(t, path, []byte(s))
		img, err := image.Open(t.Context(), path)
		if err != nil {
			return
		}
		defer img.Close()
		if err := img.Layout().Validate(); err != nil {
			t.Error(err)
		}
	})
}

// A part of a sector at the end of a file is one that was cut short, and not passed over.
func TestPartOfSector(t *testing.T) {
	for name, c := range map[string]struct {
		cut   int // bytes
		flaws disc.Flaws
	}{
		"whole": {0, nil},
		"cut":   {1000, disc.Flaws{{First: 45009, Count: 1, Kind: disc.Unread}}},
	} {
		dir := t.TempDir()
		write(t, dir+"/1.bin", sectors(1, 0, 300))
		write(t, dir+"/2.bin", sectors(1, 45000, 10)[:10*2352-c.cut])
		write(t, dir+"/x.gdi", []byte("2\n1 0 4 2352 1.bin 0\n2 45000 4 2352 2.bin 0\n"))
		var remarks []image.Remark
		img, err := image.Open(t.Context(), dir+"/x.gdi", func(r image.Remark) { remarks = append(remarks, r) })
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		if end := img.Layout().End(); end != 45010 || fmt.Sprint(img.Flaws()) != fmt.Sprint(c.flaws) || (len(remarks) > 0) != (c.cut > 0) {
			t.Errorf("%s: ends at %d, %v, %+v", name, end, img.Flaws(), remarks)
		}
	}
}
