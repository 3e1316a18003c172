package regular_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"spindle/internal/regular"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		file: nil, dir: regular.ErrFolder, os.DevNull: regular.ErrNotRegular, filepath.Join(dir, "none"): fs.ErrNotExist,
	} {
		f, err := regular.Open(path)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
		if err == nil {
			f.Close()
		}
	}
}
