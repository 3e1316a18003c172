package check_test

import (
	"testing"

	"spindle/check"
	"spindle/disc"
	"spindle/image/imagetest"
	"spindle/internal/testdisc/testimage"
)

func TestWatch(t *testing.T) {
	img := testimage.Open(t, "data")
	tapped := &imagetest.Tapped{Image: img, After: func(p []byte, first disc.LBA) {
		for i := range len(p) / 2352 {
			if a := first + disc.LBA(i); a == 7 || a == 8 {
				p[i*2352+100] ^= 1
			}
		}
	}}
	w := check.Watch(tapped)
	defer w.Close()
	buf := make([]byte, 6*2352)
	for _, step := range []struct {
		first disc.LBA
		want  int
	}{{0, 0}, {3, 2}, {7, 2}} {
		if err := w.ReadSectors(t.Context(), buf, step.first); err != nil {
			t.Fatal(err)
		}
		if got := w.Flaws(); got.Sectors() != step.want || step.want > 0 && got[0].First != 7 {
			t.Errorf("after %d: %v", step.first, got)
		}
	}
}
