package isofile

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/iso"
)

// cutUDF writes an image of a UDF volume of 400 blocks that ends after blocks.
func cutUDF(t *testing.T, blocks int) string {
	t.Helper()
	b := make([]byte, 400*iso.BlockSize)
	put := func(n int, tag uint16, fields map[int]uint32) {
		d := b[n*iso.BlockSize:]
		for at, v := range fields {
			binary.LittleEndian.PutUint32(d[at:], v)
		}
		binary.LittleEndian.PutUint16(d, tag)
		binary.LittleEndian.PutUint32(d[12:], uint32(n))
		for i, c := range d[:16] {
			if i != 4 {
				d[4] += c
			}
		}
	}
	copy(b[16*iso.BlockSize:], "\x00BEA01\x01")
	copy(b[17*iso.BlockSize:], "\x00NSR02\x01")
	copy(b[18*iso.BlockSize:], "\x00TEA01\x01")
	put(256, 2, map[int]uint32{16: 16 * iso.BlockSize, 20: 32})
	put(32, 5, map[int]uint32{184: 1, 188: 260, 192: 140})
	put(33, 6, map[int]uint32{212: iso.BlockSize})
	put(34, 8, nil)
	path := filepath.Join(t.TempDir(), "x.iso")
	if err := os.WriteFile(path, b[:blocks*iso.BlockSize], 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A UDF image that was cut has what is missing among its flaws, as one of ISO 9660 has.
func TestCutUDF(t *testing.T) {
	for _, blocks := range []int{400, 300} {
		img, err := OpenAs(t.Context(), cutUDF(t, blocks), disc.DVD)
		if err != nil {
			t.Fatal(err)
		}
		if end, missing := img.Layout().End(), img.Flaws().Sectors(); end != 400 || missing != 400-blocks {
			t.Errorf("of %d blocks: it ends at %d, %d are missing", blocks, end, missing)
		}
		img.Close()
	}
}
