// Package corpus finds disc images that other people made, for tests. They are
// not part of the project: SPINDLE_CORPUS names the folder.
package corpus

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of a file of the corpus. Without SPINDLE_CORPUS the test
// is skipped; with it, a missing file is a failure.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("SPINDLE_CORPUS")
	if root == "" {
		t.Skip("SPINDLE_CORPUS is not set")
	}
	p := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// Glob returns the files of the corpus that match a pattern: at least one.
func Glob(t testing.TB, pattern string) []string {
	t.Helper()
	root := os.Getenv("SPINDLE_CORPUS")
	if root == "" {
		t.Skip("SPINDLE_CORPUS is not set")
	}
	paths, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: nothing matches (%v)", pattern, err)
	}
	return paths
}

// Seeds adds the content of all files that match a pattern to a fuzz target;
// without the corpus there are none.
func Seeds(f *testing.F, pattern string, most int) {
	root := os.Getenv("SPINDLE_CORPUS")
	if root == "" {
		return
	}
	paths, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:min(len(b), most)])
	}
}
