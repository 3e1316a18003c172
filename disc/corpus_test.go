package disc_test

import (
	"os"
	"testing"

	"spindle/disc"
	"spindle/internal/corpus"
)

func TestForeignCDText(t *testing.T) {
	for _, path := range corpus.Glob(t, "libcdio/*.cdt") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		packs, bad, err := disc.ParsePacks(b)
		if err != nil || bad != 0 {
			t.Errorf("%s: %d bad packs, %v", path, bad, err)
			continue
		}
		blocks := disc.DecodeCDText(packs, 1)
		if len(blocks) == 0 || blocks[0].Text(disc.PackTitle, 0) == "" && blocks[0].Text(disc.PackPerformer, 0) == "" {
			t.Errorf("%s: no text found: %+v", path, blocks)
		}
		for _, k := range blocks {
			t.Logf("%s: language %#x: %q by %q", path, k.Language, k.Texts[disc.PackTitle], k.Texts[disc.PackPerformer])
		}
	}
}
