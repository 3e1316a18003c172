package check

import (
	"context"
	"errors"
	"testing"

	"spindle/disc"
	"spindle/image/imagetest"
)

func TestIdentical(t *testing.T) {
	a := open(t, "mixed", nil)
	other := a.Layout().Clone()
	other.MCN = "1234567890123"
	relaid, err := disc.NewExtentImage(other, extents(t, a))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		b    disc.Image
		same bool
	}{
		{"same", open(t, "mixed", nil), true},
		{"a flaw", disc.WithFlaws(open(t, "mixed", nil), disc.Flaws{{First: 700, Count: 1, Kind: disc.Unread}}), false},
		{"another disc", open(t, "audio", nil), false},
		{"another catalogue number", relaid, false},
		{"a byte", &imagetest.Tapped{Image: open(t, "mixed", nil), After: func(p []byte, _ disc.LBA) { p[len(p)-1] ^= 1 }}, false},
	} {
		err := Identical(context.Background(), a, c.b, nil)
		if c.same != (err == nil) || err != nil && !errors.Is(err, ErrNotIdentical) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// extents are where all sectors of an image stand.
func extents(t *testing.T, img disc.Image) []disc.Extent {
	t.Helper()
	var all []disc.Extent
	for _, tr := range img.Layout().Tracks() {
		for at := tr.Begin(); at < tr.End; {
			e, ok := img.ExtentAt(at)
			if !ok {
				t.Fatalf("sector %d stands nowhere", at)
			}
			all = append(all, e)
			at += disc.LBA(e.Count)
		}
	}
	return all
}
