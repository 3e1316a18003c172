package disc

import (
	"fmt"
	"testing"
)

// The size information of some discs states no last track, or the first as the last:
// the packs themselves have the titles.
func TestSizeInfoThatLies(t *testing.T) {
	var b TextBlock
	for n := range 13 {
		b.SetText(PackTitle, n, fmt.Sprintf("Title %d", n))
	}
	b.SetText(PackPerformer, 0, "X")
	b.SetText(PackPerformer, 2, "Y") // within the first pack
	for _, last := range []byte{0, 1, 5, 12, 99} {
		packs, err := EncodeCDText([]TextBlock{b}, 1, 12)
		if err != nil {
			t.Fatal(err)
		}
		for i := range packs {
			if p := &packs[i]; p.Type() == PackSizeInfo && p.track() == 0 {
				p[4+2] = last
				p.seal()
			}
		}
		got := DecodeCDText(packs, 1)
		if len(got) != 1 {
			t.Fatalf("last %d: %d blocks", last, len(got))
		}
		for n := range 13 {
			if s := got[0].Text(PackTitle, n); s != fmt.Sprintf("Title %d", n) {
				t.Errorf("last %d: title %d is %q", last, n, s)
			}
		}
		if s := got[0].Text(PackPerformer, 2); s != "Y" || len(got[0].Texts[PackTitle]) != 13 {
			t.Errorf("last %d: performer %q, %d titles", last, s, len(got[0].Texts[PackTitle]))
		}
	}
}
