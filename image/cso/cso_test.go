package cso_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"

	"spindle/disc"
	"spindle/image"
	"spindle/image/format"
	"spindle/internal/corpus"
	"spindle/internal/packed"
	"spindle/internal/testdisc"
	"spindle/internal/testdisc/testforeign"
)

// deflate and lz4Block make what stands in files.
func deflate(b []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func lz4Block(b []byte) []byte {
	out := make([]byte, lz4.CompressBlockBound(len(b)))
	n, err := lz4.CompressBlock(b, out, nil)
	if err != nil || n == 0 {
		return b
	}
	return out[:n]
}

// A variant is a file as some program makes it.
type variant struct {
	magic   string
	version byte
	block   int
	shift   uint
	header  uint32
	last    uint32 // a flag in the last entry
	noLast  bool   // the last entry is missing
}

// make puts a file together.
func (v *variant) make(content []byte) []byte {
	count := (len(content) + v.block - 1) / v.block
	entries := count + 1
	if v.noLast {
		entries--
	}
	out := make([]byte, 24+entries*4)
	copy(out, v.magic)
	binary.LittleEndian.PutUint32(out[4:], v.header)
	binary.LittleEndian.PutUint64(out[8:], uint64(len(content)))
	binary.LittleEndian.PutUint32(out[16:], uint32(v.block))
	out[20], out[21] = v.version, byte(v.shift)
	align := func() {
		for len(out)%(1<<v.shift) != 0 {
			out = append(out, 0xEE)
		}
	}
	for i := range count {
		align()
		b := content[i*v.block : min(len(content), (i+1)*v.block)]
		packed, flag := deflate(b), uint32(0)
		switch {
		case v.magic == "ZISO":
			packed = lz4Block(b)
		case v.version == 2 && i%2 == 0:
			packed, flag = lz4Block(b), 1<<31
		}
		if len(packed)+1<<v.shift-1 >= len(b) {
			packed, flag = b, 1<<31
			if v.version == 2 {
				flag = 0
				packed = append(append([]byte{}, b...), make([]byte, v.block-len(b))...)
			}
		}
		binary.LittleEndian.PutUint32(out[24+4*i:], uint32(len(out))>>v.shift|flag)
		out = append(out, packed...)
	}
	align()
	if !v.noLast {
		binary.LittleEndian.PutUint32(out[24+4*count:], uint32(len(out))>>v.shift|v.last)
	}
	return out
}

func content(t testing.TB) []byte {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	noise := b[len(b)/2:]
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise[:len(noise)/2])
	return b
}

// load opens a file and returns its content.
func load(t testing.TB, name string, b []byte) ([]byte, *format.File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := format.OpenFile(t.Context(), path)
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { f.Close() })
	got := make([]byte, f.Size)
	n, err := f.ReadAt(got, 0)
	return got[:n], f, err
}

// What other programs write is read, with all their habits.
func TestVariants(t *testing.T) {
	want := content(t)
	want = want[len(want)/2-100_000 : len(want)/2+100_000]
	for name, v := range map[string]variant{
		"CSO 0":               {magic: "CISO", block: 2048},
		"CSO 1, header":       {magic: "CISO", version: 1, block: 2048, header: 0xDEAD},
		"CSO 1, shift":        {magic: "CISO", version: 1, block: 2048, shift: 5},
		"CSO 1, flag at end":  {magic: "CISO", version: 1, block: 2048, last: 1 << 31},
		"CSO 1, no end":       {magic: "CISO", version: 1, block: 2048, noLast: true},
		"CSO 1, large blocks": {magic: "CISO", version: 1, block: 65536},
		"CSO 1, odd blocks":   {magic: "CISO", version: 1, block: 3000},
		"CSO 2":               {magic: "CISO", version: 2, block: 2048, header: 24},
		"CSO 2, shift":        {magic: "CISO", version: 2, block: 4096, header: 24, shift: 3},
		"ZSO":                 {magic: "ZISO", version: 1, block: 2048, header: 24},
		"ZSO, shift":          {magic: "ZISO", version: 1, block: 2048, header: 24, shift: 4},
	} {
		got, f, err := load(t, "x.cso", v.make(want))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// Pieces, from the end to the start.
		for at := f.Size - 1; at > 0; at -= 77_777 {
			p := make([]byte, min(5000, f.Size-at))
			if _, err := f.ReadAt(p, at); err != nil || !bytes.Equal(p, want[at:at+int64(len(p))]) {
				t.Fatalf("%s: at %d: %v", name, at, err)
			}
		}
	}
}

func TestDAX(t *testing.T) {
	want := content(t)
	want = want[:len(want)-2048] // the last frame is not full
	for version := range 2 {
		got, _, err := load(t, "x.dax", testforeign.DAX(want, version, 30))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

// A block that is not what it was is named, and the others are read.
func TestDamagedBlock(t *testing.T) {
	want := content(t)
	for name, b := range map[string][]byte{
		"x.cso": (&variant{magic: "CISO", version: 1, block: 2048}).make(want),
		"x.zso": (&variant{magic: "ZISO", version: 1, block: 2048}).make(want),
	} {
		entry := func(n int) uint32 { return binary.LittleEndian.Uint32(b[24+4*n:]) }
		n := 30
		for entry(n)>>31 != 0 {
			n++
		}
		begin := entry(n)
		clear(b[begin : entry(n+1)&^(1<<31)])
		b[begin] = 7 // a kind of block that there is not
		_, f, err := load(t, name, b)
		if f == nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !errors.Is(err, packed.ErrDamaged) || !strings.Contains(err.Error(), fmt.Sprintf("block %d, at byte %d of the file", n, begin)) {
			t.Errorf("%s: %v", name, err)
		}
		p := make([]byte, 2048)
		if _, err := f.ReadAt(p, int64(n+1)*2048); err != nil || !bytes.Equal(p, want[(n+1)*2048:(n+2)*2048]) {
			t.Errorf("%s: the block behind it: %v", name, err)
		}
	}
}

// One entry of the index that is damaged costs the blocks that it is about, and no others.
func TestDamagedIndex(t *testing.T) {
	want := content(t)[:100<<10]
	frames := testforeign.DAX(want, 1, 9)
	for name, test := range map[string]struct {
		b               []byte
		block, at, size int
		count           int // entries
	}{
		"CSO":         {(&variant{magic: "CISO", version: 1, block: 2048}).make(want), 2048, 24, 4, 51},
		"CSO, no end": {(&variant{magic: "CISO", version: 1, block: 2048, noLast: true}).make(want), 2048, 24, 4, 50},
		"CSO 2":       {(&variant{magic: "CISO", version: 2, block: 2048}).make(want), 2048, 24, 4, 51},
		"ZSO":         {(&variant{magic: "ZISO", version: 1, block: 2048, shift: 2}).make(want), 2048, 24, 4, 51},
		"DAX":         {frames, 8192, 32, 4, 13},
		"DAX, length": {frames, 8192, 32 + 13*4, 2, 13},
	} {
		for n := range test.count {
			if n > 1 && n < test.count-2 && n%9 != 0 {
				continue
			}
			for _, bad := range []byte{0, 0xFF} {
				b := bytes.Clone(test.b)
				for i := range test.size {
					b[test.at+n*test.size+i] = bad
				}
				_, f, err := load(t, "x.cso", b)
				if f == nil {
					t.Errorf("%s: entry %d of %#x: %v", name, n, bad, err)
					continue
				}
				for at := 0; at < len(want); at += test.block {
					hit := at/test.block - n
					p := make([]byte, min(test.block, len(want)-at))
					_, err := f.ReadAt(p, int64(at))
					if good := err == nil && bytes.Equal(p, want[at:at+len(p)]); !good && hit != 0 && hit != -1 {
						t.Errorf("%s: entry %d of %#x: block %d: %v", name, n, bad, at/test.block, err)
					}
				}
			}
		}
	}
}

// What cannot be is refused, with where it stands, before anything is allocated for it.
func TestRefused(t *testing.T) {
	plain := content(t)[:40<<10]
	good := func() []byte { return (&variant{magic: "CISO", version: 1, block: 2048}).make(plain) }
	for name, test := range map[string]struct {
		change func(b []byte)
		want   string
	}{
		"size of 2^63":     {func(b []byte) { binary.LittleEndian.PutUint64(b[8:], 1<<63) }, "byte 8"},
		"size of 2^50":     {func(b []byte) { binary.LittleEndian.PutUint64(b[8:], 1<<50) }, "byte 8"},
		"blocks of 4 GB":   {func(b []byte) { binary.LittleEndian.PutUint32(b[16:], 1<<32-1) }, "byte 16"},
		"no blocks":        {func(b []byte) { binary.LittleEndian.PutUint32(b[16:], 0) }, "byte 16"},
		"version 3":        {func(b []byte) { b[20] = 3 }, "version 3"},
		"shift":            {func(b []byte) { b[21] = 63 }, "byte 21"},
		"in its own index": {func(b []byte) { binary.LittleEndian.PutUint32(b[24:], 30) }, "in its index"},
		"backwards":        {func(b []byte) { binary.LittleEndian.PutUint32(b[28:], 20) }, "ends before it begins"},
		"far away":         {func(b []byte) { binary.LittleEndian.PutUint32(b[28:], 1<<30) }, "beyond the end"},
	} {
		b := good()
		test.change(b)
		if _, _, err := load(t, "x.cso", b); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := testforeign.DAX(plain, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], 1<<32-1)
	if _, _, err := load(t, "x.dax", b); err == nil || !strings.Contains(err.Error(), "byte 4") {
		t.Errorf("a DAX without room for its index: %v", err)
	}
}

// What is written does not depend on the number of processors, and is read again; a block of
// noise is stored as it is.
func TestCreate(t *testing.T) {
	dir := t.TempDir()
	want := content(t)
	path := filepath.Join(dir, "x.iso")
	if err := os.WriteFile(path, want, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".cso", ".zso"} {
		var made [][]byte
		for _, procs := range []int{1, 4} {
			before := runtime.GOMAXPROCS(procs)
			img, err := image.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(dir, fmt.Sprint(procs)+ext)
			if _, err := image.Create(t.Context(), out, img, image.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			img.Close()
			runtime.GOMAXPROCS(before)
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, b)
			if got, _, err := load(t, "x"+ext, b); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is read as something else: %v", ext, err)
			}
		}
		if !bytes.Equal(made[0], made[1]) || len(made[0]) >= len(want) {
			t.Errorf("%s: %d and %d bytes", ext, len(made[0]), len(made[1]))
		}
	}
}

// Sectors that are known to be wrong are known in the new file.
func TestFlawsStay(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	flaws := disc.FlawsOf(disc.Flaw{First: 30, Count: 3, Kind: disc.Unread})
	out := filepath.Join(dir, "x.cso")
	res, err := image.Create(t.Context(), out, disc.WithFlaws(img, flaws), image.CreateOptions{})
	if err != nil || len(res.Maps) != 1 {
		t.Fatal(res, err)
	}
	again, err := image.Open(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := again.Flaws(); fmt.Sprint(got) != fmt.Sprint(flaws) {
		t.Errorf("%v", got)
	}
}

// Files that maxcso made open to the ISO of which it made them.
func TestCorpus(t *testing.T) {
	want, err := os.ReadFile(corpus.Path(t, "formats", "made", "data.iso"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data-cso1.cso", "data-cso1-16k.cso", "data-cso2.cso", "data-zso.zso", "data-dax.dax"} {
		b, err := os.ReadFile(corpus.Path(t, "formats", "made", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := load(t, name, b); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	small := []byte(strings.Repeat("what is in it ", 400))
	for _, v := range []variant{
		{magic: "CISO", version: 1, block: 2048}, {magic: "CISO", version: 2, block: 1024, header: 24, shift: 2}, {magic: "ZISO", version: 1, block: 2048},
	} {
		f.Add(v.make(small))
	}
	f.Add(testforeign.DAX(small, 0, 0))
	f.Add(testforeign.DAX(append(small, make([]byte, 8192)...), 1, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		file, err := format.OpenFile(t.Context(), path)
		if err != nil {
			return
		}
		defer file.Close()
		p := make([]byte, 10_000)
		for _, at := range []int64{0, file.Size / 2, file.Size - 5, file.Size + 5} {
			_, _ = file.ReadAt(p, max(0, at))
		}
	})
}
