package vhd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"spindle/image/format"
	"spindle/internal/corpus"
	"spindle/internal/packed"
	"spindle/internal/testdisc/testforeign"
)

// memory is a file in memory.
type memory struct{ b []byte }

func (m *memory) WriteAt(p []byte, at int64) (int, error) {
	if end := int(at) + len(p); end > len(m.b) {
		m.b = append(m.b, make([]byte, end-len(m.b))...)
	}
	return copy(m.b[at:], p), nil
}

// noise is content that has an empty block in its middle.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	if n > 3*newBlock {
		clear(b[newBlock : 2*newBlock])
	}
	return b
}

func disc(t testing.TB, content []byte, fixed bool) []byte {
	t.Helper()
	var m memory
	w := newWriter(&m, int64(len(content)), fixed)
	for at := 0; at < len(content); at += 300_000 {
		if _, err := w.Write(content[at:min(len(content), at+300_000)]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	return m.b
}

func write(t testing.TB, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t testing.TB, path string) ([]byte, *format.File, error) {
	t.Helper()
	f, err := format.OpenFile(t.Context(), path)
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { f.Close() })
	got := make([]byte, f.Size)
	n, err := f.ReadAt(got, 0)
	return got[:n], f, err
}

func TestThereAndBack(t *testing.T) {
	for _, size := range []int{512, 2048 * 999, newBlock, 3*newBlock + 5*2048} {
		want := noise(size, 1)
		for _, fixed := range []bool{true, false} {
			b := disc(t, want, fixed)
			if !bytes.Equal(b, disc(t, want, fixed)) {
				t.Errorf("%d bytes, fixed %t: made twice, it differs", size, fixed)
			}
			if !fixed && size > 3*newBlock && len(b) > size {
				t.Errorf("%d bytes are %d: an empty block is stored", size, len(b))
			}
			got, _, err := load(t, write(t, t.TempDir(), "x.vhd", b))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, fixed %t: %d, %v", size, fixed, len(got), err)
			}
			if fixed {
				continue
			}
			copy(b[len(b)-footerSize:], make([]byte, 100)) // the copy serves
			if got, _, err = load(t, write(t, t.TempDir(), "x.vhd", b)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, without a footer: %v", size, err)
			}
		}
	}
}

// child makes a differencing disk that has sectors of its own.
func child(parent []byte, content []byte, own func(sector int) bool, name string) []byte {
	foot := bytes.Clone(parent[len(parent)-footerSize:])
	id := foot[68:84]
	blocks := (len(content) + newBlock - 1) / newBlock
	table := bytes.Repeat([]byte{0xFF}, (blocks*4+511)/512*512)
	var data []byte
	at := footerSize + headerSize + len(table)
	for n := range blocks {
		b := content[n*newBlock : min(len(content), (n+1)*newBlock)]
		out, some := make([]byte, 512+newBlock), false
		for s := range len(b) / 512 {
			sector := out[512+s*512:][:512]
			for i := range sector {
				sector[i] = 0xCC // of no meaning
			}
			if own(n*newBlock/512 + s) {
				out[s/8] |= 0x80 >> (s % 8)
				copy(sector, b[s*512:])
				some = true
			}
		}
		if some {
			binary.BigEndian.PutUint32(table[n*4:], uint32(at/512))
			data = append(data, out...)
			at += len(out)
		}
	}
	w := &writer{size: int64(len(content))}
	head := w.header()
	copy(head[40:], id)
	for i, c := range utf16.Encode([]rune(name)) {
		binary.BigEndian.PutUint16(head[64+2*i:], c)
	}
	binary.BigEndian.PutUint32(head[36:], checksum(head, 36))
	binary.BigEndian.PutUint64(foot[16:], footerSize)
	binary.BigEndian.PutUint32(foot[60:], typeDifferencing)
	foot[68]++
	binary.BigEndian.PutUint32(foot[64:], checksum(foot, 64))
	return bytes.Join([][]byte{foot, head, table, data, foot}, nil)
}

// A disk with parents has what each of them holds.
func TestParents(t *testing.T) {
	dir := t.TempDir()
	first, second, third := noise(3*newBlock+4096, 1), noise(3*newBlock+4096, 2), noise(3*newBlock+4096, 3)
	base := disc(t, first, false)
	one := func(s int) bool { return s%3 == 0 && s < 5000 || s > 9000 }
	two := func(s int) bool { return s == 4 || s == 12_290 }
	middle := child(base, second, one, `C:\disks\Base.VHD`)
	top := child(middle, third, two, `..\other.vhd`)
	want := bytes.Clone(first)
	for s := range len(want) / 512 {
		from := map[bool][]byte{true: second, false: first}[one(s)]
		if two(s) {
			from = third
		}
		copy(want[s*512:], from[s*512:][:512])
	}
	write(t, dir, "base.vhd", base)
	renamed := write(t, dir, "renamed.avhd", middle)
	path := write(t, dir, "top.vhd", top)
	got, f, err := load(t, path)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatal(err)
	}
	if files := f.Files(); len(files) != 3 || filepath.Base(files[1]) != "renamed.avhd" || filepath.Base(files[2]) != "base.vhd" {
		t.Errorf("%q", files)
	}
	for at := int64(0); at < f.Size-3000; at += 999_991 {
		p := make([]byte, 3000)
		if _, err := f.ReadAt(p, at); err != nil || !bytes.Equal(p, want[at:at+3000]) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	// A copy of it whose header is damaged is not the only one.
	whole := write(t, dir, "z.vhd", base)
	damaged := bytes.Clone(base)
	damaged[footerSize] ^= 1
	write(t, dir, "base.vhd", damaged)
	if got, f, err = load(t, path); err != nil || !bytes.Equal(got, want) || filepath.Base(f.Files()[2]) != "z.vhd" {
		t.Errorf("beside a damaged copy: %v", err)
	}
	os.Remove(whole)
	if _, _, err := load(t, path); err == nil || !strings.Contains(err.Error(), "its parent base.vhd") {
		t.Errorf("with a damaged one: %v", err)
	}
	os.Remove(renamed)
	if _, _, err := load(t, path); !errors.Is(err, errNoParent) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "other.vhd") {
		t.Errorf("without its parent: %v", err)
	}
	write(t, dir, "other.vhd", base)
	if _, _, err := load(t, path); !errors.Is(err, errNoParent) || !strings.Contains(err.Error(), "other.vhd has another unique id") {
		t.Errorf("with a parent of another id: %v", err)
	}
	// Its own parent, and two that are one another's.
	loop := bytes.Clone(top)
	copy(loop[footerSize+40:], loop[68:84])
	if _, _, err := load(t, write(t, dir, "loop.vhd", loop)); !errors.Is(err, errNoParent) {
		t.Errorf("its own parent: %v", err)
	}
}

func TestRefused(t *testing.T) {
	dynamic := func() []byte { return disc(t, noise(3*newBlock+4096, 1), false) }
	both := func(b []byte, at int, v uint64) {
		for _, foot := range [][]byte{b[:footerSize], b[len(b)-footerSize:]} {
			binary.BigEndian.PutUint64(foot[at:], v)
			binary.BigEndian.PutUint32(foot[64:], checksum(foot, 64))
		}
	}
	entry := func(b []byte, n int, v uint32) { binary.BigEndian.PutUint32(b[footerSize+headerSize+4*n:], v) }
	for name, test := range map[string]struct {
		change func(b []byte)
		want   string
	}{
		"size of 2^63":        {func(b []byte) { both(b, 48, 1<<63) }, "neither its footer nor the copy"},
		"size of 2^61":        {func(b []byte) { both(b, 48, 1<<61) }, "byte 28 of the header"},
		"header far away":     {func(b []byte) { both(b, 16, 1<<62) }, "places its header"},
		"no header":           {func(b []byte) { both(b, 16, 4096) }, "there is no header at byte 4096"},
		"table far away":      {func(b []byte) { binary.BigEndian.PutUint64(b[footerSize+16:], 1<<63-1) }, "places its table"},
		"blocks of 3 bytes":   {func(b []byte) { binary.BigEndian.PutUint32(b[footerSize+32:], 3) }, "blocks of 3 bytes"},
		"blocks that overlap": {func(b []byte) { entry(b, 2, 100) }, "overlap"},
		"two the same":        {func(b []byte) { entry(b, 2, 4) }, "overlap"},
		"in the header":       {func(b []byte) { entry(b, 0, 1) }, "in the header"},
		"behind the end":      {func(b []byte) { entry(b, 0, 1<<30) }, "block 0, at byte 549755813888 of the file"},
	} {
		b := dynamic()
		test.change(b)
		if _, _, err := load(t, write(t, t.TempDir(), "x.vhd", b)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What the table has wrong of a block costs that, and not the one that it overlaps.
	want := noise(3*newBlock+4096, 1)
	overlap := dynamic()
	entry(overlap, 2, 100)
	_, f, err := load(t, write(t, t.TempDir(), "x.vhd", overlap))
	if f == nil {
		t.Fatal(err)
	}
	for n := range 4 {
		p := make([]byte, 4096)
		_, err := f.ReadAt(p, int64(n*newBlock))
		if bad := n == 2; bad != errors.Is(err, packed.ErrDamaged) || !bad && !bytes.Equal(p, want[n*newBlock:][:4096]) {
			t.Errorf("block %d: %v", n, err)
		}
	}
	b := dynamic()
	b[footerSize+900] = 1 // in the header, without a meaning
	c, err := open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context(), nil); !errors.Is(err, packed.ErrDamaged) {
		t.Errorf("a wrong checksum: %v", err)
	}
	for _, cut := range []int{0, 1, 100, footerSize} {
		b = dynamic()
		b = b[:len(b)-cut]
		c, err = open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))})
		if err != nil {
			t.Fatal(err)
		}
		// Footers of early versions have 511 bytes.
		if err := c.Check(t.Context(), nil); (cut > 1) != errors.Is(err, packed.ErrDamaged) {
			t.Errorf("%d bytes cut off: %v", cut, err)
		}
	}
	b = disc(t, noise(1<<20, 1), true)
	if got, f, err := load(t, write(t, t.TempDir(), "x.vhd", append(b[:1<<19], b[1<<20:]...))); err != nil || !f.Cut || len(got) != 1<<19 {
		t.Errorf("a fixed disk without its middle: %d, %v", len(got), err)
	}
}

func TestVHDX(t *testing.T) {
	want := noise(7*mib+4096, 1)
	got, _, err := load(t, write(t, t.TempDir(), "x.vhdx", testforeign.VHDX(want)))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	for name, test := range map[string]struct {
		change func(b []byte)
		want   string
	}{
		"headers":       {func(b []byte) { b[headX+9], b[2*headX+9] = 1, 1 }, "both headers"},
		"region tables": {func(b []byte) { b[regionsX+9], b[regionsX+regionSizeX+9] = 1, 1 }, "both region tables"},
		"blocks":        {func(b []byte) { b[3*mib+64<<10] = 1 }, "blocks of"},
		"parent":        {func(b []byte) { b[3*mib+64<<10+4] = 2 }, "differs from its parent"},
		"size":          {func(b []byte) { b[3*mib+64<<10+16+7] = 0x80 }, "a disk of"},
		"larger":        {func(b []byte) { b[3*mib+64<<10+16+5] = 0x80 }, "blocks"},
		"place":         {func(b []byte) { b[2*mib+7] = 0xFF }, "beyond the end"},
		"state":         {func(b []byte) { b[2*mib] = 7 }, "state 7"},
	} {
		b := testforeign.VHDX(want)
		test.change(b)
		if _, _, err := load(t, write(t, t.TempDir(), "x.vhdx", b)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := testforeign.VHDX(want)
	for _, at := range []int{headX, 2 * headX} {
		h := b[at:][:headSizeX]
		h[48] = 1
		clear(h[4:8])
		binary.LittleEndian.PutUint32(h[4:], crc32.Checksum(h, castagnoli))
	}
	if _, _, err := load(t, write(t, t.TempDir(), "x.vhdx", b)); !errors.Is(err, errKind) || !strings.Contains(err.Error(), "log has to be replayed") {
		t.Errorf("a log: %v", err)
	}
}

// The specification's own examples do not exist: these are what qemu-img states.
func TestGeometry(t *testing.T) {
	for total, want := range map[int64][3]int64{
		1167360 / 512: {33, 4, 17}, 4 << 20 / 512: {120, 4, 17}, 10 << 30 / 512: {20805, 16, 63}, 1 << 40 / 512: {65535, 16, 255},
	} {
		c, h, s := geometry(total)
		if [3]int64{c, h, s} != want {
			t.Errorf("%d sectors: %d, %d, %d, want %v", total, c, h, s, want)
		}
	}
}

func TestCorpus(t *testing.T) {
	want, err := os.ReadFile(corpus.Path(t, "formats", "made", "data.iso"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data-qemu-dyn.vhd", "data-qemu-fixed.vhd"} {
		got, _, err := load(t, corpus.Path(t, "formats", "made", name))
		if err != nil || !bytes.Equal(got, want) { // without what its geometry adds
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	for name, size := range map[string]int64{
		"log2timeline__dfvfs/test_data/ext2.vhd": 4212736, "LTRData__DiscUtils/Tests/LibraryTests/Swap/Data/swap.vhdx.gz": 10 << 30,
	} {
		f, err := format.OpenFile(t.Context(), corpus.Path(t, "formats", filepath.FromSlash(name)))
		if err != nil || f.Size != size {
			t.Errorf("%s: %+v, %v", name, f, err)
			continue
		}
		f.Close()
	}
	if _, _, err := load(t, corpus.Path(t, "formats", "log2timeline__dfvfs", "test_data", "fat-differential.vhd")); !errors.Is(err, errNoParent) {
		t.Errorf("a disk without its parent: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(magic))
	f.Add(disc(f, noise(4096, 1), true))
	small := disc(f, make([]byte, 4096), false)
	f.Add(small)
	f.Add(child(small, noise(4096, 2), func(s int) bool { return s == 3 }, "x.vhd")[:4000])
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b)), Path: filepath.Join(t.TempDir(), "x.vhd")})
		if err != nil {
			return
		}
		p := make([]byte, 5000)
		for _, at := range []int64{0, c.Size / 2, c.Size - 100} {
			if n, err := c.ReadAt(p, max(0, at)); err == nil && n < len(p) {
				t.Errorf("%d bytes at %d without an error", n, at)
			}
		}
	})
}

// sparse is a VHDX whose large empty parts need not be in a corpus: a byte string is what
// stands behind the signature, at the places that count.
type sparse struct{ b []byte }

func (s sparse) ReadAt(p []byte, at int64) (int, error) {
	const part = 512
	clear(p)
	for i, begin := range []int64{0, headX, 2 * headX, regionsX, 2 * mib, 3 * mib, 3*mib + 64<<10} {
		if i*part >= len(s.b) {
			break
		}
		src := s.b[i*part : min(len(s.b), (i+1)*part)]
		if d := begin - at; d >= 0 && d < int64(len(p)) {
			copy(p[d:], src)
		} else if d < 0 && -d < int64(len(src)) {
			copy(p, src[-d:])
		}
	}
	for _, x := range []struct{ at, size int64 }{{headX, headSizeX}, {regionsX, regionSizeX}} { // sums are right
		if at == x.at && int64(len(p)) == x.size {
			clear(p[4:8])
			binary.LittleEndian.PutUint32(p[4:], crc32.Checksum(p, castagnoli))
		}
	}
	return len(p), nil
}

func FuzzOpenX(f *testing.F) {
	b := testforeign.VHDX(noise(2*mib, 1))
	var seed []byte
	for _, at := range []int{0, headX, 2 * headX, regionsX, 2 * mib, 3 * mib, 3*mib + 64<<10} {
		seed = append(seed, b[at:at+512]...)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := openX(t.Context(), &format.File{ReaderAt: sparse{b}, Size: 16 * mib})
		if err != nil {
			return
		}
		p := make([]byte, 5000)
		for _, at := range []int64{0, c.Size / 2, c.Size - 100} {
			if _, err := c.ReadAt(p, max(0, at)); err != nil && !errors.Is(err, packed.ErrDamaged) && !errors.Is(err, io.EOF) {
				t.Error(err)
			}
		}
	})
}
