package image_test

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spindle/image"
	"spindle/internal/testdisc"
	"spindle/iso"
)

// Sectors of an audio track are the content of a file only if it says that it is audio, as CD-ROM XA has it.
func TestFilesInAudio(t *testing.T) {
	dir := t.TempDir()
	source, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	volume, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	audio := bytes.Repeat([]byte("song"), 5*2352/4)
	for name, test := range map[string]struct {
		attributes byte
		size       int
		damaged    int
	}{"audio": {0x40, 2 * 2352, 0}, "data": {0x08, 3000, 2}} {
		dir := t.TempDir()
		v := withAttributes(t, volume, test.attributes, len(volume)/iso.BlockSize+1)
		sheet := "FILE x.iso BINARY\nTRACK 01 MODE2/2048\nINDEX 01 00:00:00\nFILE x.bin BINARY\nTRACK 02 AUDIO\nINDEX 01 00:00:00\n"
		for name, b := range map[string][]byte{"x.iso": v, "x.bin": audio, "x.cue": []byte(sheet)} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		img, err := image.Open(t.Context(), filepath.Join(dir, "x.cue"))
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		c, err := image.OpenContents(t.Context(), img, 0)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fs.ReadFile(c, "numbers.txt")
		info, serr := c.Stat("numbers.txt")
		if err != nil || serr != nil {
			t.Fatal(err, serr)
		}
		if damaged := c.FlawsOf(info, nil).Sectors(); len(b) != test.size || damaged != test.damaged || bytes.Contains(b, []byte("song")) != (damaged == 0) {
			t.Errorf("%s: %d bytes, %d sectors damaged", name, len(b), damaged)
		}
	}
}

// withAttributes gives numbers.txt attributes of XA, and 3000 bytes from a block on.
func withAttributes(t *testing.T, volume []byte, attributes byte, block int) []byte {
	t.Helper()
	at := bytes.Index(volume, []byte("NUMBERS.TXT;1")) - 33
	if at < 0 {
		at = bytes.Index(volume, []byte("numbers.txt")) - 33
	}
	if at < 0 {
		t.Fatal("there is no numbers.txt")
	}
	n := int(volume[at])
	record := slices.Concat(volume[at:at+n], []byte{0, 0, 0, 0, attributes, 0, 'X', 'A', 0, 0, 0, 0, 0, 0})
	record[0] = byte(len(record))
	for k, v := range map[int]int{2: block, 10: 3000} {
		binary.LittleEndian.PutUint32(record[k:], uint32(v))
		binary.BigEndian.PutUint32(record[k+4:], uint32(v))
	}
	end := (at/iso.BlockSize + 1) * iso.BlockSize
	return slices.Concat(volume[:at], record, volume[at+n:end-14], volume[end:])
}
