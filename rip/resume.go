package rip

import (
	"context"
	"fmt"

	"spindle/disc"
	"spindle/image/mapfile"
)

// samples is how many finished sectors are compared before a rip is resumed.
const samples = 4

// compareSamples compares a few finished sectors with the disc, so that a rip is
// not resumed with another pressing of the same TOC.
func (r *reader) compareSamples(ctx context.Context, out *output) error {
	m := r.tracker.snapshot()
	if size := r.plan.regions.size(); m.Size() != size {
		return fmt.Errorf("%w: it is for an image of %d bytes, and this one has %d", mapfile.ErrSyntax, m.Size(), size)
	}
	done := m.Count(mapfile.Finished)
	same := 0
	for i := range int64(samples) {
		pos, ok := nthFinished(m, done*i/samples)
		if !ok {
			break
		}
		g := r.plan.regions.find(pos)
		equal, err := r.sameAsImage(ctx, out, g, g.at(pos))
		if err != nil {
			return err
		}
		if equal {
			same++
		}
	}
	if done > 0 && same == 0 {
		return fmt.Errorf("%w (none of %d sectors that were read before is the same)", ErrOtherDisc, samples)
	}
	return nil
}

// nthFinished returns the position of the n-th finished byte.
func nthFinished(m *mapfile.Map, n int64) (int64, bool) {
	for _, b := range m.Blocks() {
		if b.Status != mapfile.Finished {
			continue
		}
		if n < b.Size {
			return b.Pos + n, true
		}
		n -= b.Size
	}
	return 0, false
}

// sameAsImage reads a sector and compares it with the image. A sector that does
// not read now is no evidence either way.
func (r *reader) sameAsImage(ctx context.Context, out *output, g *region, at disc.LBA) (bool, error) {
	b := r.sink.take()
	defer r.sink.drop(b)
	b.prepare(r.plan, g, at, 1)
	if err := r.fetch(ctx, b); err != nil {
		_, fatal := r.judge(ctx, err)
		return fatal == nil, fatal
	}
	was := make([]byte, g.size)
	if err := out.readAt(was, g.position(at)); err != nil {
		return false, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	b.check(r.plan.caps)
	return string(was) == string(b.main[:g.size]), nil
}
