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
	of          disc.Image
	first, last disc.LBA
}

func (u unreadable) Layout() *disc.Layout                    { return u.of.Layout() }
func (u unreadable) Subchannels() disc.Subchannels           { return u.of.Subchannels() }
func (u unreadable) ExtentAt(a disc.LBA) (disc.Extent, bool) { return u.of.ExtentAt(a) }
func (u unreadable) Flaws() disc.Flaws                       { return u.of.Flaws() }
func (u unreadable) Files() []string                         { return u.of.Files() }
func (u unreadable) Close() error                            { return u.of.Close() }
func (u unreadable) ReadUser(ctx context.Context, p []byte, first disc.LBA) (bool, error) {
	return u.of.ReadUser(ctx, p, first)
}

var errUnreadable = errors.New("unreadable")

func (u unreadable) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if end := first + disc.LBA(len(p)/cdsector.Size); first <= u.last && end > u.first {
		return errUnreadable
	}
	return u.of.ReadSectors(ctx, p, first)
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
	want := []Difference{{Kind: OtherContent, Track: 2, First: 701, Last: 701},
		{Kind: Uncompared, Track: 2, First: 702, Last: 703}, {Kind: OtherContent, Track: 2, First: 704, Last: 704}}
	if diff := cmp.Diff(want, got.Differences); err != nil || diff != "" {
		t.Error(diff, err)
	}
}

// Silence at the edge of an image is no difference to a disc in a drive, and is counted.
func TestCompareSilentEdges(t *testing.T) {
	const sectors, missing = 300, 102
	b := make([]byte, sectors*cdsector.Size)
	for i := range b {
		b[i] = byte(i*i>>3) | 1
	}
	a := append([]byte(nil), b...)
	clear(a[len(a)-missing*sampleBytes:])
	got, err := Compare(t.Context(), audioImage(t, a), audioImage(t, b), CompareOptions{AnyOffset: true})
	if err != nil || len(got.Differences) > 0 || got.Silent != missing {
		t.Errorf("%+v, %v", got, err)
	}
	clear(a[150*cdsector.Size:][:sampleBytes])
	got, err = Compare(t.Context(), audioImage(t, a), audioImage(t, b), CompareOptions{AnyOffset: true})
	if err != nil || len(got.Differences) != 1 {
		t.Errorf("silence in the middle: %+v, %v", got, err)
	}
	if got, err = Compare(t.Context(), audioImage(t, a), audioImage(t, b), CompareOptions{}); err != nil || len(got.Differences) != 2 {
		t.Errorf("two images: %+v, %v", got, err)
	}
}
