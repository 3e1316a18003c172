package iso

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"spindle/internal/corpus"
	"spindle/iso/author"

	"github.com/google/go-cmp/cmp"
)

// folder makes a folder with files of many kinds of names, and links that lead to them.
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a.txt": "one", "sub/deep/deeper/b.txt": "two", "sub/large": strings.Repeat("0123456789", 1000), "empty": "",
		"sub/caf\u00e9 \u65e5\u672c.txt": "names", "UPPER.TXT": "up",
	} {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"sub/link": "../a.txt", "dirlink": "sub/deep"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	return dir
}

// authored makes an image of a folder with author.
func authored(t testing.TB, dir string, o author.Options) []byte {
	t.Helper()
	p := filepath.Join(t.TempDir(), "x.iso")
	if _, err := author.Create(t.Context(), p, dir, o); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// made makes an image of a folder with another program, if it is there.
func made(t testing.TB, command ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skip(err)
	}
	p := filepath.Join(t.TempDir(), "x.iso")
	for i, arg := range command {
		if arg == "OUT" {
			command[i] = p
		}
	}
	if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, b []byte) *FileSystem {
	t.Helper()
	f, err := OpenFiles(bytes.NewReader(b), int64(len(b)/BlockSize))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func handMadeUDF() []byte {
	u := newUDF(nil, 0, func(n int) int { return udfStart + n })
	u.entry(udfStart+2, 2, icbRegular, 1, 5, append(shortAD(5, 20), make([]byte, 8)...))
	copy(u.block(udfStart+20), "hello")
	u.entry(udfStart+5, 5, icbLink, 3, 18, []byte{3, 0, 0, 0, 5, 10, 0, 0, 8, 'p', 'l', 'a', 'i', 'n', '.', 't', 'x', 't'})
	return u.b
}

func TestFS(t *testing.T) {
	names := []string{"a.txt", "sub/deep/deeper/b.txt", "sub/large", "empty"}
	dos := []string{"A.TXT", "SUB/DEEP/DEEPER/B.TXT", "SUB/LARGE", "EMPTY"}
	for name, test := range map[string]struct {
		image func(t *testing.T) []byte
		want  []string
	}{
		"Rock Ridge": {func(t *testing.T) []byte { return authored(t, folder(t), author.Options{}) }, append(names, "sub/link", "dirlink")},
		"Joliet":     {func(t *testing.T) []byte { return authored(t, folder(t), author.Options{NoRockRidge: true}) }, names},
		"ISO 9660": {func(t *testing.T) []byte {
			return authored(t, folder(t), author.Options{NoRockRidge: true, NoJoliet: true})
		}, dos},
		"UDF":                     {func(*testing.T) []byte { return handMadeUDF() }, []string{"plain.txt", "inside", "sub/link"}},
		"xorriso, Rock Ridge":     {func(t *testing.T) []byte { return made(t, "xorriso", "-as", "mkisofs", "-R", "-o", "OUT", folder(t)) }, names},
		"xorriso, Joliet":         {func(t *testing.T) []byte { return made(t, "xorriso", "-as", "mkisofs", "-J", "-o", "OUT", folder(t)) }, names},
		"genisoimage, Rock Ridge": {func(t *testing.T) []byte { return made(t, "genisoimage", "-R", "-o", "OUT", folder(t)) }, names},
		"genisoimage, moved directories": {func(t *testing.T) []byte {
			dir := folder(t)
			deep := filepath.Join(dir, "1/2/3/4/5/6/7/8/9/10")
			if err := os.MkdirAll(deep, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(deep, "deep"), []byte("x"), 0o666); err != nil {
				t.Fatal(err)
			}
			return made(t, "genisoimage", "-R", "-o", "OUT", dir)
		}, append(names, "1/2/3/4/5/6/7/8/9/10/deep")},
		"genisoimage, UDF bridge": {func(t *testing.T) []byte { return made(t, "genisoimage", "-udf", "-o", "OUT", folder(t)) }, []string{"a.txt", "sub/large"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, test.image(t))
			if err := fstest.TestFS(f, test.want...); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFSOfCorpus(t *testing.T) {
	tested := 0
	for _, p := range corpus.Glob(t, "libcdio/*.iso") {
		if name := filepath.Base(p); strings.HasPrefix(name, "bad-") || strings.HasPrefix(name, "malformed") {
			continue
		}
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		f := open(t, b)
		var files []string
		dangling := false // TestFS opens all links
		if err := fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
			if name != "." {
				files = append(files, name)
			}
			_, serr := f.Stat(name)
			dangling = dangling || serr != nil && d.Type() == fs.ModeSymlink
			return err
		}); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if dangling {
			continue
		}
		tested++
		if err := fstest.TestFS(f, files...); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	if tested < 3 {
		t.Errorf("only %d images tested", tested)
	}
}

// What comes out is what went in.
func TestContents(t *testing.T) {
	dir := folder(t)
	want := os.DirFS(dir)
	got := open(t, authored(t, dir, author.Options{}))
	err := fs.WalkDir(want, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		a, err := fs.ReadFile(want, name)
		if errors.Is(err, fs.ErrInvalid) || name == "dirlink" {
			return nil
		}
		if err != nil {
			return err
		}
		b, err := fs.ReadFile(got, name)
		if err == nil && !bytes.Equal(a, b) {
			err = fmt.Errorf("%s: %d bytes, want %d", name, len(b), len(a))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestEntry(t *testing.T) {
	px := make([]byte, 36)
	copy(px, []byte{'P', 'X', 36, 1, 0xA4, 0x81}) // 0100644
	px[20], px[28] = 17, 18
	tf := []byte{'T', 'F', 5 + 21, 1, 7, 100, 1, 1, 0, 0, 0, 0, 101, 1, 1, 0, 0, 0, 0, 102, 1, 1, 0, 0, 0, 0}
	long := append([]byte{'T', 'F', 5 + 17, 1, 0x82}, "2003020104050600\x04"...)
	pipe := bytes.Clone(px)
	pipe[5] = 0x11
	b := discOf(map[int][][]byte{20: {
		rec("\x00", 20, BlockSize, flagDirectory, []byte{'S', 'P', 7, 1, 0xBE, 0xEF, 0}),
		rec("A", 40, 5000, flagHidden, append(px, tf...)), rec("B", 40, 1, 0, long), rec("C", 0, 9, 0, pipe),
	}})
	f := open(t, b)
	date := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	info, err := f.Stat("A")
	if err != nil {
		t.Fatal(err)
	}
	e := info.Sys().(*Entry)
	if e.UID != 17 || e.GID != 18 || !e.HasMode || !e.Hidden || e.Associated || info.Mode() != 0o644 || info.Size() != 5000 {
		t.Errorf("%+v", e)
	}
	if !e.CreateTime.Equal(date(2000)) || !e.ModTime.Equal(date(2001)) || !e.AccessTime.Equal(date(2002)) {
		t.Errorf("%v, %v, %v", e.CreateTime, e.ModTime, e.AccessTime)
	}
	extents, err := e.Extents()
	if diff := cmp.Diff([]Extent{{40, 5000}}, extents); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if info, err = f.Stat("B"); err != nil || !info.ModTime().Equal(time.Date(2003, 2, 1, 4, 5, 6, 0, time.FixedZone("", 3600))) {
		t.Errorf("%v, %v", info, err)
	}
	if info, err = f.Stat("C"); err != nil || info.Mode() != fs.ModeNamedPipe|0o644 || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// Every name becomes one that fs.ValidPath takes, and no two are the same.
func TestNames(t *testing.T) {
	nm := func(s string) []byte { return append([]byte{'N', 'M', byte(5 + len(s)), 1, 0}, s...) }
	records := [][]byte{rec("\x00", 20, BlockSize, flagDirectory, []byte{'S', 'P', 7, 1, 0xBE, 0xEF, 0})}
	for _, name := range []string{"..", ".", "a/b", `a\b`, "caf\xe9", "same.txt", "same.txt", "same.txt", "same (2).txt", "x\x00y", "x\ty", ".rc", ".rc"} {
		records = append(records, rec("X", 40, 1, 0, nm(name)))
	}
	records = append(records, rec("X", 40, 1, flagAssociated, nm("fork")), rec("X", 40, 2, 0, nm("fork")))
	f := open(t, discOf(map[int][][]byte{20: records}))
	list, err := f.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range list {
		got = append(got, d.Name())
		if !fs.ValidPath(d.Name()) || strings.Contains(d.Name(), "/") {
			t.Errorf("%q", d.Name())
		}
		if _, err := f.Stat(d.Name()); err != nil {
			t.Error(err)
		}
	}
	want := []string{".rc", ".rc (2)", "_.", "_..", "a_b", "a_b (2)", "café", "fork", "fork (2)",
		"same (2).txt", "same (3).txt", "same (4).txt", "same.txt", "x_y", "x_y (2)"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if info, err := f.Stat("fork"); err != nil || info.Size() != 2 {
		t.Errorf("the associated file has the name: %v, %v", info, err)
	}
	e := &Entry{Name: cleanName("")}
	if e.Name != "_" {
		t.Errorf("no name: %q", e.Name)
	}
}

func TestLinks(t *testing.T) {
	sl := func(parts ...string) []byte {
		b := []byte{'S', 'L', 0, 1, 0}
		for _, p := range parts {
			switch p {
			case "..":
				b = append(b, 4, 0)
			case "/":
				b = append(b, 8, 0)
			default:
				b = append(append(b, 0, byte(len(p))), p...)
			}
		}
		b[2] = byte(len(b))
		return b
	}
	sp := []byte{'S', 'P', 7, 1, 0xBE, 0xEF, 0}
	f := open(t, discOf(map[int][][]byte{
		20: {rec("\x00", 20, BlockSize, flagDirectory, sp), rec("D", 21, BlockSize, flagDirectory, nil),
			rec("UP", 0, 0, 0, sl("..", "F")), rec("ABS", 0, 0, 0, sl("/", "F")), rec("F", 40, 1, 0, nil),
			rec("SELF", 0, 0, 0, sl("SELF")), rec("DIR", 0, 0, 0, sl("D")), rec("GONE", 0, 0, 0, sl("NOTHING")), rec("FILE", 0, 0, 0, sl("F", "X"))},
		21: {rec("\x00", 21, BlockSize, flagDirectory, nil), rec("L", 0, 0, 0, sl("..", "F")), rec("G", 40, 1, 0, nil)},
	}))
	for name, want := range map[string]error{
		"UP": fs.ErrNotExist, "ABS": fs.ErrNotExist, "SELF": ErrFileSystem, "GONE": fs.ErrNotExist, "FILE": fs.ErrInvalid,
		"D/L": nil, "DIR/L": nil, "DIR/G": nil, "F": nil, "DIR": nil, "F/X": fs.ErrInvalid, "D/../F": fs.ErrInvalid, "/F": fs.ErrInvalid, "": fs.ErrInvalid,
	} {
		file, err := f.Open(name)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
		if err == nil {
			file.Close()
		}
		var perr *fs.PathError
		if err != nil && (!errors.As(err, &perr) || perr.Path != name) {
			t.Errorf("%q: %#v is no PathError of it", name, err)
		}
	}
	if s, err := f.ReadLink("DIR/L"); s != "../F" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	if _, err := f.ReadLink("F"); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	if i, err := f.Lstat("DIR"); err != nil || i.Mode()&fs.ModeSymlink == 0 {
		t.Error(i, err)
	}
	if list, err := f.ReadDir("DIR"); err != nil || len(list) != 2 {
		t.Error(list, err)
	}
}

// A damaged directory gives what can be read of it.
func TestDamagedDirectory(t *testing.T) {
	b := discOf(map[int][][]byte{
		20: {rec("\x00", 20, 3*BlockSize, flagDirectory, nil), rec("A", 40, 1, 0, nil), {20, 0, 0}},
		22: {rec("C", 40, 1, 0, nil)},
	})
	copy(b[16*BlockSize+156:], rec("\x00", 20, 3*BlockSize, flagDirectory, nil))
	f := open(t, b)
	list, err := f.ReadDir(".")
	if !errors.Is(err, ErrFileSystem) || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := f.Stat("C"); err != nil {
		t.Error(err)
	}
	if _, err := f.Stat("D"); !errors.Is(err, ErrFileSystem) { // it may be in what is lost
		t.Error(err)
	}
	d, err := f.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		part, err := d.(fs.ReadDirFile).ReadDir(1)
		n += len(part)
		if err != nil {
			if !errors.Is(err, ErrFileSystem) || n != 2 {
				t.Errorf("%d entries, %v", n, err)
			}
			break
		}
	}
	if _, err := d.Read(make([]byte, 1)); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
}

func TestShortFile(t *testing.T) {
	f := open(t, discOf(map[int][][]byte{20: {rec("\x00", 20, BlockSize, flagDirectory, nil), rec("A", 63, 5000, 0, nil)}}))
	b, err := fs.ReadFile(f, "A")
	if len(b) != BlockSize || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// Every directory is reached in one way, so that a walk ends.
func TestWalkEnds(t *testing.T) {
	dirs := make(map[int][][]byte)
	for n := 20; n < 50; n++ { // two entries in each lead to the next: 2^30 paths
		next := rec("A", uint32(n+1), BlockSize, flagDirectory, nil)
		dirs[n] = [][]byte{rec("\x00", uint32(n), BlockSize, flagDirectory, nil), next, rec("B", uint32(n+1), BlockSize, flagDirectory, nil)}
	}
	dirs[50] = [][]byte{rec("\x00", 50, BlockSize, flagDirectory, nil)}
	b := discOf(nil)
	clear(b[40*BlockSize:])
	for n, records := range dirs {
		copy(b[n*BlockSize:], bytes.Join(records, nil))
	}
	f := open(t, b)
	n, faults := 0, 0
	_ = fs.WalkDir(f, ".", func(_ string, _ fs.DirEntry, err error) error {
		if n++; n > 1000 {
			return fs.SkipAll
		}
		if err != nil {
			faults++
		}
		return nil
	})
	if n != 1+30+2*30 || faults != 30 {
		t.Errorf("%d visits, %d faults", n, faults)
	}
}

// wide makes a directory of many files, in an image that repeats itself.
func wide(n int) []byte {
	var dir []byte
	for i := range n {
		r := rec(fmt.Sprintf("FILE%06d.;1", i), 18, 1, 0, nil)
		if len(dir)%BlockSize+len(r) > BlockSize {
			dir = append(dir, make([]byte, BlockSize-len(dir)%BlockSize)...)
		}
		dir = append(dir, r...)
	}
	dir = append(dir, make([]byte, -len(dir)&(BlockSize-1))...)
	b := append(discOf(nil)[:20*BlockSize], dir...)
	copy(b[16*BlockSize+156:], rec("\x00", 20, uint32(len(dir)), flagDirectory, nil))
	return b
}

// counted counts the blocks that are read.
type counted struct {
	r      io.ReaderAt
	blocks int
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.blocks += (len(p) + BlockSize - 1) / BlockSize
	return c.r.ReadAt(p, off)
}

// A directory of 50,000 files is read once, however many of them are looked up.
func TestWideDirectory(t *testing.T) {
	const files = 50_000
	b := wide(files)
	c := &counted{r: bytes.NewReader(b)}
	f, err := OpenFiles(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.ReadDir(".")
	if err != nil || len(list) != files {
		t.Fatalf("%d files, %v", len(list), err)
	}
	for _, d := range list {
		if _, err := f.Stat(path.Join(".", d.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if most := len(b)/BlockSize + 20; c.blocks > most {
		t.Errorf("%d blocks read of %d", c.blocks, most)
	}
}

func BenchmarkWideDirectory(b *testing.B) {
	image := wide(50_000)
	for b.Loop() {
		f := open(b, image)
		list, err := f.ReadDir(".")
		if err != nil {
			b.Fatal(err)
		}
		for _, d := range list {
			if _, err := f.Stat(d.Name()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// Directories leave the cache, and come back the same.
func TestCacheLetsGo(t *testing.T) {
	f := open(t, authored(t, folder(t), author.Options{}))
	walk := func() (all []string) {
		if err := fs.WalkDir(f, ".", func(name string, _ fs.DirEntry, err error) error {
			all = append(all, name)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := walk()
	f.total = cached + 1
	after := walk()
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	if len(f.dirs) >= 5 {
		t.Errorf("%d directories in the cache", len(f.dirs))
	}
}
