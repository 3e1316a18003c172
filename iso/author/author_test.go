package author

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"spindle/iso"

	"github.com/google/go-cmp/cmp"
	"github.com/kdomanski/iso9660"
)

var epoch = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// folder makes a folder of files; a target after "-> " makes a link.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			if err := os.Symlink(target, path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func create(t testing.TB, dir string, o Options) ([]byte, *Made) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.iso")
	made, err := Create(context.Background(), path, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != made.Sectors*blockSize {
		t.Errorf("%d bytes, and %d sectors stated", len(b), made.Sectors)
	}
	return b, made
}

// listed reads an image with our own reader.
func listed(t testing.TB, b []byte) map[string]string {
	t.Helper()
	f, err := iso.OpenFiles(bytes.NewReader(b), 0)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	err = fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
		case d.Type() == fs.ModeSymlink:
			var link string
			link, err = f.ReadLink(name)
			all[name] = "-> " + link
		default:
			var content []byte
			content, err = fs.ReadFile(f, name)
			all[name] = string(content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sample() map[string]string {
	files := map[string]string{
		"a.txt": "one", "A.TXT2": "two", "sub/deeper/and/deeper/still/file": strings.Repeat("x", 5000), "empty": "",
		".hidden": "h", "sub/caf\u00e9 \u65e5\u672c.txt": "names", "sub/link": "-> ../a.txt", "sub/abs": "-> /etc/passwd",
		"sub/" + strings.Repeat("long", 60): "long name", "far": "-> " + strings.Repeat("y", 250) + "/../" + strings.Repeat("z", 200),
		"same name here and there 1.text": "1", "same name here and there 2.text": "2",
	}
	for i := range 200 { // more than a block of records
		files[fmt.Sprintf("many/file number %03d", i)] = fmt.Sprint(i)
	}
	return files
}

func TestRockRidge(t *testing.T) {
	files := sample()
	b, made := create(t, folder(t, files), Options{Label: "TEST", Time: epoch})
	if diff := cmp.Diff(files, listed(t, b)); diff != "" {
		t.Error(diff)
	}
	v, err := iso.ReadVolume(bytes.NewReader(b), int64(made.Sectors))
	if err != nil || v.Label != "TEST" || !v.Joliet || !v.RockRidge || v.Blocks() != int64(made.Sectors) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestJoliet(t *testing.T) {
	files := sample()
	b, made := create(t, folder(t, files), Options{NoRockRidge: true, Time: epoch})
	got := listed(t, b)
	if got["sub/caf\u00e9 \u65e5\u672c.txt"] != "names" || got["many/file number 199"] != "199" || got["a.txt"] != "one" {
		t.Errorf("%v", got)
	}
	if len(got) != len(files)-3 || len(made.Left) != 3 { // links need Rock Ridge
		t.Errorf("%d files, left out: %v", len(got), made.Left)
	}
}

// Another reader finds the same.
func TestOtherReader(t *testing.T) {
	b, _ := create(t, folder(t, map[string]string{"a.txt": "one", "dir/b.txt": "two", "dir/deep/c.bin": strings.Repeat("c", 9000)}), Options{Time: epoch})
	img, err := iso9660.OpenImage(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	root, err := img.RootDir()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int)
	var walk func(f *iso9660.File, at string)
	walk = func(f *iso9660.File, at string) {
		if !f.IsDir() {
			content, err := io.ReadAll(f.Reader())
			if err != nil {
				t.Fatal(err)
			}
			got[at] = len(content)
			return
		}
		children, err := f.GetChildren()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range children {
			walk(c, strings.TrimPrefix(at+"/"+c.Name(), "/"))
		}
	}
	walk(root, "")
	if diff := cmp.Diff(map[string]int{"a.txt": 3, "dir/b.txt": 3, "dir/deep/c.bin": 9000}, got); diff != "" {
		t.Error(diff)
	}
}

// The longest links come out whole; longer ones are left out, and reported.
func TestLongLinks(t *testing.T) {
	longest := strings.Repeat("n/", maxLink/2) + "n" // most entries for its length
	want := map[string]string{
		"link": "-> " + longest, "x": "x", strings.Repeat("name", 60): "-> " + longest, "second": "-> " + strings.Repeat("n", 250) + "/" + strings.Repeat("m", 250),
	}
	dir := folder(t, want)
	if err := os.Symlink(longest+"n", filepath.Join(dir, "longer")); err != nil {
		t.Fatal(err)
	}
	b, made := create(t, dir, Options{Time: epoch})
	if diff := cmp.Diff(want, listed(t, b)); diff != "" || len(made.Left) != 1 {
		t.Errorf("left out %v; %s", made.Left, diff)
	}
}

// Names that become the same in a tree are kept apart, also when there are many.
func TestSameNames(t *testing.T) {
	used := make(map[string]int)
	seen := make(map[string]bool)
	for i := range 20000 {
		name := unique(used, isoName(fmt.Sprintf("%s %d.text", strings.Repeat("long name ", 5), i), false), maxISO)
		if seen[name] || len(name) > maxISO {
			t.Fatalf("%q", name)
		}
		seen[name] = true
	}
	long := strings.Repeat("\u65e5", 70)
	joliet := make(map[string]int)
	a, b := unique(joliet, jolietName(long+"1.txt"), maxJoliet), unique(joliet, jolietName(long+"2.txt"), maxJoliet)
	if a == b || len([]rune(a)) != maxJoliet || len([]rune(b)) != maxJoliet || !strings.HasSuffix(b, "_1.txt") {
		t.Errorf("%q and %q", a, b)
	}
}

func TestReproducible(t *testing.T) {
	dir := folder(t, sample())
	a, _ := create(t, dir, Options{Label: "X", Time: epoch})
	b, _ := create(t, dir, Options{Label: "X", Time: epoch})
	if !bytes.Equal(a, b) {
		t.Error("two images of the same folder differ")
	}
}

func TestBoot(t *testing.T) {
	dir := folder(t, map[string]string{"boot/bios.img": strings.Repeat("B", 4000), "boot/efi.img": strings.Repeat("E", 3000), "x": "x"})
	b, _ := create(t, dir, Options{Time: epoch, Boot: []Boot{{Path: "boot/bios.img", InfoTable: true}, {Path: "boot/efi.img", UEFI: true}}})
	v, err := iso.ReadVolume(bytes.NewReader(b), 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Boot) != 2 || v.Boot[0].Platform != iso.BIOS || v.Boot[0].Sectors != 4 || v.Boot[1].Platform != iso.UEFI || v.Boot[1].Sectors != 6 {
		t.Fatalf("%+v", v.Boot)
	}
	bios := b[int(v.Boot[0].Block)*blockSize:][:4000]
	if bios[8] != 16 || bios[12] != byte(v.Boot[0].Block) || !bytes.Equal(bios[64:], bytes.Repeat([]byte("B"), 4000-64)) {
		t.Errorf("information table: % x", bios[:64])
	}
	for _, bad := range []string{"no.img", "boot", ""} {
		_, err := Create(t.Context(), filepath.Join(t.TempDir(), "x.iso"), dir, Options{Boot: []Boot{{Path: bad}}})
		if !errors.Is(err, ErrBoot) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What goes wrong leaves nothing, and replaces nothing.
func TestCreateErrors(t *testing.T) {
	dir, out := folder(t, map[string]string{"a": strings.Repeat("a", 3<<20)}), t.TempDir()
	path := filepath.Join(out, "x.iso")
	if _, err := Create(t.Context(), path, dir, Options{Label: strings.Repeat("L", 33)}); !errors.Is(err, ErrLabel) {
		t.Error(err)
	}
	if _, err := Create(t.Context(), path, filepath.Join(dir, "no"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Create(ctx, path, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	grow := Options{Progress: func(done, _ int64) {
		if done > 1<<20 && done < 2<<20 {
			if f, err := os.OpenFile(filepath.Join(dir, "a"), os.O_APPEND|os.O_WRONLY, 0); err == nil {
				f.WriteString("more")
				f.Close()
			}
		}
	}}
	if _, err := Create(t.Context(), path, dir, grow); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	if files, _ := os.ReadDir(out); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), path, dir, Options{}); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	// The image may lie in the folder that it is made of, but replaces nothing there.
	inside := filepath.Join(dir, "x.iso")
	if made, err := Create(t.Context(), inside, dir, Options{Force: true}); err != nil || made.Files != 1 {
		t.Errorf("%+v, %v", made, err)
	}
	if _, err := Create(t.Context(), inside, dir, Options{Force: true}); !errors.Is(err, ErrSource) {
		t.Error(err)
	}
}

func TestExtents(t *testing.T) {
	for size, want := range map[int64][]uint32{
		0: {0}, 5: {5}, maxExtent: {maxExtent}, maxExtent + 1: {maxExtent, 1}, 2*maxExtent + 7: {maxExtent, maxExtent, 7},
	} {
		n := &node{size: size}
		if diff := cmp.Diff(want, n.extents()); diff != "" {
			t.Errorf("%d: %s", size, diff)
		}
	}
}

// Ten thousand files take little memory.
func TestManyFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 10,000 files")
	}
	dir := t.TempDir()
	for i := range 10000 {
		sub := filepath.Join(dir, fmt.Sprint(i%100))
		if err := os.MkdirAll(sub, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("some file %d.txt", i)), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	v, err := plan(dir, "", Options{Time: epoch})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	const most = 32 << 20
	if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > most {
		t.Errorf("%d bytes of memory", used)
	}
	runtime.KeepAlive(v)
}
