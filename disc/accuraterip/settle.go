package accuraterip

import (
	"cmp"
	"math/bits"
	"slices"
)

// A Doubt is a sample that is one of two values: At is its place in the track, counted from 0.
type Doubt struct {
	At     int64
	Values [2]uint32
}

const (
	// MostDoubts is how many samples of a track [Settle] decides on.
	MostDoubts = 40
	// leastConfidence is how many people must have submitted a checksum that settles samples.
	leastConfidence = 2
	// margin is how many times as many checksums there have to be as combinations of
	// samples, as a power of two: a false one then fits once in a million cases.
	margin = 20
)

// Settle finds the values of doubtful samples that make the checksums of a track those of the database. own
// are the sums with the first value of each. It returns which samples have their second value, and false where
// no combination fits, more than one does, or one might by chance.
//
// A checksum of version 1 and one of version 2 together have up to 64 bits, as many as the
// samples in doubt reach of them; one of version 2 alone has 32. Version 1 alone settles nothing: it leaves bits out.
// Exchanging a sample changes both sums by what depends on that sample alone, so that the
// combinations of one half of the samples are looked up among those of the other.
func Settle(own Sums, doubts []Doubt, entries []Entry) (second []bool, ok bool) {
	if len(doubts) == 0 || len(doubts) > MostDoubts {
		return nil, false
	}
	steps := make([]delta, len(doubts))
	for i, d := range doubts {
		steps[i] = exchange(d)
	}
	for _, both := range [...]bool{true, false} {
		wanted := targets(own, entries, both)
		if len(wanted) == 0 || len(doubts)+bits.Len(uint(len(wanted)))+margin > reach(steps, both) {
			continue // one might fit by chance
		}
		if found := combinations(steps, wanted, both); len(found) > 0 {
			return chosen(found, len(doubts))
		}
	}
	return nil, false
}

// chosen says which samples have their second value in the one combination that fits.
func chosen(found []uint64, n int) (second []bool, ok bool) {
	if len(found) != 1 {
		return nil, false
	}
	second = make([]bool, n)
	for i := range second {
		second[i] = found[0]>>i&1 == 1
	}
	return second, true
}

// A delta is by how much the sums of versions 1 and 2 change.
type delta struct{ v1, v2 uint32 }

func (a delta) plus(b delta) delta { return delta{a.v1 + b.v1, a.v2 + b.v2} }

// key is what is compared: both sums, or that of version 2 alone.
func (a delta) key(both bool) uint64 {
	if both {
		return uint64(a.v1)<<32 | uint64(a.v2)
	}
	return uint64(a.v2)
}

// exchange returns what the second value of a sample changes.
func exchange(d Doubt) delta {
	weight := uint64(d.At + 1)
	a, b := uint64(d.Values[0])*weight, uint64(d.Values[1])*weight
	low := uint32(b) - uint32(a)
	return delta{low, low + uint32(b>>32) - uint32(a>>32)}
}

// targets are the changes that make both sums those of entries, in all pairs, for nothing says which sum is of which
// version; or that of version 2 alone.
func targets(own Sums, entries []Entry, both bool) (all []delta) {
	for _, b := range entries {
		if b.Confidence < leastConfidence {
			continue
		}
		if !both {
			all = append(all, delta{0, b.Sum - own.V2})
			continue
		}
		for _, a := range entries {
			if a.Sum != b.Sum && a.Confidence >= leastConfidence {
				all = append(all, delta{a.Sum - own.V1, b.Sum - own.V2})
			}
		}
	}
	slices.SortFunc(all, func(a, b delta) int { return cmp.Or(cmp.Compare(a.v1, b.v1), cmp.Compare(a.v2, b.v2)) })
	return slices.Compact(all) // several pressings may have the same track
}

// reach returns how many bits of the sums samples in doubt reach at least. Where only the
// right channel is in doubt, the sum of version 1 has only its upper half; and the other half of the product, which
// version 2 adds, is small at the start of a track.
func reach(steps []delta, both bool) int {
	var low uint32
	var high uint64
	for _, s := range steps {
		low |= s.v1
		h := int32(s.v2 - s.v1)
		high += uint64(max(h, -h))
	}
	n := 32 - bits.TrailingZeros32(low)
	if both {
		n += min(32, bits.Len64(high))
	}
	return n
}

// A sum is what a combination of samples changes.
type sum struct {
	key  uint64
	mask uint64 // of samples that have their second value
}

// sums are those of all combinations of some samples.
func sums(steps []delta, both bool) []sum {
	all := make([]delta, 1, 1<<len(steps))
	for _, s := range steps {
		for _, x := range all[:len(all):len(all)] {
			all = append(all, x.plus(s))
		}
	}
	out := make([]sum, len(all))
	for i, x := range all {
		out[i] = sum{x.key(both), uint64(i)}
	}
	return out
}

// combinations returns up to two masks of samples whose exchange changes the sums by one of the targets.
func combinations(steps []delta, targets []delta, both bool) (found []uint64) {
	half := len(steps) / 2
	near, far := sums(steps[:half], both), sums(steps[half:], both)
	slices.SortFunc(near, func(a, b sum) int { return cmp.Compare(a.key, b.key) })
	for _, t := range targets {
		for _, f := range far {
			want := less(t.key(both), f.key)
			i, ok := slices.BinarySearchFunc(near, want, func(a sum, k uint64) int { return cmp.Compare(a.key, k) })
			for ; ok && i < len(near) && near[i].key == want; i++ {
				if found = append(found, f.mask<<half|near[i].mask); len(found) > 1 {
					return found
				}
			}
		}
	}
	return found
}

// less subtracts sums, each for itself.
func less(a, b uint64) uint64 {
	return uint64(uint32(a>>32)-uint32(b>>32))<<32 | uint64(uint32(a)-uint32(b))
}
