package scram

import (
	"bytes"
	"errors"
	"io"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// What redumper states of a sample: a byte each. The others were read, in one way or another.
const (
	stateSkipped = 0 // it was not read
	stateC2      = 1 // with an error
	stateRead    = 4 // all is well, as for most
)

const (
	statesOfSector = cdsector.Size / sampleSize
	c2OfSector     = cdsector.Size / 8 // a bit for each byte
)

// flaws are the sectors that were not read, or with errors. The offset is that of the dump, in bytes.
func (o *opener) flaws(l *disc.Layout, offset int64) (disc.Flaws, error) {
	if o.program.state == ".c2" {
		known, err := o.eachState(l, c2OfSector, 0, func(b []byte, a disc.LBA) (disc.Flaw, bool) {
			// They are displaced by the offset of the drive, which nothing says: it may be the sector
			// before or behind.
			return disc.Flaw{First: max(0, a-1), Count: 3, Kind: disc.ReadWithErrors}, len(bytes.Trim(b, "\x00")) > 0
		})
		return known.Union(o.unstated(l, c2OfSector, 0)), err
	}
	o.unstated(l, statesOfSector, offset/sampleSize) // what is not stated counts as skipped
	good := bytes.Repeat([]byte{stateRead}, statesOfSector)
	return o.eachState(l, statesOfSector, offset/sampleSize, func(b []byte, a disc.LBA) (disc.Flaw, bool) {
		if bytes.Equal(b, good) {
			return disc.Flaw{}, false
		}
		skipped := bytes.Count(b, []byte{stateSkipped})
		switch {
		case skipped == len(b):
			return disc.Flaw{First: a, Count: 1, Kind: disc.Unread}, true
		case skipped > 0 || bytes.IndexByte(b, stateC2) >= 0:
			return disc.Flaw{First: a, Count: 1, Kind: disc.ReadWithErrors}, true
		}
		return disc.Flaw{}, false
	})
}

// unstated remarks that the file ends before the last sector of which it has so many bytes, displaced by shift
// bytes. It returns the sectors of which nothing is stated.
func (o *opener) unstated(l *disc.Layout, size int, shift int64) disc.Flaws {
	var all []disc.Flaw
	need := int64(0)
	for _, t := range l.Tracks() {
		need = int64(t.End-o.program.first)*int64(size) + shift
		whole := o.program.first + disc.LBA((o.state.Size-shift)/int64(size)) // behind the last that is stated
		if first := max(t.Begin(), whole); first < t.End {
			all = append(all, disc.Flaw{First: first, Count: int(t.End - first), Kind: disc.Unproven})
		}
	}
	if o.state.Size < need || o.state.Cut {
		o.main.Remark(format.Remark{Kind: format.CutShort, File: o.state.Path, Have: o.state.Size, Want: max(need, o.state.Size)})
	}
	return disc.FlawsOf(all...)
}

// eachState reads what is stated of each sector, so many bytes, displaced by shift bytes. What the file does
// not have are zeros.
func (o *opener) eachState(l *disc.Layout, size int, shift int64, judge func([]byte, disc.LBA) (disc.Flaw, bool)) (disc.Flaws, error) {
	const batch = 1024
	buf := make([]byte, batch*size)
	var all []disc.Flaw
	for _, t := range l.Tracks() {
		for a := t.Begin(); a < t.End; a += batch {
			if err := o.ctx.Err(); err != nil {
				return nil, err
			}
			b := buf[:size*int(min(batch, t.End-a))]
			at := int64(a-o.program.first)*int64(size) + shift
			before := int(max(0, min(-at, int64(len(b)))))
			clear(b[:before])
			n, err := o.state.ReadAt(b[before:], at+int64(before))
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			clear(b[before+n:])
			for i := 0; i < len(b); i += size {
				if x, ok := judge(b[i:i+size], a+disc.LBA(i/size)); ok {
					all = append(all, x)
				}
			}
		}
	}
	// A flaw of the neighbour of a track's edge may be in a gap between sessions: it does not count there.
	var flaws disc.Flaws
	found := disc.FlawsOf(all...)
	for _, t := range l.Tracks() {
		flaws = flaws.Union(found.Clip(t.Begin(), t.End))
	}
	return flaws, nil
}
