package rip

import (
	"context"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
)

// An edge is what is known of reading over one end of the disc, into its lead-in or
// lead-out.
type edge uint8

const (
	edgeUntried edge = iota
	edgeRead         // samples came from there
	edgeRefused      // the drive does not read there, or not well
)

// overread fills what of raw, which holds the sectors from first to end, lies before the
// disc or behind it. Some drives read a little of the lead-in and lead-out, where the first
// or the last samples lie for a drive with a read offset. One that does not is asked once;
// what it does not give stays silence.
func (r *reader) overread(ctx context.Context, raw []byte, first, end disc.LBA) {
	last := r.disc.Layout.End()
	for side, part := range [...]struct{ from, to disc.LBA }{{first, min(end, 0)}, {max(first, last), end}} {
		if part.from >= part.to || r.edges[side] == edgeRefused || !r.audioAtEdge(side) {
			continue
		}
		stride := r.plan.caps.Stride(drive.Audio)
		p := raw[int(part.from-first)*stride : int(part.to-first)*stride]
		r.edges[side] = edgeRead
		if r.drive.Read(ctx, p, part.from, int(part.to-part.from), drive.Audio) != nil || !r.clean(p, stride) {
			clear(p)
			r.edges[side] = edgeRefused
		}
	}
}

// audioAtEdge reports whether the disc begins, or ends, with audio.
func (r *reader) audioAtEdge(side int) bool {
	rs := r.plan.regions
	g := &rs[0]
	if side == 1 {
		g = &rs[len(rs)-1]
	}
	return g.coding == drive.Audio
}

// clean reports whether no error pointer is set in sectors of audio.
func (r *reader) clean(p []byte, stride int) bool {
	for ; len(p) >= stride; p = p[stride:] {
		if !allZero(p[cdsector.Size:stride]) {
			return false
		}
	}
	return true
}

// overreads reports whether the samples that an offset correction puts beyond the end of
// the disc were read.
func (r *reader) overreads() bool {
	side := 0
	if r.plan.offset > 0 {
		side = 1
	}
	return r.plan.offset != 0 && r.edges[side] == edgeRead
}

// noteSilence says how many samples an offset correction puts out of reach.
func (r *reader) noteSilence() {
	switch n := int64(r.plan.offset); {
	case r.overreads(), !r.plan.regions.hasAudio():
	case n > 0:
		r.opts.Observer.Note(Note{Code: NoteOffsetEnd, Count: n})
	case n < 0:
		r.opts.Observer.Note(Note{Code: NoteOffsetStart, Count: -n})
	}
}
