package isofile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image/format"
	"spindle/image/mapfile"
	"spindle/internal/corpus"
	"spindle/internal/testdisc"
	"spindle/iso"
	"spindle/iso/author"
)

// content makes an ISO 9660 image with a file in it.
func content(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello.txt"), []byte("hello\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "made.iso")
	if _, err := author.Create(t.Context(), path, dir, author.Options{Label: "X"}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.iso")
	whole := content(t)
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(whole)
	for _, m := range []disc.Medium{disc.CD, disc.DVD, disc.BD} {
		img, err := OpenAs(context.Background(), path, m)
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, m.SectorSize())
		if err := img.ReadSectors(t.Context(), p, 16); err != nil {
			t.Fatal(err)
		}
		if at := (m.SectorSize() - iso.BlockSize) / 19; !bytes.Equal(p[at:][:iso.BlockSize], whole[16*iso.BlockSize:17*iso.BlockSize]) {
			t.Errorf("%v: wrong content", m)
		}
		img.Close()
	}
	sectors := disc.LBA(len(whole) / iso.BlockSize)
	for name, b := range map[string][]byte{"truncated": whole[:len(whole)-iso.BlockSize], "odd size": append(whole, 1, 2, 3)} {
		write(b)
		img, err := format.OpenPath(context.Background(), path, as(disc.MediumFor))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if end := img.Layout().End(); end < sectors || !img.Flaws().Contains(end-1) || img.Flaws().Sectors() != 1 {
			t.Errorf("%s: %d sectors, flaws: %v", name, end, img.Flaws())
		}
		img.Close()
	}
	write(nil)
	if _, err := format.OpenPath(context.Background(), path, as(disc.MediumFor)); !errors.Is(err, errSize) {
		t.Errorf("empty: %v", err)
	}
}

func TestForeign(t *testing.T) {
	for _, path := range corpus.Glob(t, "libcdio/*.iso") {
		name := filepath.Base(path)
		img, err := format.OpenPath(context.Background(), path, as(disc.MediumFor))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if cut := strings.HasPrefix(name, "bad-") || strings.HasPrefix(name, "malformed"); cut != (len(img.Flaws()) > 0) {
			t.Errorf("%s: flaws %v", name, img.Flaws())
		}
		img.Close()
	}
}

// What a damaged descriptor states of the size is not believed, and does not pass for whole.
func TestAbsurdSize(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const size = 16*iso.BlockSize + 80 // ECMA-119 8.4.8
	for i := range 8 {
		b[size+i] ^= 0xFF
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := format.OpenPath(context.Background(), path, as(disc.MediumFor))
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if end := img.Layout().End(); int(end) != len(b)/iso.BlockSize+1 || !img.Flaws().Contains(end-1) {
		t.Errorf("%d sectors, flaws: %v", end, img.Flaws())
	}
}

// A file that a copy was not finished of has what the map of that copy says, also behind its file
// system; the map of another copy does not count.
func TestUnfinished(t *testing.T) {
	whole := content(t)
	const more = 100
	total := int64(len(whole)) + more*2048
	for _, test := range []struct {
		name, as string
		own      bool
		have     int64 // bytes of the file
		done     int64 // bytes that the map calls finished
		want     int64 // sectors
	}{
		{"x.iso.part", "x.iso.map", true, int64(len(whole)) + 2048, int64(len(whole)) + 2048, total / 2048},
		{"x.iso.part", "x.iso.part.map", true, int64(len(whole)), int64(len(whole)), total / 2048},
		{"cut.iso.part", "cut.iso.map", true, int64(len(whole)), total, total / 2048},
		{"dd.iso", "dd.map", false, int64(len(whole)), int64(len(whole)), total / 2048},
		{"other.iso", "other.map", false, int64(len(whole)), total, int64(len(whole)) / 2048},
		{"other.iso", "other.log", false, int64(len(whole)), 2048, int64(len(whole)) / 2048},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, test.name)
		m := mapfile.New(total)
		m.Set(0, test.done, mapfile.Finished)
		if test.own {
			m.Comments = []string{mapfile.Title}
		}
		f, err := os.Create(filepath.Join(dir, test.as))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.WriteTo(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
		padded := append(slices.Clone(whole), make([]byte, more*2048)...)
		if err := os.WriteFile(path, padded[:test.have], 0o666); err != nil {
			t.Fatal(err)
		}
		img, err := OpenAs(t.Context(), path, disc.DVD)
		if err != nil {
			t.Fatal(err)
		}
		missing := int(test.want) - int(test.have/2048)
		if n := img.Layout().Sectors(); int64(n) != test.want || img.Flaws().Sectors() != missing {
			t.Errorf("%+v: %d sectors, %v", test, n, img.Flaws())
		}
		img.Close()
	}
}
