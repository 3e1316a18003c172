package extract_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"spindle/image/extract"
	"spindle/internal/atomicfile"

	"github.com/google/go-cmp/cmp"
)

func file(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content), Mode: 0o444} }
func link(target string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
}
func dir() *fstest.MapFile { return &fstest.MapFile{Mode: fs.ModeDir | 0o555} }

// tree lists what is in a folder, with targets of links and contents.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		switch rel = filepath.ToSlash(rel); {
		case d.IsDir():
			all[rel+"/"] = ""
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(p)
			all[rel] = "-> " + target
			return err
		default:
			b, err := os.ReadFile(p)
			all[rel] = string(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// skipped lists what was left out, with the codes.
func skipped(res *extract.Result) map[string]string {
	all := make(map[string]string)
	for _, s := range res.Skipped {
		all[s.Path] = s.Reason.String()
	}
	return all
}

func TestRun(t *testing.T) {
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	fsys := fstest.MapFS{
		"a.txt": file("one"), "sub/b.txt": {Data: []byte("two"), Mode: 0o555, ModTime: when}, "sub": {Mode: fs.ModeDir | 0o555, ModTime: when},
		"sub/up": link("../a.txt"), "sub/gone": link("nothing"), "pipe": {Mode: fs.ModeNamedPipe},
	}
	out := filepath.Join(t.TempDir(), "out")
	res, err := extract.Run(t.Context(), out, fsys, extract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a.txt": "one", "sub/": "", "sub/b.txt": "two", "sub/up": "-> ../a.txt", "sub/gone": "-> nothing"}
	if diff := cmp.Diff(want, tree(t, out)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"pipe": "special"}, skipped(res)); diff != "" {
		t.Error(diff)
	}
	if res.Files != 2 || res.Links != 2 || res.Directories != 1 || res.Bytes != 6 {
		t.Errorf("%+v", res)
	}
	for name, mode := range map[string]fs.FileMode{"sub/b.txt": 0o755, "a.txt": 0o644, "sub": fs.ModeDir | 0o755} {
		st, err := os.Stat(filepath.Join(out, name))
		if err != nil || st.Mode() != mode || name != "a.txt" && !st.ModTime().Equal(when) {
			t.Errorf("%s: %v, %v, %v", name, st.Mode(), st.ModTime(), err)
		}
	}
}

func TestPaths(t *testing.T) {
	fsys := fstest.MapFS{"a": file("1"), "d/b": file("2"), "d/e/c": file("3"), "de": file("4")}
	for _, test := range []struct {
		paths []string
		want  []string
	}{
		{[]string{"d"}, []string{"d/b", "d/e/c"}},
		{[]string{"d/e/c", "d/e", "d/e/c"}, []string{"d/e/c"}},
		{[]string{"de", "a"}, []string{"a", "de"}},
		{[]string{".", "a"}, []string{"a", "d/b", "d/e/c", "de"}},
	} {
		out := t.TempDir()
		if _, err := extract.Run(t.Context(), out, fsys, extract.Options{Paths: test.paths}); err != nil {
			t.Errorf("%v: %v", test.paths, err)
		}
		var got []string
		for name := range tree(t, out) {
			if !strings.HasSuffix(name, "/") {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%v: %s", test.paths, diff)
		}
	}
	out := filepath.Join(t.TempDir(), "none")
	for _, p := range []string{"x", "../a", ""} {
		if _, err := extract.Run(t.Context(), out, fsys, extract.Options{Paths: []string{"a", p}}); !errors.Is(err, extract.ErrNotFound) {
			t.Errorf("%q: %v", p, err)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was extracted")
	}
	if n, err := extract.Size(t.Context(), fsys, extract.Options{Paths: []string{"d"}}); n != 2 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// listFS gives the entries of its root in an order, with names twice, as an image may.
type listFS struct {
	fstest.MapFS
	twice string
}

func (l listFS) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := l.MapFS.ReadDir(name)
	for _, d := range list {
		if d.Name() == l.twice {
			list = append(list, d)
		}
	}
	return list, err
}

// No link that an image has made leads out of the folder, and nothing is written there.
func TestLinksStayInside(t *testing.T) {
	for name, test := range map[string]struct {
		fsys  fs.FS
		links map[string]string // that are made
	}{
		"absolute":             {fstest.MapFS{"l": link("/etc/passwd")}, nil},
		"up":                   {fstest.MapFS{"l": link("../x"), "d/l": link("../../x"), "d/e/l": link("../../../x")}, nil},
		"up and down":          {fstest.MapFS{"d/l": link("../d/../../x"), "l": link("d/../..")}, nil},
		"through a link":       {fstest.MapFS{"s": link("."), "l": link("s/.."), "m": link("s/../..")}, map[string]string{"s": "."}},
		"through a later link": {fstest.MapFS{"l": link("z/.."), "z": link("d"), "d/e/f": file("")}, map[string]string{"z": "d"}},
		"a chain of them": {fstest.MapFS{"a": link("b"), "b": link("c"), "c": link("d/../.."), "d": dir()},
			map[string]string{"a": "b", "b": "c"}},
		"in itself":        {fstest.MapFS{"l": link("l"), "m": link("n"), "n": link("m")}, map[string]string{"n": "m"}}, // to nothing
		"nothing":          {fstest.MapFS{"l": link("")}, nil},
		"inside":           {fstest.MapFS{"d/e/l": link("../../f"), "f": file("x"), "g": link("d/e/l")}, map[string]string{"d/e/l": "../../f", "g": "d/e/l"}},
		"two of one name":  {listFS{fstest.MapFS{"d/c": link(".."), "d": dir(), "x": file("")}, "d"}, map[string]string{"d/c": ".."}},
		"of a name and up": {fstest.MapFS{"a/b/c/l": link("../../.."), "a/b/c/m": link("../../../..")}, map[string]string{"a/b/c/l": "../../.."}},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			out := filepath.Join(parent, "out")
			res, err := extract.Run(t.Context(), out, test.fsys, extract.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string]string)
			for p, content := range tree(t, out) {
				if target, ok := strings.CutPrefix(content, "-> "); ok {
					got[p] = target
				}
			}
			if test.links == nil {
				test.links = map[string]string{}
			}
			if diff := cmp.Diff(test.links, got); diff != "" {
				t.Errorf("%s%v", diff, skipped(res))
			}
			root, err := filepath.EvalSymlinks(out)
			if err != nil {
				t.Fatal(err)
			}
			for p := range got {
				if to, err := filepath.EvalSymlinks(filepath.Join(out, p)); err == nil && to != root && !strings.HasPrefix(to, root+string(filepath.Separator)) {
					t.Errorf("%s leads to %s", p, to)
				}
			}
			if list, err := os.ReadDir(parent); err != nil || len(list) != 1 {
				t.Errorf("beside the folder: %v, %v", list, err)
			}
		})
	}
}

// Links that are in the folder already are not followed out of it.
func TestExistingLinks(t *testing.T) {
	parent := t.TempDir()
	out, victim := filepath.Join(parent, "out"), filepath.Join(parent, "victim")
	for _, d := range []string{out, victim} {
		if err := os.Mkdir(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"d": "../victim", "f": "../victim/f", "in": "real"} {
		if err := os.Symlink(target, filepath.Join(out, name)); err != nil {
			t.Skip(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(out, "real"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, fsys := range map[string]fs.FS{
		"directory": fstest.MapFS{"d/x": file("bad")}, "file": fstest.MapFS{"f": file("bad")},
		"link": fstest.MapFS{"l": link("d/x")}, "link in a linked folder": fstest.MapFS{"in/l": link("../..")},
	} {
		for _, replace := range []bool{false, true} {
			_, err := extract.Run(t.Context(), out, fsys, extract.Options{Replace: replace})
			if list, rerr := os.ReadDir(victim); rerr != nil || len(list) != 0 {
				t.Errorf("%s, replace %v: %v (%v)", name, replace, list, err)
			}
			for _, l := range []string{"l", "real/l"} {
				if _, err := os.Lstat(filepath.Join(out, l)); err == nil {
					t.Errorf("%s, replace %v: %s was made", name, replace, l)
				}
			}
		}
	}
	if b, err := os.ReadFile(filepath.Join(out, "f")); err != nil || string(b) != "bad" {
		t.Errorf("the link was not replaced by the file: %q, %v", b, err)
	}
}

func TestExists(t *testing.T) {
	out := t.TempDir()
	fsys := fstest.MapFS{"a": file("new"), "l": link("a")}
	if err := os.WriteFile(filepath.Join(out, "a"), []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := extract.Run(t.Context(), out, fsys, extract.Options{}); !errors.Is(err, extract.ErrExists) {
		t.Error(err)
	}
	if got := tree(t, out); got["a"] != "old" || len(got) != 1 {
		t.Error(got)
	}
	for range 2 {
		if _, err := extract.Run(t.Context(), out, fsys, extract.Options{Replace: true}); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(map[string]string{"a": "new", "l": "-> a"}, tree(t, out)); diff != "" {
		t.Error(diff)
	}
	over := fstest.MapFS{"d": file("a file"), "e/f": file("in a folder")}
	if err := os.MkdirAll(filepath.Join(out, "d/keep"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "e"), []byte("a file"), 0o666); err != nil {
		t.Fatal(err)
	}
	res, err := extract.Run(t.Context(), out, over, extract.Options{Replace: true})
	if err == nil && skipped(res)["d"] != "name-taken" || err != nil && !errors.Is(err, extract.ErrExists) {
		t.Errorf("%v, %v", skipped(res), err)
	}
	if _, err := os.Stat(filepath.Join(out, "d/keep")); err != nil {
		t.Error(err)
	}
}

// badFS has a file that cannot be read to its end, and one that has less than its size.
type badFS struct{ fstest.MapFS }

func (b badFS) Open(name string) (fs.File, error) {
	f, err := b.MapFS.Open(name)
	switch name {
	case "bad":
		return badFile{f, errors.New("scratch")}, err
	case "short":
		return badFile{f, io.EOF}, err
	}
	return f, err
}

type badFile struct {
	fs.File
	err error
}

func (b badFile) Read(p []byte) (int, error) { return copy(p, "half"), b.err }

func TestUnreadable(t *testing.T) {
	fsys := badFS{fstest.MapFS{"bad": file("longer than half"), "good": file("x"), "short": file("longer than half"), "z": file("y")}}
	for _, replace := range []bool{false, true} {
		out := t.TempDir()
		if replace {
			if err := os.WriteFile(filepath.Join(out, "bad"), []byte("old"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		res, err := extract.Run(t.Context(), out, fsys, extract.Options{Replace: replace})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"bad": "unreadable", "short": "unreadable"}, skipped(res)); diff != "" {
			t.Error(diff)
		}
		want := map[string]string{"good": "x", "z": "y"}
		if replace {
			want["bad"] = "old" // an unreadable file replaces nothing
		}
		if diff := cmp.Diff(want, tree(t, out)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLimit(t *testing.T) {
	out := t.TempDir()
	fsys := fstest.MapFS{"a": file("12345"), "b": file("12345"), "c": file("12345")}
	_, err := extract.Run(t.Context(), out, fsys, extract.Options{MaxBytes: 12})
	if !errors.Is(err, extract.ErrTooMuch) {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "12345", "b": "12345"}, tree(t, out)); diff != "" {
		t.Error(diff)
	}
}

// canceller ends the context when it hears of progress.
type canceller struct {
	cancel context.CancelFunc
	bytes  int64
}

func (c *canceller) Progress(_ string, n int64) { c.bytes = n; c.cancel() }
func (c *canceller) Skipped(extract.Skipped)    {}

func TestCancel(t *testing.T) {
	out := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	c := &canceller{cancel: cancel}
	fsys := fstest.MapFS{"a": file(strings.Repeat("x", 1<<20)), "b": file("y"), "l": link("b")}
	_, err := extract.Run(ctx, out, fsys, extract.Options{Observer: c})
	if !errors.Is(err, context.Canceled) || c.bytes == 0 {
		t.Errorf("%v after %d bytes", err, c.bytes)
	}
	if got := tree(t, out); len(got) != 0 {
		t.Error(got)
	}
}

// A file has its name only when it is whole, also where nothing is replaced: a process that is
// killed leaves no half of one.
func TestWholeOrNotThere(t *testing.T) {
	out := t.TempDir()
	fsys := fstest.MapFS{"a": file(strings.Repeat("x", 1<<20))}
	seen := watcher(func() {
		if _, err := os.Lstat(filepath.Join(out, "a")); err == nil {
			t.Error("half of it has its name")
		}
	})
	if _, err := extract.Run(t.Context(), out, fsys, extract.Options{Observer: seen}); err != nil {
		t.Error(err)
	}
	if got := tree(t, out); len(got) != 1 || len(got["a"]) != 1<<20 {
		t.Error("it is not there, or more is")
	}
	// One that another program makes meanwhile is not replaced.
	out = t.TempDir()
	other := watcher(func() { _ = os.WriteFile(filepath.Join(out, "a"), []byte("other"), 0o666) })
	if _, err := extract.Run(t.Context(), out, fsys, extract.Options{Observer: other}); !errors.Is(err, extract.ErrExists) {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "other"}, tree(t, out)); diff != "" {
		t.Error(diff)
	}
}

// watcher hears of progress.
type watcher func()

func (w watcher) Progress(string, int64) { w() }
func (watcher) Skipped(extract.Skipped)  {}

func TestNamesOfTheSystem(t *testing.T) {
	long := strings.Repeat("n", 300)
	out := t.TempDir()
	fsys := fstest.MapFS{"ok": file("1"), long: file("2"), "d/" + long + "/x": file("3"), "nul\x00": file("4")}
	res, err := extract.Run(t.Context(), out, fsys, extract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{long: "name-refused", "d/" + long: "name-refused", "nul\x00": "name-refused"}
	if diff := cmp.Diff(want, skipped(res)); diff != "" {
		t.Error(diff)
	}
	if got := tree(t, out); got["ok"] != "1" {
		t.Error(got)
	}
}

func ExampleRun() {
	fsys := fstest.MapFS{
		"readme.txt": {Data: []byte("hello\n")},
		"evil":       {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink},
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	res, err := extract.Run(context.Background(), dir, fsys, extract.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Files, "file,", res.Bytes, "bytes")
	for _, s := range res.Skipped {
		fmt.Println(s.Path, s.Reason)
	}
	// Output:
	// 1 file, 6 bytes
	// evil link-outside
}

func FuzzLinks(f *testing.F) {
	f.Add("a\nb/..\nb\n.\nc\n../x")
	f.Add("d/l\n../../x\nd\n..\ne/f\n../d/l")
	f.Fuzz(func(t *testing.T, script string) {
		fsys := fstest.MapFS{}
		lines := strings.Split(script, "\n")
		for i := 0; i+1 < len(lines) && i < 16; i += 2 {
			if name := lines[i]; fs.ValidPath(name) && name != "." && len(name) < 40 && len(lines[i+1]) < 60 {
				fsys[name] = link(lines[i+1])
			}
		}
		parent := t.TempDir()
		out := filepath.Join(parent, "1/2/3/out")
		if _, err := extract.Run(t.Context(), out, fsys, extract.Options{}); err != nil {
			return
		}
		root, err := filepath.EvalSymlinks(out)
		if err != nil {
			t.Fatal(err)
		}
		for p := range tree(t, out) {
			to, err := filepath.EvalSymlinks(filepath.Join(out, p))
			if err == nil && to != root && !strings.HasPrefix(to, root+"/") {
				t.Errorf("%s leads to %s", p, bytes.TrimPrefix([]byte(to), []byte(parent)))
			}
		}
	})
}

// What has the name of a temporary file is not touched, and no half file stays behind, when
// files are replaced.
func TestReplaceKeepsOthers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", ".spindle-part"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	fsys := fstest.MapFS{"a": {Data: []byte("new")}, "b": {Data: []byte("also")}}
	if _, err := extract.Run(t.Context(), dir, fsys, extract.Options{Replace: true, MaxBytes: 100}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "new", "b": "also", ".spindle-part": "mine"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if all, _ := os.ReadDir(dir); len(all) != 3 {
		t.Errorf("%v", all)
	}
}

// What a killed run left of a file is removed by the next one that writes it; what is
// somebody else's, or still being written, stays.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	random := strings.Repeat("A", len(rand.Text()))
	left := filepath.Join(dir, "d", "x.txt."+random+atomicfile.Suffix)
	other := filepath.Join(dir, "d", "y.txt."+random+atomicfile.Suffix)
	fsys := fstest.MapFS{"d/x.txt": {Data: []byte("whole")}}
	for range 2 {
		if _, err := extract.Run(t.Context(), dir, fsys, extract.Options{Replace: true}); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{left, other} {
			if err := os.WriteFile(p, []byte("hal"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := extract.Run(t.Context(), dir, fsys, extract.Options{Replace: true}); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, err := os.ReadDir(filepath.Join(dir, "d"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"x.txt", filepath.Base(other)}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}
