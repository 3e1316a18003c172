package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// names lists a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	for _, text := range []string{"one", "two"} {
		if err := WriteBytes(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := content(t, path); got != text {
			t.Errorf("it holds %q", got)
		}
	}
	broken := errors.New("broken")
	if err := Write(path, func(*os.File) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := Write(path, func(f *os.File) error { return &fs.PathError{Op: "write", Path: f.Name(), Err: broken} }); err.Error() != "write "+path+": broken" {
		t.Error(err)
	}
	if got := content(t, path); got != "two" || names(t, dir) != "x" {
		t.Errorf("after an error: %q, and the folder has %s", got, names(t, dir))
	}
	if err := WriteBytes(filepath.Join(dir, "no", "x"), nil); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), Suffix) {
		t.Error(err)
	}
}

func TestCommitNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	for _, want := range []error{nil, fs.ErrExist} {
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.CommitNew(); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		f.Discard()
	}
	if names(t, dir) != "x" {
		t.Error(names(t, dir))
	}
}

// Where there are no hard links, too, one of those that want a name gets it, and the
// others learn that it is taken.
func TestCommitNewWithoutLinks(t *testing.T) {
	const writers = 16
	path := filepath.Join(t.TempDir(), "x")
	noLinks := func(string, string) error { return errors.ErrUnsupported }
	start, errs := make(chan struct{}), make(chan error)
	for range writers {
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-start
			errs <- f.commitNew(noLinks)
		}()
	}
	close(start)
	made := 0
	for range writers {
		switch err := <-errs; {
		case err == nil:
			made++
		case !errors.Is(err, fs.ErrExist):
			t.Error(err)
		}
	}
	if made != 1 || names(t, filepath.Dir(path)) != "x" {
		t.Errorf("%d were made: %s", made, names(t, filepath.Dir(path)))
	}
}

// A link is replaced, and what it points to stays as it is.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(dir, "target"), filepath.Join(dir, "x")
	if err := os.WriteFile(target, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Skip(err)
	}
	if err := WriteBytes(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if content(t, target) != "precious" || content(t, path) != "new" {
		t.Error("the link was followed")
	}
}

// What a killed process left goes; what another one writes, and files that only
// look alike, stay.
func TestLeftBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	left := tempName(path, rand.Text())
	like := []string{path + Suffix, path + ".short" + Suffix, tempName(filepath.Join(dir, "xy"), rand.Text())}
	for _, p := range append(like, left) {
		if err := os.WriteFile(p, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	one, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*File{one, two} {
		if _, err := f.WriteString(f.Name()); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []*File{one, two} {
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := content(t, path); got != f.Name() {
			t.Errorf("it holds %q", got)
		}
	}
	for _, p := range like {
		if _, err := os.Lstat(p); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was left is still there (%v)", err)
	}
}

func TestLongName(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("ü", 120))
	if err := WriteBytes(path, nil); err != nil {
		t.Error(err)
	}
}

// What was set aside comes back, or goes, whether the file system has hard links or not.
func TestAside(t *testing.T) {
	for name, link := range map[string]func(from, to string) error{"links": os.Link, "none": func(string, string) error { return errors.ErrUnsupported }} {
		for what, c := range map[string]struct {
			replaced, restored bool
			want               string
		}{
			"restored": {true, true, "old"}, "nothing came": {false, true, "old"}, "forgotten": {true, false, "new"},
		} {
			dir := t.TempDir()
			path := filepath.Join(dir, "x")
			if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
				t.Fatal(err)
			}
			a, err := setAside(path, link)
			if err != nil {
				t.Fatal(err)
			}
			if c.replaced {
				err = WriteBytes(path, []byte("new"))
			}
			if c.restored {
				err = errors.Join(err, a.Restore())
			} else {
				err = errors.Join(err, a.Forget())
			}
			b, readErr := os.ReadFile(path)
			left, listErr := os.ReadDir(dir)
			if err := errors.Join(err, readErr, listErr); err != nil || string(b) != c.want || len(left) != 1 {
				t.Errorf("%s, %s: %q, %v, %v", name, what, b, left, err)
			}
		}
	}
	if a, err := SetAside(filepath.Join(t.TempDir(), "none")); a != nil || err != nil {
		t.Errorf("%v, %v", a, err)
	}
}
