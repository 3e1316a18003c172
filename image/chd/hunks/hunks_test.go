package hunks_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"spindle/image/chd/hunks"
	"spindle/internal/corpus"
	"spindle/internal/packed"
	"spindle/internal/testdisc/testchd"
)

// content makes hunks of many kinds: noise, zeros, text, tones, repeated ones.
func content(hunk, n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(hunk)))
	var all []byte
	for i := range n {
		b := make([]byte, hunk)
		switch i % 7 {
		case 0:
			for k := range b {
				b[k] = byte(r.Uint32())
			}
		case 1: // zeros
		case 2:
			copy(b, strings.Repeat(fmt.Sprintf("hunk %d of text. ", i), hunk/16))
		case 3:
			for k := 0; k+4 <= hunk; k += 4 {
				binary.LittleEndian.PutUint16(b[k:], uint16(k*i%4000))
				binary.LittleEndian.PutUint16(b[k+2:], uint16(k*3%5000))
			}
		case 4, 5:
			copy(b, all[(i-4)*hunk:(i-3)*hunk])
		case 6:
			for k := range b {
				b[k] = byte(k % 8)
			}
		}
		all = append(all, b...)
	}
	return all
}

func open(t testing.TB, b []byte) *hunks.File {
	t.Helper()
	f, err := hunks.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// same reads all at once, and in odd pieces.
func same(t *testing.T, f *hunks.File, want []byte) {
	t.Helper()
	if f.Size() != int64(len(want)) {
		t.Fatalf("%d bytes, want %d", f.Size(), len(want))
	}
	got := make([]byte, len(want)+1)
	if n, err := f.ReadAt(got, 0); n != len(want) || !errors.Is(err, io.EOF) || !bytes.Equal(got[:n], want) {
		t.Fatalf("read %d of %d bytes: %v", n, len(want), err)
	}
	for at := 0; at < len(want); at += 3001 {
		p := make([]byte, min(5003, len(want)-at))
		if _, err := f.ReadAt(p, int64(at)); err != nil || !bytes.Equal(p, want[at:at+len(p)]) {
			t.Fatalf("%d bytes at %d: %v", len(p), at, err)
		}
	}
}

func TestCodecs(t *testing.T) {
	for _, codecs := range []string{"", "zlib", "lzma", "zstd", "huff", "flac", "cdzl", "cdlz", "cdzs", "cdfl", "lzma zlib huff flac", "cdlz cdzl cdfl"} {
		for _, o := range []testchd.Options{{HunkBytes: 4896, UnitBytes: 2448}, {HunkBytes: 19584, UnitBytes: 2448}, {HunkBytes: 32 * 2448, UnitBytes: 2448}} {
			if o.HunkBytes > 4896 && codecs != "cdzl" && codecs != "cdfl" {
				continue
			}
			t.Run(fmt.Sprint(codecs, o.HunkBytes), func(t *testing.T) {
				o.Codecs = strings.Fields(codecs)
				want := content(o.HunkBytes, 8)[:8*o.HunkBytes-1000]
				same(t, open(t, testchd.Make(want, o)), want)
			})
		}
	}
}

func TestVersions(t *testing.T) {
	for version := 1; version <= 5; version++ {
		for _, codec := range []string{"", "zlib"} {
			o := testchd.Options{Version: version, Codecs: strings.Fields(codec), HunkBytes: 4096, UnitBytes: 512}
			if version == 2 {
				o.UnitBytes = 1024
			}
			want := content(o.HunkBytes, 20)[:20*4096-1024]
			same(t, open(t, testchd.Make(want, o)), want)
		}
	}
}

// Many hunks: the map has more than one mark, and all forms of repetition.
func TestLongMap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var want []byte
	for i := range 1500 {
		b := make([]byte, 64)
		if i%500 > 350 {
			binary.BigEndian.PutUint64(b, r.Uint64())
		} else if i%7 == 0 {
			b[3] = byte(i)
		}
		want = append(want, b...)
	}
	f := open(t, testchd.Make(want, testchd.Options{Codecs: []string{"zlib"}, HunkBytes: 64, UnitBytes: 32}))
	same(t, f, want)
	for _, at := range []int{1499, 0, 700, 255, 256, 257} {
		p := make([]byte, 64)
		if _, err := f.ReadAt(p, int64(at*64)); err != nil || !bytes.Equal(p, want[at*64:at*64+64]) {
			t.Errorf("hunk %d: %v", at, err)
		}
	}
}

func TestParent(t *testing.T) {
	const hunk = 4096
	base := content(hunk, 30)
	want := append(content(hunk, 10), base[512:512+5*hunk]...)
	want = append(want, content(hunk+1, 3)[:3*hunk]...)
	want = append(want, base[15*hunk:]...)
	for _, version := range []int{1, 2, 3, 4, 5} {
		for _, codec := range []string{"", "zlib"} {
			if version < 3 || version < 5 && codec == "" {
				continue
			}
			o := testchd.Options{Version: version, Codecs: strings.Fields(codec), HunkBytes: hunk, UnitBytes: 512}
			parent := testchd.Make(base, o)
			o.Parent = &testchd.Parent{File: parent, Content: base}
			if version == 5 && codec == "" { // which has no sums, and so no child
				copy(parent[84:], "some twenty bytes...")
			}
			f, p := open(t, testchd.Make(want, o)), open(t, parent)
			id, ok := f.Parent()
			if !ok || !id.Names(p.ID()) || id.Names(f.ID()) {
				t.Errorf("version %d: parent %v, %v; it is %v", version, id, ok, p.ID())
			}
			if _, err := f.ReadAt(make([]byte, len(want)), 0); !errors.Is(err, packed.ErrDamaged) {
				t.Errorf("version %d: without the parent: %v", version, err)
			}
			f.SetParent(p)
			same(t, f, want)
		}
	}
}

// A hunk that is not what it was is an error, and all others can be read.
func TestDamaged(t *testing.T) {
	want := content(4096, 20)
	for version := 3; version <= 5; version++ {
		f := open(t, testchd.Make(want, testchd.Options{
			Version: version, Codecs: []string{"zlib"}, HunkBytes: 4096, UnitBytes: 512,
			Spoil: func(n int, b []byte) {
				if n == 2 {
					b[77] ^= 1
				}
			},
		}))
		p := make([]byte, len(want))
		n, err := f.ReadAt(p, 0)
		var damaged *hunks.DamagedError
		if !errors.As(err, &damaged) || damaged.Hunk != 2 || n != 2*4096 || !bytes.Equal(p[:n], want[:n]) {
			t.Errorf("version %d: %d bytes, %v", version, n, err)
		}
		if _, err := f.ReadAt(p[:4096], 3*4096); err != nil {
			t.Errorf("version %d: the next hunk: %v", version, err)
		}
	}
}

// What is impossible is refused, with the place.
func TestRefused(t *testing.T) {
	be := binary.BigEndian
	v5 := testchd.Options{Codecs: []string{"zlib"}, HunkBytes: 4096, UnitBytes: 512, Meta: []testchd.Meta{{Tag: "ABCD", Data: []byte("x")}}}
	v4 := v5
	v4.Version = 4
	raw := content(4096, 10)
	for name, test := range map[string]struct {
		o      testchd.Options
		change func(b []byte) []byte
		want   string
	}{
		"no magic":         {v5, func(b []byte) []byte { return b[1:] }, "does not begin with"},
		"short":            {v5, func(b []byte) []byte { return b[:100] }, "header of 124 bytes (at byte 8)"},
		"version 6":        {v5, func(b []byte) []byte { b[15] = 6; return b }, "version 6 (at byte 12)"},
		"header length":    {v5, func(b []byte) []byte { b[11]++; return b }, "header of 125 bytes"},
		"a laser disc":     {v5, func(b []byte) []byte { copy(b[20:], "avhu"); return b }, `codec is "avhu" (at byte 20)`},
		"a CD's codec":     {v5, func(b []byte) []byte { copy(b[20:], "cdzl"); return b }, `codec is "cdzl" (at byte 20)`},
		"no hunk size":     {v5, func(b []byte) []byte { be.PutUint32(b[56:], 0); return b }, "0 bytes a hunk"},
		"a huge hunk":      {v5, func(b []byte) []byte { be.PutUint32(b[56:], 1<<31); return b }, "bytes a hunk"},
		"no unit":          {v5, func(b []byte) []byte { be.PutUint32(b[60:], 0); return b }, "0 bytes a unit"},
		"odd unit":         {v5, func(b []byte) []byte { be.PutUint32(b[60:], 511); return b }, "511 bytes a unit"},
		"2^63 bytes":       {v5, func(b []byte) []byte { be.PutUint64(b[32:], 1<<63); return b }, "bytes in all"},
		"2^63-1 bytes":     {v5, func(b []byte) []byte { be.PutUint64(b[32:], 1<<63-1); return b }, "bytes in all"},
		"many hunks":       {v5, func(b []byte) []byte { be.PutUint64(b[32:], 1<<37); return b }, "for 33554432 hunks"},
		"no map":           {v5, func(b []byte) []byte { be.PutUint64(b[40:], 0); return b }, "not finished"},
		"map behind":       {v5, func(b []byte) []byte { be.PutUint64(b[40:], 1<<62); return b }, "cut short"},
		"map cut":          {v5, func(b []byte) []byte { return b[:len(b)-1] }, "cut short"},
		"map of 4 GB":      {v5, func(b []byte) []byte { be.PutUint32(b[be.Uint64(b[40:]):], 1<<32-1); return b }, "map of 4294967295 bytes"},
		"map fields":       {v5, func(b []byte) []byte { b[be.Uint64(b[40:])+12] = 77; return b }, "77, 21 and 21 bits"},
		"map sum":          {v5, func(b []byte) []byte { b[be.Uint64(b[40:])+10] ^= 1; return b }, "checksum is wrong"},
		"map tree":         {v5, func(b []byte) []byte { b[be.Uint64(b[40:])+16] ^= 0x20; return b }, "Huffman"},
		"metadata circle":  {v5, func(b []byte) []byte { be.PutUint64(b[124+8:], 124); return b }, "bytes of metadata (at byte 124)"},
		"metadata behind":  {v5, func(b []byte) []byte { be.PutUint64(b[124+8:], 1<<63); return b }, "metadata at byte"},
		"metadata length":  {v5, func(b []byte) []byte { b[124+5] = 0xFF; return b }, "bytes of metadata at byte 124"},
		"v4, hunks":        {v4, func(b []byte) []byte { be.PutUint32(b[24:], 1); return b }, "1 hunks"},
		"v4, map cut":      {v4, func(b []byte) []byte { return b[:150] }, "cut short"},
		"v4, no end":       {v4, func(b []byte) []byte { b[108+160] ^= 1; return b }, "end mark at byte 268"},
		"v4, laser disc":   {v4, func(b []byte) []byte { be.PutUint32(b[20:], 3); return b }, "number 3 (at byte 20)"},
		"v4, 2^32-1 hunks": {v4, func(b []byte) []byte { be.PutUint32(b[24:], 1<<32-1); return b }, "hunks"},
	} {
		b := test.change(testchd.Make(raw, test.o))
		_, err := hunks.Open(bytes.NewReader(b), int64(len(b)))
		if err == nil || !strings.Contains(err.Error(), test.want) || !errors.Is(err, hunks.ErrFormat) && !errors.Is(err, hunks.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A small file may state many hunks: they take little memory.
func TestManyHunks(t *testing.T) {
	const n = 1 << 16
	b := testchd.Make(make([]byte, n), testchd.Options{Codecs: []string{"zlib"}, HunkBytes: 1, UnitBytes: 1})
	if len(b) > 100<<10 {
		t.Fatalf("the file has %d bytes", len(b))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f := open(t, b)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<10 {
		t.Errorf("%d bytes allocated", grown)
	}
	p := []byte{1}
	if _, err := f.ReadAt(p, n-1); err != nil || p[0] != 0 {
		t.Errorf("%v, %v", p, err)
	}
}

// Hunks that are one another's, and entries that lead nowhere, are errors when they are read.
func TestEntries(t *testing.T) {
	be := binary.BigEndian
	raw := content(4096, 10)
	for name, test := range map[string]struct {
		entry  []byte
		offset uint64
		want   string
	}{
		"circle":       {[]byte{0, 0, 0, 4}, 0, "leads nowhere"},
		"self, behind": {[]byte{0, 0, 0, 4}, 1 << 63, "leads nowhere"},
		"parent":       {[]byte{0, 0, 0, 5}, 3, "in the parent, which does not"},
		"parent 2^63":  {[]byte{0, 0, 0, 5}, 1 << 63, "of the parent"},
		"kind 6":       {[]byte{0, 0, 0, 6}, 0, "kind 6 for hunk 0 (at byte 123)"},
		"behind":       {[]byte{0, 9, 0, 1}, 1 << 40, "beyond the end of the file"},
		"before":       {[]byte{0, 9, 0, 1}, 1 << 63, "beyond the end of the file"},
		"too long":     {[]byte{0xFF, 0xFF, 0xFF, 1}, 0, "compressed by codec 0"},
		"plain, at 1":  {[]byte{0, 0, 0, 2}, 1, "checksum"},
	} {
		b := testchd.Make(raw, testchd.Options{Version: 4, Codecs: []string{"zlib"}, HunkBytes: 4096})
		be.PutUint64(b[108:], test.offset)
		copy(b[108+12:], test.entry)
		f := open(t, b)
		if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, packed.ErrDamaged) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every codec refuses what is not its own, and no more than a hunk comes out of a bomb.
func TestMalformed(t *testing.T) {
	for _, codec := range []string{"zlib", "lzma", "zstd", "huff", "flac", "cdzl", "cdlz", "cdzs", "cdfl"} {
		o := testchd.Options{Codecs: []string{codec}, HunkBytes: 19584, UnitBytes: 2448}
		whole := testchd.Make(content(o.HunkBytes, 7), o)
		end := int(binary.BigEndian.Uint64(whole[40:]))
		for at := 124 + o.HunkBytes; at < end-5; at += max(1, (end-at)/6) {
			b := bytes.Clone(whole)
			for i := range 5 {
				b[at+i] ^= byte(0x55 + i)
			}
			f := open(t, b)
			for n := range 7 {
				p := make([]byte, 100)
				if _, err := f.ReadAt(p, int64(n*o.HunkBytes)); err != nil && !errors.Is(err, packed.ErrDamaged) {
					t.Errorf("%s: %v", codec, err)
				}
			}
		}
	}
}

func TestCorpus(t *testing.T) {
	for _, path := range corpus.Glob(t, "formats/*/*.chd") {
		b := read(t, path)
		f := open(t, b)
		if _, ok := f.Parent(); ok {
			continue
		}
		if _, err := io.Copy(io.Discard, io.NewSectionReader(f, 0, f.Size())); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	corpus.Seeds(f, "formats/*/*.chd", 1<<20)
	raw := content(2448*2, 8)
	for version := 1; version <= 5; version++ {
		f.Add(testchd.Make(raw, testchd.Options{Version: version, Codecs: []string{"zlib"}, HunkBytes: 4896, UnitBytes: 2448}))
	}
	for _, codec := range []string{"lzma", "zstd", "huff", "flac", "cdzl", "cdlz", "cdzs", "cdfl"} {
		f.Add(testchd.Make(raw, testchd.Options{Codecs: []string{codec}, HunkBytes: 4896, UnitBytes: 2448, Meta: []testchd.Meta{{Tag: "DVD ", Data: []byte{0}}}}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h, err := hunks.Open(bytes.NewReader(b), int64(len(b)))
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
			t.Fatalf("%d bytes allocated to open %d", grown, len(b))
		}
		if err != nil {
			return
		}
		p := make([]byte, 10000)
		for _, at := range []int64{0, h.Size() / 2, h.Size() - 1} {
			if n, err := h.ReadAt(p, at); err == nil && n != len(p) {
				t.Fatalf("%d bytes and no error", n)
			}
		}
	})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
