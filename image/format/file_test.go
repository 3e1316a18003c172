package format

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte{0}, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestFindCompanion(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Disc.BIN"))
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "sub", "x.bin"))
	write(t, filepath.Join(dir, "packed.bin.xz"))
	for name, want := range map[string]string{
		"Disc.BIN": "Disc.BIN", "disc.bin": "Disc.BIN", `C:\Images\DISC.bin`: "Disc.BIN", "/home/me/disc.bin": "Disc.BIN",
		"sub/x.bin": "sub/x.bin", `sub\x.bin`: "sub/x.bin", "../Disc.BIN": "Disc.BIN", "..": "", "": "", "sub": "", "no": "",
		"PACKED.bin": "packed.bin.xz",
	} {
		got, err := FindCompanion(dir, name)
		if want == "" {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q: %q, %v", name, got, err)
			}
			continue
		}
		if err != nil || got != filepath.Join(dir, filepath.FromSlash(want)) {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

// A file that is there, and outside of the folder, is not said to be missing.
func TestCompanionOutside(t *testing.T) {
	dir := t.TempDir()
	album := filepath.Join(dir, "album")
	if err := os.Mkdir(album, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "x.wav"))
	for name, want := range map[string]string{"../x.wav": "lies outside", filepath.Join(dir, "x.wav"): "lies outside", "../y.wav": "there is no file"} {
		if _, err := FindCompanion(album, name); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
