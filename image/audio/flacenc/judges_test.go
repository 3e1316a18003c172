package flacenc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestForJudges writes every signal in every length, beside its samples, into the folder
// SPINDLE_FLAC_DIR: testdata/judges/images lets other programs decode them.
func TestForJudges(t *testing.T) {
	dir := os.Getenv("SPINDLE_FLAC_DIR")
	if dir == "" {
		t.Skip("SPINDLE_FLAC_DIR is not set")
	}
	for _, s := range signals {
		for _, n := range lengths {
			samples := signal(s.at, n)
			o := Options{Samples: int64(n), Comments: [][2]string{{"TITLE", s.name}}, CueSheet: &album, Padding: n % 100}
			base := filepath.Join(dir, fmt.Sprintf("%s-%d", strings.ReplaceAll(s.name, " ", "-"), n))
			for ext, b := range map[string][]byte{".flac": encoded(t, samples, 4711, o), ".want": samples} {
				if err := os.WriteFile(base+ext, b, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
