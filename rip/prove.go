package rip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
)

// A Reading is the audio of a disc after its first reading, for [Options.Prove].
type Reading struct {
	Layout *disc.Layout

	regions  regions
	out      *output
	tracker  *tracker
	votes    *readings
	twice    bool // samples want two equal readings
	compared bool // audio that is still said to be read once came differently
	proven   []drive.Stretch
	jitters  bool
}

// errNotAudio is returned for sectors that are no audio of the image.
var errNotAudio = errors.New("rip: not a sector of audio")

// ReadSectors fills p, a multiple of 2352 bytes, with the sectors from first on as they were
// read, with filler in the place of those that were not.
func (x *Reading) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	for len(p) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		g := x.regions.audioAt(first)
		if g == nil {
			return errNotAudio
		}
		n := min(len(p)/cdsector.Size, int(g.last()-first))
		if n == 0 {
			return errNotAudio
		}
		if err := x.out.readAt(p[:n*cdsector.Size], g.position(first)); err != nil {
			return err
		}
		p, first = p[n*cdsector.Size:], first+disc.LBA(n)
	}
	return nil
}

// audioAt returns the region of audio that a sector is in, or nil.
func (rs regions) audioAt(at disc.LBA) *region {
	for i := range rs {
		if g := &rs[i]; g.coding == drive.Audio && g.void == notVoid && g.first <= at && at < g.last() {
			return g
		}
	}
	return nil
}

// provePass asks what proves the audio beside the drive. What is proven is not read again,
// and what the drive said of it counts no more. What could not be read stays so.
func (r *reader) provePass(ctx context.Context) error {
	if r.opts.Prove == nil || !r.plan.regions.hasAudio() {
		r.sink.proved(nil)
		return nil
	}
	r.setPhase(Proving, readOnce, 1)
	r.sink.drain()
	if r.plan.only != nil {
		if err := r.image.truncate(); err != nil { // what is not asked for may lie behind its end
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
	}
	proven, err := r.opts.Prove(ctx, r.reading())
	if err != nil {
		return err
	}
	r.prove(proven)
	for _, s := range proven {
		r.eachIn(s, func(pos, size int64) {
			r.tracker.replace(pos, size, readOnce, mapfile.Finished)
			r.tracker.replace(pos, size, flawed, mapfile.Finished)
		})
	}
	return nil
}

// prove adds to what is proven.
func (r *reader) prove(more []drive.Stretch) {
	all := append(slices.Clone(r.proven), more...)
	slices.SortFunc(all, func(a, b drive.Stretch) int { return cmp.Compare(a.First, b.First) })
	r.proven = nil
	for _, s := range all {
		if k := len(r.proven) - 1; k >= 0 && r.proven[k].End >= s.First {
			r.proven[k].End = max(r.proven[k].End, s.End)
			continue
		}
		r.proven = append(r.proven, s)
	}
	r.sink.proved(slices.Clone(r.proven)) // before the map may call it finished
}
