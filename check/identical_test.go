package check

import (
	"context"
	"errors"
	"testing"

	"spindle/disc"
	"spindle/image/imagetest"
)

// relaid states something else of an image.
type relaid struct {
	disc.Image
	layout *disc.Layout
}

func (r relaid) Layout() *disc.Layout { return r.layout }

func TestIdentical(t *testing.T) {
	a := open(t, "mixed", nil)
	other := a.Layout().Clone()
	other.MCN = "1234567890123"
	for _, c := range []struct {
		name string
		b    disc.Image
		same bool
	}{
		{"same", open(t, "mixed", nil), true},
		{"a flaw", disc.WithFlaws(open(t, "mixed", nil), disc.Flaws{{First: 700, Count: 1, Kind: disc.Unread}}), false},
		{"another disc", open(t, "audio", nil), false},
		{"another catalogue number", relaid{open(t, "mixed", nil), other}, false},
		{"a byte", &imagetest.Tapped{Image: open(t, "mixed", nil), After: func(p []byte, _ disc.LBA) { p[len(p)-1] ^= 1 }}, false},
	} {
		err := Identical(context.Background(), a, c.b, nil)
		if c.same != (err == nil) || err != nil && !errors.Is(err, ErrNotIdentical) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
