package disc

import "testing"

func TestMediumFor(t *testing.T) {
	for n, want := range map[int64]Medium{1: CD, 360000: CD, 405001: DVD, 4173824: DVD, 4173825: BD} {
		if got := MediumFor(n); got != want {
			t.Errorf("%d sectors: %v", n, got)
		}
	}
}
