package known

import (
	"fmt"
	"slices"
)

// A Sighting is the read offset correction with which a disc would have been, or was, what
// AccurateRip knows of it.
type Sighting struct {
	Disc    string `json:"disc"` // its AccurateRip id
	Samples int    `json:"samples"`
	// Proven: the disc was read with that correction, and is what other drives gave. Otherwise
	// it may be of another pressing.
	Proven bool `json:"proven,omitempty"`
}

const (
	// agreeingDiscs must say the same where none is proven: pressings differ by any number of
	// samples, and seldom by the same.
	agreeingDiscs = 3
	mostSightings = 100
)

// Saw remembers what a disc says of the read offset of a drive. It returns that offset, once it
// is decided, and how many discs say the same as this one.
func (l *Library) Saw(id ID, s Sighting) (Fact[int], int, error) {
	if s.Samples < -mostOffset || s.Samples > mostOffset {
		return Fact[int]{}, 0, fmt.Errorf("a read offset of %d samples is none", s.Samples)
	}
	e := entry{Vendor: id.Vendor, Product: id.Product, Revision: id.Revision, Variant: id.Variant}
	if t, err := readTable(l.File(id)); err == nil && t.only(id) {
		e = t.Drives[0]
	}
	e.Seen = slices.DeleteFunc(e.Seen, func(x Sighting) bool { return x.Disc == s.Disc && !(x.Proven && !s.Proven) })
	if !slices.ContainsFunc(e.Seen, func(x Sighting) bool { return x.Disc == s.Disc }) {
		e.Seen = append(e.Seen, s)
	}
	e.Seen = e.Seen[max(0, len(e.Seen)-mostSightings):]
	e.Offset = decided(e.Seen)
	return fact(e.Offset, Remembered, nil), discsAt(e.Seen, s.Samples), l.keep(id, e)
}

// decided returns the offset that discs agree on, or nil.
func decided(seen []Sighting) *int {
	for _, s := range slices.Backward(seen) {
		if s.Proven {
			return &s.Samples
		}
	}
	var best *int
	most, tie := agreeingDiscs-1, false
	for i, s := range seen {
		n := discsAt(seen, s.Samples)
		switch {
		case n > most:
			best, most, tie = &seen[i].Samples, n, false
		case n == most && best != nil && s.Samples != *best:
			tie = true
		}
	}
	if tie {
		return nil
	}
	return best
}

// discsAt counts the discs that state an offset.
func discsAt(seen []Sighting, samples int) int {
	n := 0
	for _, s := range seen {
		if s.Samples == samples {
			n++
		}
	}
	return n
}
