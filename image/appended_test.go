package image_test

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/iso"
	"spindle/iso/author"
)

// volume makes an ISO of one file that counts its blocks from a later place on.
func volume(t *testing.T, name string, start uint32) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "in", name), []byte("content of "+name), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.iso")
	o := author.Options{Label: "VOLUME", NoJoliet: true}
	if _, err := author.Create(t.Context(), out, filepath.Join(dir, "in"), o); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	move := func(record []byte) uint32 { // ECMA-119 9.1.3
		block := binary.LittleEndian.Uint32(record[2:])
		binary.LittleEndian.PutUint32(record[2:], block+start)
		binary.BigEndian.PutUint32(record[6:], block+start)
		return block
	}
	root := move(b[16*iso.BlockSize+156:])
	dirs := b[root*iso.BlockSize : (root+1)*iso.BlockSize]
	for at := 0; dirs[at] > 0; at += int(dirs[at]) {
		move(dirs[at:])
	}
	return b
}

// An .iso of a DVD with several sessions shows what the last of them says.
func TestAppendedSessions(t *testing.T) {
	const second, third = 4096, 4096 + 2000
	path := filepath.Join(t.TempDir(), "x.iso")
	var b []byte
	for start, name := range map[uint32]string{0: "first", second: "second", third: "third"} {
		v := volume(t, name, start)
		if end := int(start)*iso.BlockSize + len(v); end > len(b) {
			b = append(b, make([]byte, end-len(b))...)
		}
		copy(b[int(start)*iso.BlockSize:], v)
	}
	for name, test := range map[string]struct {
		medium disc.Medium
		size   int
		want   string
	}{
		"three": {disc.DVD, len(b), "third"},
		"two":   {disc.DVD, third * iso.BlockSize, "second"},
		"one":   {disc.BD, second * iso.BlockSize, "first"},
		"small": {disc.CD, len(b), "third"},
	} {
		if err := os.WriteFile(path, b[:test.size], 0o666); err != nil {
			t.Fatal(err)
		}
		img, err := image.OpenAs(t.Context(), path, test.medium)
		if err != nil {
			t.Fatal(err)
		}
		c, err := image.OpenContents(t.Context(), img, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(c, test.want); err != nil || string(got) != "content of "+test.want {
			all, _ := fs.ReadDir(c, ".")
			t.Errorf("%s: %q, %v; there are %v", name, got, err, all)
		}
		if v, err := image.ReadVolume(t.Context(), img, img.Layout().Tracks()[0]); err != nil || v.Label != "VOLUME" {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		img.Close()
	}
}

// What is left on a rewritable disc of what it held before is no later session of what was written over it.
func TestLeftOverSession(t *testing.T) {
	const second = 4096
	path := filepath.Join(t.TempDir(), "x.iso")
	for name, test := range map[string]struct {
		date   string // of the volume in front
		behind byte   // what stands between the two
		want   string
	}{
		"left over":            {"2090010100000000", 1, "first"},
		"a gap":                {"2090010100000000", 0, "second"},
		"younger":              {"2001010100000000", 1, "second"},
		"younger, after a gap": {"2001010100000000", 0, "second"},
	} {
		b := make([]byte, second*iso.BlockSize)
		first := volume(t, "first", 0)
		copy(first[16*iso.BlockSize+813:], test.date)
		copy(b, first)
		b[(second-1000)*iso.BlockSize] = test.behind
		if err := os.WriteFile(path, append(b, volume(t, "second", second)...), 0o666); err != nil {
			t.Fatal(err)
		}
		img, err := image.OpenAs(t.Context(), path, disc.DVD)
		if err != nil {
			t.Fatal(err)
		}
		c, err := image.OpenContents(t.Context(), img, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(c, test.want); err != nil || string(got) != "content of "+test.want {
			t.Errorf("%s: %v", name, err)
		}
		img.Close()
	}
}
