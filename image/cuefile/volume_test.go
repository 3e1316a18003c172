package cuefile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"spindle/image/format"
	"spindle/iso"
	"spindle/iso/author"
)

// makeVolume makes a volume with a file of so many sectors, which are its last, and no padding.
func makeVolume(t *testing.T, sectors int) []byte {
	t.Helper()
	dir := t.TempDir()
	content := bytes.Repeat([]byte("content\n"), sectors*iso.BlockSize/8)
	if err := os.WriteFile(filepath.Join(dir, "file"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.iso")
	if _, err := author.Create(t.Context(), path, dir, author.Options{}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = b[:(bytes.LastIndexByte(b, '\n')+iso.BlockSize)/iso.BlockSize*iso.BlockSize]
	return resize(b, len(b)/iso.BlockSize)
}

// resize is a volume that states another size.
func resize(volume []byte, blocks int) []byte {
	b := bytes.Clone(volume)
	at := b[iso.FirstDescriptor*iso.BlockSize+80:] // ECMA-119 8.4.8
	binary.LittleEndian.PutUint32(at, uint32(blocks))
	binary.BigEndian.PutUint32(at[4:], uint32(blocks))
	return b
}

// A data track with others behind it lacks what the volume in it has more, but for what masters add where no file lies, and
// for what lies in other tracks.
func TestVolumeOfSeveralTracks(t *testing.T) {
	volume := makeVolume(t, 300)
	n := len(volume) / iso.BlockSize
	const (
		first  = "FILE first.iso BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\n"
		second = "FILE second.bin BINARY\nTRACK 02 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:00:00\n"
	)
	for name, test := range map[string]struct {
		sheet   string
		content []byte
		remarks string
		lacks   int
	}{
		"whole":                 {first + second, volume, "", 0},
		"padded":                {first + second, append(bytes.Clone(volume), make([]byte, 150*iso.BlockSize)...), "", 0},
		"states gap, run-out":   {first + second, resize(volume, n+slack), "", 0},
		"states more than that": {first + second, resize(volume, n+slack+1), fmt.Sprintf("of at least %d", n+slack+1), slack + 1},
		"states the disc":       {first + second, resize(volume, n+150+600), "", 0},
		"with a postgap":        {first + "POSTGAP 00:04:00\n" + second, resize(volume, n+300), "", 0},
		"one sector is cut":     {first + second, volume[:len(volume)-iso.BlockSize], fmt.Sprintf("of at least %d", n), 1},
		"a file is cut":         {first + second, volume[:len(volume)-200*iso.BlockSize], fmt.Sprintf("of at least %d", n), 200},
		"within a sector":       {first + second, volume[:len(volume)-200*iso.BlockSize-5], fmt.Sprintf("of at least %d", n), 201},
		"with its directory":    {first + second, volume[:20*iso.BlockSize], fmt.Sprintf("of at least %d", n), n - 20},
		"of the disc's, cut":    {first + second, resize(volume[:len(volume)-100*iso.BlockSize], n-100+750), fmt.Sprintf("of at least %d", n), 100},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "first.iso"), test.content, 0o666); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "second.bin"), 600*2352)
		path := filepath.Join(dir, "x.cue")
		if err := os.WriteFile(path, []byte(test.sheet), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := format.OpenFile(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		remarks := ""
		f.Observe(func(r format.Remark) {
			if r.Kind == format.CutShort && r.Displaced {
				remarks += fmt.Sprintf("of at least %d", r.Want/iso.BlockSize)
			} else {
				remarks += fmt.Sprintf("%+v", r)
			}
		})
		img, err := openFile(t.Context(), f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if lacks := img.Flaws().Sectors(); remarks != test.remarks || lacks != test.lacks {
			t.Errorf("%s: %q, lacks %d; want %q, %d", name, remarks, lacks, test.remarks, test.lacks)
		}
		img.Close()
	}
}
