package rip

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
)

// Drives give audio some samples early or late, each model by a number of its own: its read offset. So another
// drive than the one that a rip was begun with gives the same audio at another place, and what differs in audio may
// still be the same disc.

// apartSectors is the most by which the audio of two drives is taken to lie apart, in sectors; so much is also left
// out where audio begins and ends, for there one of them may have given silence.
const apartSectors = 5

// How much audio is looked at to find how far apart two drives are.
const (
	alignPlaces  = 32
	alignSectors = 4 // at each place
)

// ErrShifted means that the disc is the one that the rip was begun with, but that the drive gives its audio earlier
// or later. It comes in a [*ShiftedError].
var ErrShifted = errors.New("this drive gives the audio of the disc at another place")

// A ShiftedError says by how many samples audio comes later than it came before (earlier: less than 0).
type ShiftedError struct{ Samples int }

func (e *ShiftedError) Error() string { return fmt.Sprintf("%s (%+d samples)", ErrShifted, e.Samples) }
func (e *ShiftedError) Unwrap() error { return ErrShifted }

// An audioError is that audio differs from what was read before.
type audioError struct{ at disc.LBA }

func (e *audioError) Error() string {
	return fmt.Sprintf("%s (its audio differs at sector %d)", ErrOtherAudio, e.at)
}
func (e *audioError) Unwrap() error { return ErrOtherAudio }

// compareAligned compares what a map says was read before, with an offset correction of begun samples. Where all audio
// that is compared comes by the same number of samples earlier or later, the plan is changed so that it is read to where
// it came before. Audio read with another correction has to be exactly the same.
func (r *reader) compareAligned(ctx context.Context, m *mapfile.Map, was earlierImage, begun int) error {
	r.plan.apart = r.plan.apart || begun != r.opts.Offset && r.plan.regions.hasAudio()
	err := r.compare(ctx, m, was)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case begun != r.opts.Offset || !errors.As(err, new(*audioError)) || r.plan.displaced:
		return err
	}
	shift, failed := r.findShift(ctx, m, was)
	if failed != nil {
		return failed
	}
	if shift == 0 {
		return err
	}
	if r.opts.Subchannel {
		return &ShiftedError{Samples: shift}
	}
	offset, apart, before := r.plan.offset, r.plan.apart, r.plan.shift
	r.plan.offset, r.plan.apart, r.plan.shift = offset+shift, true, before+shift
	switch again := r.compare(ctx, m, was); {
	case again == nil:
		edge := r.plan.regions.audioAt(r.offsetEdge())
		r.edgeHeld = edge == nil || m.At(edge.position(r.offsetEdge())) == mapfile.Finished
		r.opts.Observer.Note(Note{Code: NoteShifted, Count: int64(shift)})
		return nil
	case !errors.Is(again, ErrOtherDisc) && !errors.Is(again, ErrUndecided):
		err = again
	}
	r.plan.offset, r.plan.apart, r.plan.shift = offset, apart, before
	return err
}

// leaveOutEnds leaves audio out of a comparison that lies where audio begins and ends.
func (c *comparison) leaveOutEnds() {
	rs := c.reader.plan.regions
	for i := range rs {
		g := &rs[i]
		if g.coding != drive.Audio {
			continue
		}
		low, high := rs.audioAround(g)
		for _, x := range []drive.Stretch{{First: low, End: low + apartSectors}, {First: high - apartSectors, End: high}} {
			c.reader.eachIn(x, func(pos, size int64) { c.m.Set(pos, size, flawed) })
		}
	}
}

// findShift returns by how many samples all audio comes later than it came before, or 0: it does not, or some of it comes
// by another number, or it is silent or repeats itself, so that there is no one number.
func (r *reader) findShift(ctx context.Context, m *mapfile.Map, was earlierImage) (int, error) {
	r.comparing = true
	defer func() { r.comparing = false }()
	c := newComparison(r, m, was)
	c.leaveOutEnds()
	for i := range r.plan.regions {
		if g := &r.plan.regions[i]; g.coding != drive.Audio || g.void != notVoid {
			c.m.Set(g.pos, g.bytes(), flawed)
		}
	}
	done := c.m.Count(mapfile.Finished)
	shift, agree, last := 0, 0, int64(-1)
	for i := range int64(alignPlaces) {
		pos, ok := nthFinished(c.m, done/alignPlaces*i)
		if !ok {
			break
		}
		if pos = c.telling(pos, done/alignPlaces); pos <= last {
			continue
		}
		last = pos
		found, err := c.shiftAt(ctx, pos)
		switch {
		case err != nil:
			return 0, err
		case found == 0:
		case agree > 0 && found != shift:
			return 0, nil
		default:
			shift, agree = found, agree+1
		}
	}
	if agree < leastPlaces {
		return 0, nil
	}
	return shift, nil
}

// shiftAt returns by how many samples the audio at a position comes later than it came before, or 0 where that does
// not show.
func (c *comparison) shiftAt(ctx context.Context, pos int64) (int, error) {
	g := c.reader.plan.regions.find(pos)
	at := g.at(pos)
	pos = g.position(at)
	b, ok := c.m.Next(pos, mapfile.Finished)
	if !ok || b.Pos != pos {
		return 0, nil
	}
	n := min(alignSectors, int(b.Size/int64(g.size)))
	first, end := at-apartSectors, at+disc.LBA(n)+apartSectors
	if first < g.first || end > g.last() {
		return 0, nil
	}
	was := make([]byte, n*g.size)
	if err := c.image.readAt(was, pos); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	now, err := c.window(ctx, g, first, end)
	if err != nil || now == nil || constant(was) {
		return 0, err
	}
	return placeOf(was, now) - apartSectors*samplesPerSector, nil
}

// window reads sectors of audio; it is nil where they do not all come.
func (c *comparison) window(ctx context.Context, g *region, first, end disc.LBA) ([]byte, error) {
	var all []byte
	for at := first; at < end; {
		n := min(int(end-at), c.reader.plan.perCommand(g))
		b := c.reader.sink.take()
		b.prepare(c.reader.plan, g, at, n)
		ok, err := c.fetch(ctx, b)
		if ok {
			b.check(c.reader.plan.caps)
			all = append(all, b.main...)
		}
		c.reader.sink.drop(b)
		if err != nil || !ok {
			return nil, err
		}
		at += disc.LBA(n)
	}
	return all, nil
}

// placeOf returns the one place at which samples lie in others, in samples from their beginning: of several, or of none,
// it returns that of no shift.
func placeOf(was, now []byte) int {
	const none = apartSectors * samplesPerSector
	found := none
	for k := range (len(now)-len(was))/bytesPerSample + 1 {
		if !bytes.Equal(was, now[k*bytesPerSample:][:len(was)]) {
			continue
		}
		if found != none || k == none {
			return none
		}
		found = k
	}
	return found
}
