package cif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/internal/mutants"
	"spindle/internal/testdisc/testforeign"
)

func opened(t testing.TB, b []byte) (disc.Image, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.cif")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := format.OpenPath(t.Context(), path, openFile)
	if err == nil {
		t.Cleanup(func() { img.Close() })
	}
	return img, err
}

// noise is n sectors of so many bytes.
func noise(n, size, seed int) []byte {
	b := make([]byte, n*size)
	for i := range b {
		b[i] = byte(i/size*31 + i%size*7 + i%size/256 + seed)
	}
	return b
}

// example is a mixed disc, of which one track is stored with more sectors than are stated, and a second session.
func example() [][]testforeign.CIFTrack {
	return [][]testforeign.CIFTrack{
		{
			{Type: 1, Sectors: 310, Data: noise(310, 2048, 1)}, {Sectors: 200, Data: noise(300, 2352, 2), ISRC: "DEAB40512345"},
			{Sectors: 305, Data: append(noise(305, 2352, 3), 0, 0, 0)},
		},
		{{Type: 2, Sectors: 320, Data: noise(320, 2056, 4)}},
	}
}

func made() []byte { return testforeign.CIF("x", example()...).Bytes["x.cif"] }

func TestOpen(t *testing.T) {
	img, err := opened(t, made())
	if err != nil {
		t.Fatal(err)
	}
	l, e := img.Layout(), example()
	var got []string
	for _, tr := range l.Tracks() {
		got = append(got, fmt.Sprint(tr.Mode, tr.Start, tr.Pregap, tr.End, tr.ISRC))
	}
	const second = 310 + 150 + 300 + 305 + 11400
	want := []string{
		fmt.Sprint(disc.Mode1, 0, 0, 310, ""), fmt.Sprint(disc.Audio, 460, 150, 760, "DEAB40512345"),
		fmt.Sprint(disc.Audio, 760, 0, 1065, ""), fmt.Sprint(disc.Mode2, second, 0, second+320, ""),
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") || len(l.Sessions) != 2 || l.Sessions[1].Format != disc.FormatXA {
		t.Errorf("%s; want %s", strings.Join(got, "; "), strings.Join(want, "; "))
	}
	var s [cdsector.Size]byte
	for a, want := range map[disc.LBA][]byte{
		0: e[0][0].Data[:2048], 309: e[0][0].Data[309*2048:], 310: nil, 460: e[0][1].Data[:2352], 759: e[0][1].Data[299*2352:],
		760: e[0][2].Data[:2352], 1064: e[0][2].Data[304*2352:][:2352], second + 1: e[1][0].Data[2056+8:][:2048],
	} {
		if err := img.ReadSectors(t.Context(), s[:], a); err != nil {
			t.Fatal(err)
		}
		from := map[int]int{2352: 0, 0: 0, 2048: 16}[len(want)]
		if a > second {
			from = 24
		}
		if !bytes.Equal(s[from:from+len(want)], want) {
			t.Errorf("sector %d differs", a)
		}
	}
	if len(img.Flaws()) > 0 {
		t.Errorf("flaws %v", img.Flaws())
	}
	imagetest.Test(t, img)
}

func TestRefused(t *testing.T) {
	le := binary.LittleEndian
	one := func(x testforeign.CIFTrack) []byte {
		return testforeign.CIF("x", []testforeign.CIFTrack{x}).Bytes["x.cif"]
	}
	good := one(testforeign.CIFTrack{Type: 1, Sectors: 300, Data: noise(300, 2048, 0)})
	about := bytes.Index(good, []byte("disc")) + 4
	places := bytes.Index(good, []byte("ofs ")) + 4
	for want, spoil := range map[string]func(b []byte){
		"no RIFF file at byte 24":         func(b []byte) { b[24] = 'L' },
		"no RIFF file at byte 0":          func(b []byte) { le.PutUint32(b[4:], 3) },
		"ends at byte":                    func(b []byte) { le.PutUint32(b[4:], 1<<32-1) },
		"a description of 4294967291":     func(b []byte) { le.PutUint32(b[about-8:], 1<<32-1) },
		"0 sessions":                      func(b []byte) { le.PutUint16(b[about+10:], 0) },
		"65535 sessions":                  func(b []byte) { le.PutUint16(b[about+10:], 1<<16-1) },
		"no description of a disc":        func(b []byte) { le.PutUint16(b[about+8:], 3) },
		"no description of a session":     func(b []byte) { le.PutUint16(b[about+10:], 2) },
		"no description of a track":       func(b []byte) { le.PutUint16(b[about+8+16+18+18:], 0) },
		"has 0 entries":                   func(b []byte) { le.PutUint16(b[places+8:], 0) },
		"has 3 entries":                   func(b []byte) { le.PutUint16(b[places+8:], 3) },
		"entry 1 of the list":             func(b []byte) { b[places+10] = 'L' },
		"4294967295 sectors of 2048":      func(b []byte) { le.PutUint32(b[about+8+16+18+18+4:], 1<<32-1) },
		"300 sectors of 2352 bytes":       func(b []byte) { b[about+8+16+18+18+10] = 0 },
		"the unknown type 9":              func(b []byte) { b[about+8+16+18+18+10] = 9 },
		"with a track of mixed forms":     func(b []byte) { b[about+8+16+18+18+10] = 4 },
		"300 sectors of 2048 bytes in -4": func(b []byte) { clear(b[places+14:][:4]) },
	} {
		b := bytes.Clone(good)
		spoil(b)
		if _, err := opened(t, b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	two := testforeign.CIF("x", example()...).Bytes["x.cif"]
	at := bytes.Index(two, []byte("ofs ")) + 4 + 10
	copy(two[at+2*22+12:], two[at+22+12:][:4]) // the third track is where the second is
	if _, err := opened(t, two); err == nil || !strings.Contains(err.Error(), "tracks 2 and 3 are both at byte") {
		t.Error(err)
	}
	if _, err := opened(t, one(testforeign.CIFTrack{Type: 4, Sectors: 300, Data: noise(300, 2332, 0)})); !errors.Is(err, format.ErrUnknown) {
		t.Error(err)
	}
}

// The sectors that a file lost are flaws.
func TestCut(t *testing.T) {
	b := made()
	img, err := opened(t, b[:len(b)-3*2056])
	if err != nil || img.Flaws().Sectors() != 3 {
		t.Fatalf("%v, %v", img.Flaws(), err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(made()[:8192])
	f.Add(testforeign.CIF("x", []testforeign.CIFTrack{{Type: 1, Sectors: 300, Data: noise(300, 2048, 0)}}).Bytes["x.cif"][:4096])
	path := filepath.Join(f.TempDir(), "x.cif")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		img, err := format.OpenPath(t.Context(), path, openFile)
		if err != nil {
			return
		}
		defer img.Close()
		if err := img.Layout().Validate(); err != nil {
			t.Error(err)
		}
	})
}

// Damaged at random, an image is refused, or keeps the contract of one.
func TestMutants(t *testing.T) {
	whole := made()
	for n := range uint64(mutants.Count()) {
		img, err := opened(t, mutants.Of(whole, n))
		if err != nil {
			continue
		}
		if _, err := imagetest.Sum(t.Context(), img); err == nil && img.Layout().End() < 20_000 {
			imagetest.Test(t, img)
		}
	}
}
