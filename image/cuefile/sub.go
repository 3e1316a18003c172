package cuefile

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// withSub gives an image the sub-channels in the file that has the name of its sheet, if there
// is one: 96 de-interleaved bytes for each sector of the tracks, as a rip saves them, and as
// CloneCD does. A sheet has no line for it, so only a file that fits is believed to be one. One
// that was cut short is, where what is left of it fits.
func (o *opener) withSub(ctx context.Context, img disc.Image, c *format.Completer) (disc.Image, error) {
	if o.main.Path == "" || img.Subchannels() != nil {
		return img, nil
	}
	path, err := format.FindCompanion(o.dir, filepath.Base(format.Stem(o.main.Path))+".sub")
	if errors.Is(err, os.ErrNotExist) {
		return img, nil
	}
	if err != nil {
		return nil, err
	}
	sub, err := o.main.OpenCompanion(ctx, path)
	if err == nil && sub.Damage != nil {
		sub.Close()
		err = sub.Damage
	}
	if err != nil {
		return nil, err
	}
	remark := format.Remark{Kind: format.OtherSub, File: path, Have: sub.Size, Want: int64(c.Layout.Sectors()) * cdsector.SubSize}
	fits := false
	if remark.Have <= remark.Want && (remark.Have < remark.Want || !sub.Cut) {
		if fits, err = agrees(ctx, c.Layout, sub, int(remark.Have/cdsector.SubSize)); err != nil {
			sub.Close()
			return nil, err
		}
		if remark.Have == remark.Want {
			remark.Kind = format.SubOfOther
		}
	}
	if !fits {
		o.main.Remark(remark)
		return img, sub.Close()
	}
	o.keep(path, sub)
	for i := range c.Extents {
		e := &c.Extents[i]
		// Sectors that were not read have zeros there.
		e.Sub = &disc.SubExtent{Source: sub.ReaderAt, Offset: int64(sectorsBefore(c.Layout, e.First)) * cdsector.SubSize, Blank: true}
	}
	c.Complete(sub, sub.ReaderAt, sub.Size, o.main)
	return c.Image(o.files, o.closers)
}

// sectorsBefore counts the sectors of tracks before an address.
func sectorsBefore(l *disc.Layout, a disc.LBA) int {
	n := 0
	for _, t := range l.Tracks() {
		if a > t.Begin() {
			n += int(min(a, t.End) - t.Begin())
		}
	}
	return n
}

// How much of a file of sub-channels is looked at to tell whether it belongs to a layout. The
// catalogue number stands in one of 100 sectors (ECMA-130 22.3.4).
const (
	subPlaces = 16
	subLength = 128 // sectors at each
)

// agrees reports whether what the Q of sub-channels states is what the layout does, at places
// spread over the disc: some sectors may be wrong, on purpose or by damage, and the sheet may
// not say where a pregap begins; but not most. The file has the sub-channels of total sectors.
func agrees(ctx context.Context, l *disc.Layout, sub io.ReaderAt, total int) (bool, error) {
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
