package rip

import (
	"context"
	"errors"
	"fmt"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi/mmc"
)

// Held are sectors that earlier rips read, and that are not in the image, such as songs that others
// are to be added to ([Options.Held]).
type Held struct {
	Offset int             // the offset correction that they were read with
	Codes  *disc.Layout    // the tracks, with the ISRCs that are known
	MCN    string          // the catalogue number, or ""
	Good   []drive.Stretch // the sectors that are held, but for:
	Once   []drive.Stretch // those that were read once, and may be wrong
	// Same, unless nil, is called when the disc is that of what is held, before anything else is read.
	Same func()
	// Read fills p with the sectors from first on, of 2352 bytes, or of 2048 for an ISO: all of them are held.
	Read func(p []byte, first disc.LBA) error
}

// ErrHeld means that what is wrong is about the sectors that are held elsewhere.
var ErrHeld = errors.New("what is there")

// compareHeld compares what is held elsewhere with the disc. Nothing is changed before that.
func (j *job) compareHeld(ctx context.Context, r *reader) error {
	h := j.opts.Held
	if h == nil {
		return nil
	}
	err := r.disc.identifier().compare(ctx, &identity{MCN: h.MCN}, h.Codes)
	if err == nil {
		m := mapfile.New(r.plan.regions.size())
		mark := func(runs []drive.Stretch, as mapfile.Status) {
			for _, s := range r.plan.regions.spans(runs) {
				m.Set(s.pos, s.end-s.pos, as)
			}
		}
		mark(h.Good, mapfile.Finished)
		mark(h.Once, readOnce)
		if m.Count(mapfile.NonTried) == m.Size() && !j.opts.SameDisc {
			return fmt.Errorf("%w: %w (nothing of it)", ErrHeld, ErrUndecided)
		}
		err = r.compareAligned(ctx, m, heldSectors{h, r.plan.regions}, h.Offset)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", ErrHeld, err)
	}
	if err == nil && h.Same != nil {
		h.Same()
	}
	return err
}

// CompareHeld compares what [Options.Held] holds with the disc in a drive, as [Rip] does before it
// reads, and makes nothing. An error for another disc wraps [ErrHeld] and [ErrOtherDisc], one for
// a disc of which too little could be compared [ErrHeld] and [ErrUndecided].
func CompareHeld(ctx context.Context, d *mmc.Drive, opts Options) error {
	opts.Observer = silent{}
	j := job{drive: d, opts: opts, began: d.Clock().Now()}
	c, err := survey(ctx, d, ExamineOptions{})
	if err != nil {
		return err
	}
	if c.Layout == nil {
		return c.Unread()
	}
	c.leaveOutRunOuts(ctx)
	p, err := j.plan(ctx, c, nil)
	if err != nil {
		return err
	}
	st := newState(c, p, opts, nil)
	return j.compareHeld(ctx, newReader(c, p, opts, newWriter(p, "", st, mapfile.New(p.regions.size()))))
}

// heldSectors are what is held, by its place in the image.
type heldSectors struct {
	*Held
	regions regions
}

func (h heldSectors) readAt(p []byte, pos int64) error {
	return h.Read(p, h.regions.find(pos).at(pos))
}
