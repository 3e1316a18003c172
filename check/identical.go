package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// ErrNotIdentical is what [Identical] returns, wrapped, when an image does not hold all that
// another one does.
var ErrNotIdentical = errors.New("the two images are not the same")

// Identical checks that b holds all that a does, and that all of it is right: the same tracks,
// indexes, codes and texts, the same bytes in each sector and sub-channel, and no flaw in
// either. It reads both whole. progress receives how many sectors of how many are done, and may
// be nil.
func Identical(ctx context.Context, a, b disc.Image, progress func(done, total int64)) error {
	differ := func(what string) error { return fmt.Errorf("%w: %s", ErrNotIdentical, what) }
	switch {
	case len(a.Flaws())+len(b.Flaws()) > 0:
		return differ("sectors are known not to be right")
	case !reflect.DeepEqual(a.Layout(), b.Layout()):
		return differ("the tracks, or what is stated of them")
	case a.Subchannels() != nil && b.Subchannels() == nil:
		return differ("the sub-channels")
	}
	c, err := Compare(ctx, a, b, CompareOptions{Progress: progress})
	if err != nil {
		return err
	}
	for _, d := range c.Differences {
		return differ(fmt.Sprintf("track %d, sectors %d to %d", d.Track, d.First, d.Last))
	}
	if a.Subchannels() == nil {
		return nil
	}
	return identicalSubchannels(ctx, a, b)
}

func identicalSubchannels(ctx context.Context, a, b disc.Image) error {
	n, first, err := OtherSubchannels(ctx, a, b)
	if err == nil && n > 0 {
		err = fmt.Errorf("%w: the sub-channels, from sector %d on", ErrNotIdentical, first)
	}
	return err
}

// OtherSubchannels counts the sectors of which two images with saved sub-channels and the same
// tracks do not have the same, and returns the first.
func OtherSubchannels(ctx context.Context, a, b disc.Image) (n int, first disc.LBA, err error) {
	const most = 256 // sectors
	const size = cdsector.SubSize
	x, y := make([]byte, most*size), make([]byte, most*size)
	for _, t := range a.Layout().Tracks() {
		for at := t.Begin(); at < t.End; at += most {
			k := min(most, int(t.End-at))
			if err := a.Subchannels().ReadSubchannel(ctx, x[:k*size], at); err != nil {
				return n, first, err
			}
			if err := b.Subchannels().ReadSubchannel(ctx, y[:k*size], at); err != nil {
				return n, first, err
			}
			for i := range k {
				if bytes.Equal(x[i*size:(i+1)*size], y[i*size:(i+1)*size]) {
					continue
				}
				if n++; n == 1 {
					first = at + disc.LBA(i)
				}
			}
		}
	}
	return n, first, nil
}
