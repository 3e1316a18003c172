package disc

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClone(t *testing.T) {
	layout := func() *Layout {
		return &Layout{Medium: CD, MCN: "4012345678901", CDText: []Pack{{1}}, Sessions: []Session{{Number: 1, LeadOut: 900,
			Tracks: []Track{{Number: 1, End: 900, Indexes: []LBA{300}}}}}}
	}
	l := layout()
	c := l.Clone()
	if diff := cmp.Diff(l, c); diff != "" {
		t.Error(diff)
	}
	c.CDText[0][0], c.Sessions[0].LeadOut, c.Sessions[0].Tracks[0].Pregap, c.Sessions[0].Tracks[0].Indexes[0] = 2, 1, 1, 1
	if diff := cmp.Diff(layout(), l); diff != "" {
		t.Errorf("the copy shares something: %s", diff)
	}
}
