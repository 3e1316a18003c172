// Package subfile tells whether a file of saved sub-channels, 96 de-interleaved bytes a sector, is one of a disc. A sheet
// has no line for it, so that what else has its suffix, as subtitles do, is recognised by its content.
package subfile

import (
	"context"
	"io"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// How much of a file of sub-channels is looked at to tell whether it belongs to a layout. The
// catalogue number stands in one of 100 sectors (ECMA-130 22.3.4).
const (
	subPlaces = 16
	subLength = 128 // sectors at each
)

// Fits reports whether what the Q of sub-channels states is what the layout does, at places
// spread over the disc: some sectors may be wrong, on purpose or by damage, and the sheet may
// not say where a pregap begins; but not most. The file has size
// bytes, which may be fewer than those of all sectors, and not more.
func Fits(ctx context.Context, l *disc.Layout, sub io.ReaderAt, size int64) (bool, error) {
	if size > int64(l.Sectors())*cdsector.SubSize {
		return false, nil
	}
	total := int(size / cdsector.SubSize)
	var positions, codes tally
	buf := make([]byte, subLength*cdsector.SubSize)
	for i := range subPlaces {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		first := total * i / subPlaces
		n := min(subLength, total*(i+1)/subPlaces-first)
		p := buf[:n*cdsector.SubSize]
		if k, err := sub.ReadAt(p, int64(first)*cdsector.SubSize); k < len(p) {
			return false, err
		}
		for k := range n {
			a, t := sectorAt(l, first+k)
			q, err := cdsector.DecodeQ((*[cdsector.QSize]byte)(p[k*cdsector.SubSize+cdsector.QSize:]))
			switch {
			case err != nil:
			case q.ADR == 1:
				want := l.Q(a)
				positions.count(q.Track == t.Number && q.Abs == a.MSF() && (want.ADR != 1 || q.Rel == want.Rel && (q.Index == 0) == (want.Index == 0)))
			case q.ADR == 2 && l.MCN != "":
				codes.count(q.MCN == l.MCN)
			case q.ADR == 3 && t.ISRC != "":
				codes.count(q.ISRC == t.ISRC)
			}
		}
	}
	return positions.same > 0 && positions.mostly() && codes.mostly(), nil
}

// sectorAt returns the address of the n-th sector of all tracks, and its track.
func sectorAt(l *disc.Layout, n int) (disc.LBA, *disc.Track) {
	for _, t := range l.Tracks() {
		if n < t.Sectors() {
			return t.Begin() + disc.LBA(n), t
		}
		n -= t.Sectors()
	}
	return 0, nil // n is none of them
}

// A tally counts what is the same, and what is not.
type tally struct{ same, other int }

func (t *tally) count(same bool) {
	if same {
		t.same++
	} else {
		t.other++
	}
}

// mostly reports whether at most a quarter is not the same.
func (t *tally) mostly() bool { return 3*t.other <= t.same }
