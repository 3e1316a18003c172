package check

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// What a checksum file is called says of which file it is, and so do its lines.
func TestSumNames(t *testing.T) {
	sum := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	for name, test := range map[string]struct {
		list, text string
		files      []string
		results    int
		names      string
		unusable   int
	}{
		"another name":      {"n.iso.sha256", sum("n.iso") + "  t.iso\n", []string{"n.iso"}, 1, "t.iso", 0},
		"several others":    {"n.iso.sha256", sum("a") + "  a\n" + sum("b") + "  b\n", []string{"n.iso"}, 0, "", 1},
		"a sheet's":         {"n.cue.sha256", sum("n.bin") + "  n.bin\n", []string{"n.cue", "n.bin"}, 1, "", 0},
		"a sheet's, of old": {"n.cue.sha256", sum("o.bin") + "  o.bin\n", []string{"n.cue", "n.bin"}, 0, "", 1},
		"for the folder":    {"checksums.sha256", sum("n.iso") + "  n.iso\n", []string{"n.iso"}, 1, "", 0},
		"named as it":       {"Folder.sha256", sum("n.iso") + "  n.iso\n", []string{"n.iso"}, 1, "", 0},
		"of others":         {"checksums.sha256", sum("t.iso") + "  t.iso\n", []string{"n.iso"}, 0, "", 0},
	} {
		dir := filepath.Join(t.TempDir(), "folder")
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, f := range test.files {
			files = append(files, filepath.Join(dir, f))
			if err := os.WriteFile(files[len(files)-1], []byte(f), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, test.list), []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		results, unusable, err := Beside(t.Context(), Plain(files...), nil)
		if err != nil || len(results) != test.results || len(unusable) != test.unusable {
			t.Errorf("%s: %+v, %+v, %v", name, results, unusable, err)
			continue
		}
		for _, r := range results {
			if !r.Right || r.Names != test.names {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}
