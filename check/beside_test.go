package check

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestBeside(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.bin"), filepath.Join(dir, "two.bin")
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("text")))
	for path, text := range map[string]string{
		one: "text", two: "other", filepath.Join(dir, "SHA256SUMS"): sum + "  one.bin\n" + sum + "  two.bin\n",
		filepath.Join(dir, "one.bin.md5"): "no checksum at all\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	got, unusable, err := Beside(t.Context(), Plain(one, two), func(Algorithm) func(int64, int64) { asked++; return nil })
	if err != nil || len(got) != 2 || asked != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if want := filepath.Join(dir, "one.bin.md5"); len(unusable) != 1 || unusable[0] != (Unusable{From: want}) {
		t.Errorf("unusable %v, want %q", unusable, want)
	}
	if !HoldsSums(filepath.Join(dir, "SHA256SUMS")) || HoldsSums(one) {
		t.Error("checksums are not distinguished from other text")
	}
	if !got[0].Right || got[1].Right || got[1].File != two || got[1].Stated != sum || got[1].Found == sum {
		t.Errorf("%+v", got)
	}
	if _, _, err := Against(t.Context(), Plain(one), filepath.Join(dir, "one.bin.md5"), nil); !errors.Is(err, ErrNoSums) {
		t.Error(err)
	}
}
