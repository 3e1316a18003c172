package image_test

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"spindle/image"
	"spindle/internal/testdisc"
	"spindle/iso"
)

// Opening an image of 8 GB and listing it takes little of it, and little memory. How long it takes is
// measured by testdata/bench.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes files of 8 GB, which are holes where the file system has them")
	}
	const size = 8 << 30
	src, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	small, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	for name, parts := range map[string]map[int64][]byte{
		"x.iso": {0: small, size - 1: {0}},
		"x.vhd": {0: small, size: fixedFooter(size)},
		"x.cso": plainCSO(size, small),
	} {
		path := filepath.Join(t.TempDir(), name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		for at, b := range parts {
			if _, err := f.WriteAt(b, at); err != nil {
				t.Skip(err) // a file system of small files
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		files, err := listed(t, path)
		runtime.ReadMemStats(&after)
		const most = 64 << 20
		if used := after.TotalAlloc - before.TotalAlloc; err != nil || used > most || files < 3 {
			t.Errorf("%s: %d files, with %d bytes of memory, %v", name, files, used, err)
		}
	}
}

// listed opens an image and counts its files.
func listed(t *testing.T, path string) (n int, err error) {
	t.Helper()
	img, err := image.Open(t.Context(), path)
	if err != nil {
		return 0, err
	}
	defer img.Close()
	files, err := iso.OpenFiles(image.UserData(t.Context(), img, img.Layout().Tracks()[0]), 0)
	if err != nil {
		return 0, err
	}
	return n, fs.WalkDir(files, ".", func(_ string, _ fs.DirEntry, err error) error { n++; return err })
}

// fixedFooter is that of a fixed virtual hard disk.
func fixedFooter(size uint64) []byte {
	be := binary.BigEndian
	b := make([]byte, 512)
	copy(b, "conectix")
	be.PutUint32(b[8:], 2)
	be.PutUint32(b[12:], 0x10000)
	be.PutUint64(b[16:], 1<<64-1)
	be.PutUint64(b[40:], size)
	be.PutUint64(b[48:], size)
	be.PutUint32(b[60:], 2)
	var sum uint32
	for _, x := range b {
		sum += uint32(x)
	}
	be.PutUint32(b[64:], ^sum)
	return b
}

// plainCSO is a CSO file of blocks that are all stored as they are, most of them in a hole of the file.
func plainCSO(size int64, content []byte) map[int64][]byte {
	const block, shift, header = 2048, 3, 24
	le := binary.LittleEndian
	n := size / block
	first := (header + 4*(n+1) + block - 1) / block * block
	b := le.AppendUint64(le.AppendUint32([]byte("CISO"), header), uint64(size))
	b = append(le.AppendUint32(b, block), 1, shift, 0, 0)
	for k := range n + 1 {
		b = le.AppendUint32(b, uint32((first+k*block)>>shift)|1<<31)
	}
	return map[int64][]byte{0: b, first: content, first + size - 1: {0}}
}
