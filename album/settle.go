package album

import (
	"context"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/discid"
)

// A Doubt is a sample that came with different values, by its place in a sector. The disc is read with the first.
type Doubt struct {
	At     disc.LBA
	Index  int
	Values [2]uint32
}

// Settle decides on samples by what AccurateRip has of their tracks: see [accuraterip.Settle]. It returns
// for each sample which of its values is right, 0 or 1, or -1 where nothing says so. bad reports whether a sector
// is not right: in a track none may be but those of the samples.
func (d *Databases) Settle(ctx context.Context, l *disc.Layout, read func(ctx context.Context, p []byte, first disc.LBA) error,
	bad func(disc.LBA) bool, doubts []Doubt) ([]int, error) {
	values := make([]int, len(doubts))
	for i := range values {
		values[i] = -1
	}
	x := check.NewProof(l)
	if x == nil || d.AccurateRip == nil {
		return values, nil
	}
	if err := takeAll(ctx, x, read); err != nil {
		return nil, err
	}
	sums, slots := x.AccurateRip.Sums(), x.Slots()
	for t, span := range x.Spans {
		first, end := span.First, span.End
		if t == 0 {
			first += accuraterip.Outside
		}
		if t == len(x.Spans)-1 {
			end -= accuraterip.Outside
		}
		var which []int
		var inTrack []accuraterip.Doubt
		of := map[disc.LBA]bool{}
		for i, y := range doubts {
			if y.At >= first && y.At < end {
				which, of[y.At] = append(which, i), true
				inTrack = append(inTrack, accuraterip.Doubt{At: int64(y.At-span.First)*discid.SectorSamples + int64(y.Index), Values: y.Values})
			}
		}
		if len(which) == 0 || anyOther(bad, of, first, end) {
			continue
		}
		second, ok := accuraterip.Settle(sums[t], inTrack, d.AccurateRip.Track(slots[t]))
		for k := range second {
			if values[which[k]] = 0; ok && second[k] {
				values[which[k]] = 1
			}
		}
	}
	return values, nil
}

// anyOther reports whether a sector from first to before end is bad that is none of some.
func anyOther(bad func(disc.LBA) bool, but map[disc.LBA]bool, first, end disc.LBA) bool {
	for at := first; at < end; at++ {
		if !but[at] && bad(at) {
			return true
		}
	}
	return false
}
