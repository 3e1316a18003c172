package daa

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/image/format"
	"spindle/internal/mutants"
	"spindle/internal/packed"
	"spindle/internal/testdisc/testforeign"
)

// content is what compresses well, what does not at all, and what looks like machine code.
func content() []byte {
	b := make([]byte, 150*2048)
	noise := rand.NewChaCha8([32]byte{13})
	for i := range b[:50*2048] {
		b[i] = byte(i >> 7)
	}
	_, _ = noise.Read(b[50*2048 : 100*2048])
	r := rand.New(noise)
	for i := 100 * 2048; i < len(b); i++ {
		b[i] = []byte{0xE8, 0xE9, 0, 0xFF, 0, 0xFF, 1, 0x7F, byte(r.Uint32())}[r.IntN(9)]
	}
	return b
}

func write(t testing.TB, f *testforeign.Files) string {
	t.Helper()
	path, err := f.Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// load opens an image, and reads it.
func load(t testing.TB, path string) (*format.File, []byte, error) {
	t.Helper()
	f, err := format.OpenFile(t.Context(), path)
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { f.Close() })
	b := make([]byte, min(f.Size, 64<<20))
	n, err := f.ReadAt(b, 0)
	return f, b[:n], err
}

// Every kind gives what was put into it, at any place.
func TestKinds(t *testing.T) {
	want := content()
	for name, d := range testforeign.DAAs() {
		f, got, err := load(t, write(t, d.Make("x", want)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
			continue
		}
		if n := len(f.Files()); n != max(1, d.Volumes) {
			t.Errorf("%s: %d files", name, n)
		}
		for at := int64(0); at < f.Size; at += 17 * 1999 {
			b := make([]byte, 3000)
			n, _ := f.ReadAt(b, at)
			if !bytes.Equal(b[:n], want[at:min(at+3000, f.Size)]) {
				t.Errorf("%s: other bytes at %d", name, at)
			}
		}
	}
}

// Volumes have one of two kinds of names, in any case, and each must be there.
func TestVolumes(t *testing.T) {
	want := content()
	for _, d := range []testforeign.DAA{{Volumes: 3}, {Volumes: 3, GBI: true}} {
		f := d.Make("x", want)
		dir := t.TempDir()
		letter := f.Order[0][len(f.Order[0])-3:]
		names := []string{"a b." + letter, "A B." + letter[:1] + "00", "a b.D01"}
		for i, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), f.Bytes[f.Order[i]], 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if letter == "daa" || os.Rename(filepath.Join(dir, names[2]), filepath.Join(dir, "a b.g01")) == nil {
			if _, got, err := load(t, filepath.Join(dir, names[0])); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, %v", letter, len(got), err)
			}
		}
		if err := os.Remove(filepath.Join(dir, names[1])); err != nil {
			t.Fatal(err)
		}
		_, _, err := load(t, filepath.Join(dir, names[0]))
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "volume 2 of 3 is missing") {
			t.Errorf("%s: %v", letter, err)
		}
	}
	f := (&testforeign.DAA{Volumes: 3}).Make("x", want)
	path := write(t, f)
	later := filepath.Join(filepath.Dir(path), f.Order[1])
	if _, _, err := load(t, later); !errors.Is(err, format.ErrUnknown) || !strings.Contains(err.Error(), "open the first") {
		t.Errorf("a later volume: %v", err)
	}
	for want, spoil := range map[string]func(b []byte){
		"no later volume": func(b []byte) { copy(b, "DAA\x00") },
		"has the CRC-32":  func(b []byte) { b[20] ^= 1 },
		"data at byte":    func(b []byte) { b[16] = 3; binary.LittleEndian.PutUint32(b[36:], crc32.ChecksumIEEE(b[:36])) },
	} {
		b := bytes.Clone(f.Bytes[f.Order[1]])
		spoil(b)
		if err := os.WriteFile(later, b, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := load(t, path); !errors.Is(err, errFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// An image that was cut short opens as far as it has whole chunks.
func TestCut(t *testing.T) {
	want := content()
	for name, d := range testforeign.DAAs() {
		files := d.Make("x", want)
		last := files.Order[len(files.Order)-1]
		files.Bytes[last] = files.Bytes[last][:len(files.Bytes[last])-1]
		f, got, err := load(t, write(t, files))
		if err != nil || !f.Cut || len(got) == 0 || len(got)%(1<<14) != 0 || !bytes.Equal(got, want[:len(got)]) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// What is wrong in the middle is found, and does not reach beyond its chunk.
func TestDamaged(t *testing.T) {
	want := content()
	d := &testforeign.DAA{Second: true, Chunk: 1 << 14, LZMA: true}
	files := d.Make("x", want)
	b := files.Bytes["x.daa"]
	data := int(binary.LittleEndian.Uint32(b[24:]))
	copy(b[data:], "\xFF\xFF\xFF\xFF") // block type 3
	f, err := format.OpenFile(t.Context(), write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 100), 0); !errors.Is(err, packed.ErrDamaged) {
		t.Errorf("chunk 0: %v", err)
	}
	got := make([]byte, 100)
	if _, err := f.ReadAt(got, 1<<14); err != nil || !bytes.Equal(got, want[1<<14:][:100]) {
		t.Errorf("chunk 1: %v", err)
	}
}

// seal makes the checksum of a header right.
func seal(b []byte) []byte {
	if len(b) >= headerSize {
		binary.LittleEndian.PutUint32(b[72:], crc32.ChecksumIEEE(b[:72]))
	}
	return b
}

func TestRefused(t *testing.T) {
	le := binary.LittleEndian
	first, second := testforeign.DAA{}, testforeign.DAA{Second: true, Chunk: 1 << 14}
	for want, test := range map[string]struct {
		d     testforeign.DAA
		spoil func(b []byte)
	}{
		"with a password":              {testforeign.DAA{Key: true}, func([]byte) {}},
		"the unknown version 0x120":    {first, func(b []byte) { le.PutUint16(b[20:], 0x120) }},
		"an unknown variant":           {second, func(b []byte) { b[27] = 0x80 }},
		"chunks of 0 bytes":            {first, func(b []byte) { le.PutUint32(b[36:], 0) }},
		"chunks of 4294967295 bytes":   {first, func(b []byte) { le.PutUint32(b[36:], 1<<32-1) }},
		"18446744073709551615 bytes":   {first, func(b []byte) { le.PutUint64(b[40:], 1<<64-1) }},
		"9223372036854775808 bytes":    {first, func(b []byte) { le.PutUint64(b[40:], 1<<63) }},
		"a table at byte 3":            {first, func(b []byte) { le.PutUint32(b[16:], 3) }},
		"before data at byte 80":       {first, func(b []byte) { le.PutUint32(b[24:], 80) }},
		"the descriptor at byte 76":    {first, func(b []byte) { le.PutUint32(b[80:], 7) }},
		"the table of 65536 chunks":    {first, func(b []byte) { le.PutUint64(b[40:], 1<<30); le.PutUint32(b[36:], 1<<14) }},
		"lengths of 41 bits":           {second, func(b []byte) { b[61] = 0xFA }},
		"chunk 0 has 0 bytes":          {first, func(b []byte) { clear(b[le.Uint32(b[16:]):][:3]) }},
		"the unknown way 3":            {testforeign.DAA{Second: true, Chunk: 1 << 14, LengthBits: 14}, func(b []byte) { b[le.Uint32(b[16:])+1] |= 0xC0 }},
		"the compressed table at byte": {testforeign.DAA{Second: true, Chunk: 1 << 14, PackedTable: true}, func(b []byte) { b[le.Uint32(b[16:])] = 7 }},
	} {
		files := test.d.Make("x", content())
		b := files.Bytes["x.daa"]
		test.spoil(b)
		seal(b)
		if _, _, err := load(t, write(t, files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	files := first.Make("x", content())
	files.Bytes["x.daa"][50] ^= 1
	if _, _, err := load(t, write(t, files)); !errors.Is(err, errFormat) || !strings.Contains(err.Error(), "(byte 72)") {
		t.Errorf("another checksum: %v", err)
	}
}

// Usual deflate has the usual numbers of blocks.
func TestInflate(t *testing.T) {
	want := content()
	for level := -2; level <= 9; level++ {
		var out bytes.Buffer
		w, err := flate.NewWriter(&out, level)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(want)
		w.Close()
		got, err := io.ReadAll(&reordered{in: bitReader{b: out.Bytes()}, order: [3]int{0, 1, 2}})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("level %d: %d bytes, %v", level, len(got), err)
		}
	}
}

// Ours and the standard library's agree on what deflate is.
func FuzzInflate(f *testing.F) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, 6)
	if err != nil {
		f.Fatal(err)
	}
	w.Write(content()[49*2048 : 51*2048])
	w.Close()
	f.Add(out.Bytes())
	f.Add([]byte("\x03\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), maxChunk))
		got, err2 := io.ReadAll(&reordered{in: bitReader{b: b}, order: [3]int{0, 1, 2}})
		if err == nil && err2 != nil && len(want) < maxChunk {
			t.Fatalf("%d bytes, and ours: %v", len(want), err2)
		}
		if err == nil && err2 == nil && !bytes.Equal(got, want) {
			t.Fatal("other bytes")
		}
	})
}

func FuzzOpen(f *testing.F) {
	for _, d := range testforeign.DAAs() {
		files := d.Make("x", content()[49*2048:51*2048])
		f.Add(files.Bytes[files.Order[0]])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = seal(bytes.Clone(b))
		c, err := open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b)), Path: filepath.Join(t.TempDir(), "x.daa")})
		if err != nil {
			return
		}
		buf := make([]byte, min(c.Size, 1<<20))
		_, _ = c.ReadAt(buf, 0)
		_, _ = c.ReadAt(buf, max(0, c.Size-int64(len(buf))))
	})
}

// Damaged at random, also behind a right checksum, an image is refused, found to be damaged, or read to its stated size.
func TestMutants(t *testing.T) {
	for name, d := range testforeign.DAAs() {
		whole := d.Make("x", content()[40*2048:60*2048])
		for n := range uint64(mutants.Count()) {
			files := testforeign.Files{Order: whole.Order, Bytes: map[string][]byte{}}
			for k, v := range whole.Bytes {
				files.Bytes[k] = v
			}
			first := files.Order[0]
			files.Bytes[first] = mutants.Of(whole.Bytes[first], n)
			if n%2 == 0 {
				seal(files.Bytes[first])
			}
			f, got, err := load(t, write(t, &files))
			if err == nil && f.Size <= 64<<20 && int64(len(got)) != f.Size {
				t.Errorf("%s, mutant %d: %d bytes of %d", name, n, len(got), f.Size)
			}
		}
	}
}
