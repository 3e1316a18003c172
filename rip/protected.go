package rip

import (
	"context"
	"fmt"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
)

// protectedPlaces is how many places over the disc have to be refused before it
// counts as protected as a whole.
const protectedPlaces = 32

// A refusals keeps which sectors the drive refused as protected.
type refusals struct {
	m     *mapfile.Map // of the image: those that are finished; nil: none
	noted bool
}

func (f *refusals) add(g *region, at disc.LBA, size int64) {
	if f.m == nil {
		f.m = mapfile.New(size)
	}
	f.m.Set(g.position(at), int64(g.size), mapfile.Finished)
}

func (f *refusals) has(pos int64) bool {
	return f.m != nil && pos < f.m.Size() && f.m.At(pos) == mapfile.Finished
}

// end returns where what is true of a position ends.
func (f *refusals) end(pos int64) int64 {
	b, _ := f.m.Next(pos, mapfile.Finished, mapfile.NonTried)
	return b.End()
}

// refusedAsProtected is what becomes of a rip when a drive refuses sectors as
// protected: the others are read. Where none are, trying each is pointless.
func (r *reader) refusedAsProtected(ctx context.Context, err error) error {
	if r.refusals.noted || r.comparing {
		return nil
	}
	if t := r.tracker.tally(); !r.given && t.finished+t.once == 0 && r.protectedAllOver(ctx) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w (%w)", ErrProtected, err)
	}
	r.refusals.noted = true
	r.opts.Observer.Note(Note{Code: NoteRefused, Protection: r.disc.Contents.Protection, Err: err})
	return nil
}

// protectedAllOver reports whether places all over the disc are refused.
func (r *reader) protectedAllOver(ctx context.Context) bool {
	rs := r.plan.regions
	b := r.sink.take()
	defer r.sink.drop(b)
	for i := range int64(protectedPlaces) {
		pos := rs.size() / protectedPlaces * i
		g := rs.find(pos)
		b.prepare(r.plan, g, g.at(pos), 1)
		if g.void != notVoid {
			continue
		}
		if drive.Classify(r.fetch(ctx, b)) != drive.Protected {
			return false
		}
	}
	return true
}
