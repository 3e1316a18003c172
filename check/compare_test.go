package check

import (
	"context"
	"errors"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"

	"github.com/google/go-cmp/cmp"
)

// unreadable is an image of which some sectors cannot be read.
type unreadable struct {
	disc.Image
	first, last disc.LBA
}

var errUnreadable = errors.New("unreadable")

func (u unreadable) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if end := first + disc.LBA(len(p)/cdsector.Size); first <= u.last && end > u.first {
		return errUnreadable
	}
	return u.Image.ReadSectors(ctx, p, first)
}

// Sectors that cannot be read are no end of a comparison.
func TestCompareWithUnreadable(t *testing.T) {
	other := unreadable{open(t, "mixed", func(b []byte) { b[701*2352]++; b[704*2352]++ }), 702, 703}
	o := CompareOptions{}
	if _, err := Compare(t.Context(), open(t, "mixed", nil), other, o); !errors.Is(err, errUnreadable) {
		t.Error(err)
	}
	o.Damaged = func(err error) bool { return errors.Is(err, errUnreadable) }
	got, err := Compare(t.Context(), open(t, "mixed", nil), other, o)
	want := []Difference{{Track: 2, First: 701, Last: 701, Text: "different content"},
		{Track: 2, First: 702, Last: 703, Text: "cannot be read", Unread: true}, {Track: 2, First: 704, Last: 704, Text: "different content"}}
	if diff := cmp.Diff(want, got.Differences); err != nil || diff != "" {
		t.Error(diff, err)
	}
}
