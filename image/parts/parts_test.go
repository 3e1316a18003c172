package parts_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/image/format"
	"spindle/internal/testdisc"
)

// split writes content in parts of so many bytes, and returns the path of the first.
func split(t *testing.T, content []byte, size int) string {
	t.Helper()
	stem := filepath.Join(t.TempDir(), "disc.iso")
	for n := 1; len(content) > 0; n++ {
		k := min(size, len(content))
		if err := os.WriteFile(fmt.Sprintf("%s.%03d", stem, n), content[:k], 0o666); err != nil {
			t.Fatal(err)
		}
		content = content[k:]
	}
	return stem + ".001"
}

func iso(t *testing.T) []byte {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A split ISO opens as the ISO, and none of its parts is forgotten.
func TestSplitISO(t *testing.T) {
	content := iso(t)
	path := split(t, content, 10_000)
	img, err := image.Open(t.Context(), path, func(r image.Remark) {
		if r.Kind != format.InLayer {
			t.Errorf("%+v", r)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if n := len(img.Layout().Tracks()); n != 1 {
		t.Errorf("%d tracks", n)
	}
	got := make([]byte, len(content))
	if err := disc.ReadUser(t.Context(), img, got, 0); err != nil || !bytes.Equal(got, content) {
		t.Errorf("not what was split (%v)", err)
	}
}

// A part that others follow, and that was cut, would displace what is behind it.
func TestShortPart(t *testing.T) {
	path := split(t, iso(t), 10_000)
	if err := os.Truncate(strings.TrimSuffix(path, "001")+"002", 5_000); err != nil {
		t.Fatal(err)
	}
	_, err := image.Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "disc.iso.002 is shorter than the first part") {
		t.Errorf("%v", err)
	}
}

// A part that is missing in the middle is named; those missing at the end are seen by what the content says.
func TestMissingPart(t *testing.T) {
	path := split(t, iso(t), 10_000)
	third := strings.TrimSuffix(path, "001") + "003"
	if err := os.Remove(third); err != nil {
		t.Fatal(err)
	}
	_, err := image.Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "disc.iso.003 is missing") {
		t.Errorf("%v", err)
	}
}
