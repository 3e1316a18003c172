package iso

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/internal/corpus"

	"github.com/google/go-cmp/cmp"
	"github.com/kdomanski/iso9660"
)

// paths lists the files of an image with their contents; directories end with a
// slash.
func paths(t testing.TB, b []byte) (map[string]string, error) {
	t.Helper()
	f, err := OpenFiles(bytes.NewReader(b), int64(len(b)/BlockSize))
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	err = fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch e := info.Sys().(*Entry); {
		case d.IsDir():
			all[name+"/"] = ""
		case d.Type() == fs.ModeSymlink:
			all[name] = "-> " + e.Link
		default:
			content, err := fs.ReadFile(f, name)
			if err != nil {
				return err
			}
			all[name] = string(content)
		}
		return nil
	})
	return all, err
}

func TestWalk(t *testing.T) {
	w, err := iso9660.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Cleanup()
	for name, content := range map[string]string{"a.txt": "one", "dir/b.txt": "two", "dir/deep/c.txt": strings.Repeat("x", 5000)} {
		if err := w.AddFile(strings.NewReader(content), name); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := w.WriteTo(&b, "X"); err != nil {
		t.Fatal(err)
	}
	got, err := paths(t, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	lower := make(map[string]string)
	for k, v := range got {
		lower[strings.ToLower(k)] = v
	}
	want := map[string]string{"a.txt": "one", "dir/": "", "dir/b.txt": "two", "dir/deep/": "", "dir/deep/c.txt": strings.Repeat("x", 5000)}
	if diff := cmp.Diff(want, lower); diff != "" {
		t.Error(diff)
	}
}

// rec makes a directory record.
func rec(name string, block, size uint32, flags byte, use []byte) []byte {
	n := 33 + len(name) + (len(name)+1)%2
	b := make([]byte, n+len(use)+len(use)%2)
	b[0] = byte(len(b))
	binary.LittleEndian.PutUint32(b[2:], block)
	binary.LittleEndian.PutUint32(b[10:], size)
	copy(b[18:25], []byte{100, 1, 2, 3, 4, 5, 0})
	b[25], b[32] = flags, byte(len(name))
	copy(b[33:], name)
	copy(b[n:], use)
	return b
}

// discOf lays out a volume by hand: the root at block 20, directories as given.
func discOf(dirs map[int][][]byte) []byte {
	b := make([]byte, 64*BlockSize)
	pvd := b[16*BlockSize:]
	copy(pvd, "\x01CD001\x01")
	binary.LittleEndian.PutUint32(pvd[80:], 64)
	binary.LittleEndian.PutUint16(pvd[128:], BlockSize)
	copy(pvd[156:], rec("\x00", 20, BlockSize, flagDirectory, nil))
	copy(b[17*BlockSize:], "\xFFCD001")
	for block, records := range dirs {
		at := block * BlockSize
		for _, r := range records {
			copy(b[at:], r)
			at += len(r)
		}
	}
	for i := 40 * BlockSize; i < len(b); i++ {
		b[i] = byte('A' + i/BlockSize - 40)
	}
	return b
}

func TestWalkByHand(t *testing.T) {
	sp := []byte{'S', 'P', 7, 1, 0xBE, 0xEF, 0}
	nm := func(s string) []byte { return append([]byte{'N', 'M', byte(5 + len(s)), 1, 0}, s...) }
	sl := []byte{'S', 'L', 5 + 2 + 4, 1, 0, 4, 0, 0, 2, 'u', 'p'} // ../up
	self := func(block uint32, use []byte) []byte { return rec("\x00", block, BlockSize, flagDirectory, use) }
	for name, test := range map[string]struct {
		dirs map[int][][]byte
		want map[string]string
		err  error
	}{
		"several extents": {
			map[int][][]byte{20: {self(20, nil), rec("BIG.;1", 40, BlockSize, flagMultiExtent, nil), rec("BIG.;1", 41, 3, 0, nil)}},
			map[string]string{"BIG": strings.Repeat("A", BlockSize) + "BBB"}, nil},
		"names that lead elsewhere": {
			map[int][][]byte{20: {self(20, sp), rec("A", 40, 1, 0, nm("../../etc/passwd")), rec("B", 40, 1, 0, nm("..")),
				rec("C", 40, 1, 0, nm("x\ny"))}},
			map[string]string{".._.._etc_passwd": "A", "_..": "A", "x_y": "A"}, nil},
		"symbolic link": {
			map[int][][]byte{20: {self(20, sp), rec("L", 0, 0, 0, append(nm("link"), sl...))}},
			map[string]string{"link": "-> ../up"}, nil},
		"directory that leads back": {
			map[int][][]byte{20: {self(20, nil), rec("D", 21, BlockSize, flagDirectory, nil)}, 21: {self(21, nil), rec("E", 20, BlockSize, flagDirectory, nil)}},
			nil, ErrFileSystem},
		"record shorter than one can be": {
			map[int][][]byte{20: {self(20, nil), {20, 0, 0}}}, nil, ErrFileSystem},
		"name longer than its record": {
			map[int][][]byte{20: {self(20, nil), append([]byte{34}, bytes.Repeat([]byte{99}, 33)...)}}, nil, ErrFileSystem},
		"directory outside": {
			map[int][][]byte{20: {self(20, nil), rec("D", 1<<20, BlockSize, flagDirectory, nil)}}, nil, ErrFileSystem},
		"huge directory": {
			map[int][][]byte{20: {self(20, nil), rec("D", 30, 1<<31, flagDirectory, nil)}}, nil, ErrFileSystem},
	} {
		got, err := paths(t, discOf(test.dirs))
		if !errors.Is(err, test.err) {
			t.Errorf("%s: %v, want %v", name, err, test.err)
		}
		if test.want != nil {
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestForeignFiles(t *testing.T) {
	for name, file := range map[string]string{
		"joliet.iso": "libcdio/COPYING", "copying.iso": "COPYING", "copying-rr.iso": "copy/COPYING", "multi_extent_8k.iso": "multi_extent_file",
	} {
		b, err := os.ReadFile(corpus.Path(t, "libcdio", name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := paths(t, b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "multi_extent_8k.iso" {
			want, err := os.ReadFile(corpus.Path(t, "libcdio", "multi_extent_file"))
			if err != nil {
				t.Fatal(err)
			}
			if got[file] != string(want) {
				t.Errorf("%s: %d bytes, want %d", name, len(got[file]), len(want))
			}
		}
		if _, ok := got[file]; !ok {
			t.Errorf("%s: no %s in %v", name, file, keys(got))
		}
	}
	for _, name := range []string{"bad-dir.iso", "malformed.iso", "malformed2.iso"} {
		b, err := os.ReadFile(corpus.Path(t, "libcdio", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := paths(t, b); err == nil {
			t.Logf("%s: %v", name, keys(got))
		}
	}
}

func keys(m map[string]string) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}

func FuzzWalk(f *testing.F) {
	f.Add(discOf(map[int][][]byte{20: {rec("\x00", 20, BlockSize, flagDirectory, []byte{'S', 'P', 7, 1, 0xBE, 0xEF, 0}),
		rec("A", 40, 9, 0, []byte{'N', 'M', 6, 1, 0, 'x', 'C', 'E', 28, 1})}})[16*BlockSize : 22*BlockSize])
	for _, u := range []*udfBuilder{
		newUDF(nil, 0, func(n int) int { return udfStart + n }), newUDF(typeTwo("*UDF Virtual Partition"), 1, func(n int) int { return udfStart + 60 - n }),
	} {
		f.Add(u.b[16*BlockSize:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		whole := append(make([]byte, 16*BlockSize), b...)
		fsys, err := OpenFiles(bytes.NewReader(whole), int64(len(whole)/BlockSize))
		if err != nil {
			return
		}
		n := 0
		_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) {
				t.Errorf("%q leads elsewhere", name)
			}
			if n++; n > 1000 {
				return fs.SkipAll
			}
			if err != nil || d.IsDir() {
				return nil
			}
			file, err := fsys.Open(name)
			if err != nil {
				return nil
			}
			defer file.Close()
			_, _ = io.CopyN(io.Discard, file, 1<<16)
			return nil
		})
	})
}
