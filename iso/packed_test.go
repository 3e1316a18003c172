package iso

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"spindle/hfs"
	"spindle/internal/testdisc/testhfs"
)

// decmpfs is the attribute of a file of some size that is compressed in a way, with what is behind its header.
func decmpfs(kind int, size int64, more ...byte) []byte {
	le := binary.LittleEndian
	return append(le.AppendUint64(le.AppendUint32([]byte("fpmc"), uint32(kind)), uint64(size)), more...)
}

func deflated(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(b); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// resource is a resource fork as that of a file compressed by zlib, of some blocks.
func resource(blocks ...[]byte) []byte {
	le := binary.LittleEndian
	table := le.AppendUint32(nil, uint32(len(blocks)))
	at := 4 + 8*len(blocks)
	for _, b := range blocks {
		table = le.AppendUint32(le.AppendUint32(table, uint32(at)), uint32(len(b)))
		at += len(b)
	}
	head := make([]byte, 0x100)
	binary.BigEndian.PutUint32(head, 0x100)
	return bytes.Join([][]byte{head, binary.BigEndian.AppendUint32(nil, uint32(at)), table, bytes.Join(blocks, nil)}, nil)
}

// table is a resource fork as that of a file compressed by LZVN or LZFSE.
func table(blocks ...[]byte) []byte {
	le := binary.LittleEndian
	at := 4 * (len(blocks) + 1)
	b := le.AppendUint32(nil, uint32(at))
	for _, x := range blocks {
		at += len(x)
		b = le.AppendUint32(b, uint32(at))
	}
	return append(b, bytes.Join(blocks, nil)...)
}

// Files that HFS Plus compresses are read, in each of the ways, and in blocks.
func TestPacked(t *testing.T) {
	const block = 64 << 10
	long := bytes.Repeat([]byte("0123456789abcdef"), (block+20000)/16)
	stored := func(mark byte, b []byte) []byte { return append([]byte{mark}, b...) }
	// "Hello" of LZVN: five literals and the end; of LZFSE: a block that is stored, and the end.
	lzvn := append(append([]byte{0xE5}, "Hello"...), 6, 0, 0, 0, 0, 0, 0, 0)
	lzfse := append(append([]byte("bvx-\x05\x00\x00\x00"), "Hello"...), "bvx$"...)
	files := []testhfs.File{
		{Path: "zlib", Packed: decmpfs(3, 5, deflated(t, []byte("Hello"))...)},
		{Path: "zlib stored", Packed: decmpfs(3, 5, stored(0xFF, []byte("Hello"))...)},
		{Path: "plain", Packed: decmpfs(1, 5, []byte("Hello")...)},
		{Path: "lzvn", Packed: decmpfs(7, 5, lzvn...)},
		{Path: "lzvn stored", Packed: decmpfs(7, 5, stored(6, []byte("Hello"))...)},
		{Path: "lzfse", Packed: decmpfs(11, 5, lzfse...)},
		{Path: "zlib fork", Packed: decmpfs(4, int64(len(long))), Resource: resource(deflated(t, long[:block]), stored(0x0F, long[block:]))},
		{Path: "lzvn fork", Packed: decmpfs(8, int64(len(long))), Resource: table(stored(6, long[:block]), stored(6, long[block:]))},
		{Path: "lzfse fork", Packed: decmpfs(12, int64(len(long))), Resource: table(stored(0xFF, long[:block]), stored(0xFF, long[block:]))},
		{Path: "empty", Packed: decmpfs(4, 0), Resource: resource()},
		{Path: "not", Data: []byte("Hello")},
	}
	var names []string
	for i := range files {
		names = append(names, files[i].Path)
		if files[i].Mode = 0o100644; files[i].Packed != nil {
			files[i].Owner = 0x20
		}
	}
	vol := testhfs.Make(testhfs.Options{Name: "Mac", Plus: true, Files: files})
	f, err := OpenFiles(bytes.NewReader(vol), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(f, names...); err != nil {
		t.Error(err)
	}
	for _, x := range files {
		want := []byte("Hello")
		switch {
		case x.Path == "empty":
			want = nil
		case x.Resource != nil:
			want = long
		}
		if got, err := fs.ReadFile(f, x.Path); !bytes.Equal(got, want) || err != nil {
			t.Errorf("%s: %d bytes, want %d, %v", x.Path, len(got), len(want), err)
		}
	}
	// The resource fork of such a file is no resource fork.
	f, err = Choice{Kind: HFS, ResourceForks: true}.Open(bytes.NewReader(vol), 0, int64(len(vol))/BlockSize)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(f, "._zlib fork"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the compressed data are shown as a resource fork: %v", err)
	}
}

// What makes no sense, or is not known, is an error, and never a file that is empty.
func TestPackedRefused(t *testing.T) {
	for name, test := range map[string]struct {
		file testhfs.File
		want error
	}{
		"no attribute":    {testhfs.File{}, hfs.ErrPacked},
		"another kind":    {testhfs.File{Packed: decmpfs(5, 5)}, hfs.ErrPacked},
		"no header":       {testhfs.File{Packed: []byte("fpmc")}, hfs.ErrPacked},
		"2^63 bytes":      {testhfs.File{Packed: decmpfs(4, -1<<63)}, hfs.ErrFormat},
		"a large one":     {testhfs.File{Packed: decmpfs(4, 1<<40), Resource: resource([]byte{0x0F})}, hfs.ErrFormat},
		"too short":       {testhfs.File{Packed: decmpfs(4, 5), Resource: resource([]byte{0x0F, 'H'})}, hfs.ErrFormat},
		"other number":    {testhfs.File{Packed: decmpfs(4, 5), Resource: resource([]byte{0x0F}, []byte{0x0F})}, hfs.ErrFormat},
		"no fork":         {testhfs.File{Packed: decmpfs(8, 5)}, hfs.ErrFormat},
		"backwards":       {testhfs.File{Packed: decmpfs(8, 5), Resource: []byte{8, 0, 0, 0, 4, 0, 0, 0, 0}}, hfs.ErrFormat},
		"no zlib":         {testhfs.File{Packed: decmpfs(3, 5, []byte("nonsense")...)}, hfs.ErrFormat},
		"a wrong Adler":   {testhfs.File{Packed: decmpfs(3, 5, append(deflated(t, []byte("Hello"))[:11], 1, 2, 3, 4)...)}, hfs.ErrFormat},
		"no LZVN":         {testhfs.File{Packed: decmpfs(7, 5, 0xE9)}, hfs.ErrFormat},
		"longer than it":  {testhfs.File{Packed: decmpfs(11, 6, append(append([]byte("bvx-\x05\x00\x00\x00"), "Hello"...), "bvx$"...)...)}, hfs.ErrFormat},
		"inline and long": {testhfs.File{Packed: decmpfs(3, 1<<20, deflated(t, make([]byte, 1<<20))[:500]...)}, hfs.ErrFormat},
	} {
		test.file.Path, test.file.Owner, test.file.Mode = "x", 0x20, 0o100644
		vol := testhfs.Make(testhfs.Options{Name: "Mac", Plus: true, Files: []testhfs.File{test.file}})
		f, err := OpenFiles(bytes.NewReader(vol), 0)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := fs.ReadFile(f, "x"); !errors.Is(err, test.want) {
			t.Errorf("%s: %d bytes, %v, want %v", name, len(b), err, test.want)
		}
	}
}

// A readCounter counts the bytes that are read.
type readCounter struct {
	r io.ReaderAt
	n int
}

func (c *readCounter) ReadAt(p []byte, off int64) (int, error) {
	c.n += len(p)
	return c.r.ReadAt(p, off)
}

// A folder is listed without the tables of its compressed files, which may be large; and of one, only what leads to
// the blocks that are asked for is read.
func TestPackedListing(t *testing.T) {
	const (
		blocks = 1 << 16
		block  = 64 << 10
		most   = 128 << 10 // bytes, for trees of this size and a block
	)
	all := make([][]byte, blocks)
	for i := range all {
		all[i] = []byte{0x0F}
	}
	all[blocks-1] = append([]byte{0x0F}, bytes.Repeat([]byte{'x'}, block)...)
	lzvn := slices.Clone(all)
	lzvn[blocks-1] = bytes.Clone(all[blocks-1])
	lzvn[blocks-1][0] = 6 // stored, too
	vol := testhfs.Make(testhfs.Options{Name: "Mac", Plus: true, Files: []testhfs.File{
		{Path: "resource", Packed: decmpfs(4, blocks*block), Resource: resource(all...), Owner: 0x20, Mode: 0o100644},
		{Path: "table", Packed: decmpfs(8, blocks*block), Resource: table(lzvn...), Owner: 0x20, Mode: 0o100644},
	}})
	counter := &readCounter{r: bytes.NewReader(vol)}
	f, err := OpenFiles(counter, 0)
	if err != nil {
		t.Fatal(err)
	}
	counter.n = 0
	if entries, err := fs.ReadDir(f, "."); len(entries) != 2 || err != nil || counter.n > most {
		t.Errorf("%d files, %d bytes read, %v", len(entries), counter.n, err)
	}
	for _, name := range []string{"resource", "table"} {
		x, err := f.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		counter.n = 0
		r, ok := x.(io.ReaderAt)
		if !ok {
			t.Fatal("no reader")
		}
		var last [1]byte
		if _, err := r.ReadAt(last[:], blocks*block-1); err != nil || last[0] != 'x' || counter.n > most {
			t.Errorf("%s: the last byte is %q, %d bytes read, %v", name, last, counter.n, err)
		}
		x.Close()
	}
}

// A holedReader cannot read some bytes.
type holedReader struct {
	r        io.ReaderAt
	from, to int64
}

var errUnread = errors.New("unread")

func (h *holedReader) ReadAt(p []byte, off int64) (int, error) {
	if off < h.to && off+int64(len(p)) > h.from {
		return 0, errUnread
	}
	return h.r.ReadAt(p, off)
}

// Where the tree of attributes was not read, the error is that, and not that the way is unknown.
func TestUnreadAttributes(t *testing.T) {
	vol := testhfs.Make(testhfs.Options{Name: "Mac", Plus: true, Files: []testhfs.File{
		{Path: "x", Packed: decmpfs(1, 5, []byte("Hello")...), Owner: 0x20, Mode: 0o100644},
		{Path: "y", Data: []byte("Hello"), Mode: 0o100644},
	}})
	at := int64(binary.BigEndian.Uint32(vol[1024+352+16:])) * 512 // the first extent of the attributes
	f, err := OpenFiles(&holedReader{bytes.NewReader(vol), at, at + 512}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(f, "x"); !errors.Is(err, errUnread) || errors.Is(err, hfs.ErrPacked) {
		t.Error(err)
	}
	if b, err := fs.ReadFile(f, "y"); string(b) != "Hello" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}
