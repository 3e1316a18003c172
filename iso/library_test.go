package iso

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"spindle/internal/corpus"

	"github.com/kdomanski/iso9660"
)

// The library kdomanski/iso9660 authors the discs of our tests, and is the judge of
// what we author ourselves. This measures why it does not read for us: where it
// falls short of a disc, and what we make of the same.
func TestBeyondTheLibrary(t *testing.T) {
	// read lists the files with their sizes, as the library does.
	read := func(b []byte) (files map[string]int64, err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
		}()
		img, err := iso9660.OpenImage(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		root, err := img.RootDir()
		if err != nil {
			return nil, err
		}
		files = make(map[string]int64)
		var walk func(f *iso9660.File, at string) error
		walk = func(f *iso9660.File, at string) error {
			if !f.IsDir() {
				n, err := io.Copy(io.Discard, f.Reader())
				files[at] = n
				return err
			}
			children, err := f.GetChildren()
			for _, c := range children {
				if err := walk(c, strings.TrimPrefix(at+"/"+c.Name(), "/")); err != nil {
					return err
				}
			}
			return err
		}
		return files, walk(root, "")
	}
	for _, test := range []struct {
		image, file string // of ours
		size        int64
		falls       func(map[string]int64, error) bool // what the library does
	}{
		{"joliet.iso", "libcdio/README.libcdio", 2849, // it knows the names of ISO 9660 only
			func(m map[string]int64, err error) bool { return m["LIBCDIO/README.LIBCDIO"] == 2849 && err == nil }},
		{"multi_extent_8k.iso", "multi_extent_file", 54305, // it gives the last extent for the file
			func(m map[string]int64, err error) bool { return m["multi_extent_file"] == 5153 && err == nil }},
		{"malformed2.iso", "", 0, func(_ map[string]int64, err error) bool { return err != nil && strings.HasPrefix(err.Error(), "panic") }},
		{"bad-dir.iso", "", 0, func(_ map[string]int64, err error) bool { return err != nil && strings.HasPrefix(err.Error(), "panic") }},
	} {
		b, err := os.ReadFile(corpus.Path(t, "libcdio", test.image))
		if err != nil {
			t.Fatal(err)
		}
		if files, err := read(b); !test.falls(files, err) {
			t.Errorf("%s: the library has become better, or worse: %v, %v", test.image, files, err)
		}
		ours, _ := paths(t, b) // must not panic; malformed ones may fail
		if got := int64(len(ours[test.file])); test.file != "" && got != test.size {
			t.Errorf("%s: %d bytes of %s, want %d", test.image, got, test.file, test.size)
		}
	}
}
