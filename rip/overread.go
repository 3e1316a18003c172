package rip

import (
	"bytes"
	"context"
	"errors"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
)

// An edge is what is known of reading over one end of the disc, into its lead-in or
// lead-out.
type edge uint8

const (
	edgeUntried     edge = iota
	edgeInterrupted      // a reset or other news came between: it is tried once more
	edgeRead             // samples came from there
	edgeRefused          // the drive does not read there, or not well
)

// overread fills what of raw, which holds the sectors from first to end, lies before the
// disc or behind it. Some drives read a little of the lead-in and lead-out, where the first
// or the last samples lie for a drive with a read offset. One that does not is asked once;
// what it does not give stays silence. The error is one that is not of these sectors: the
// batch is to be read again, or not at all.
func (r *reader) overread(ctx context.Context, raw []byte, first, end disc.LBA) error {
	last := r.disc.Layout.End()
	stride := r.plan.caps.Stride(drive.Audio)
	at := func(a disc.LBA) []byte { // a sector in raw, or nil
		if a < first || a >= end {
			return nil
		}
		return raw[int(a-first)*stride:][:stride]
	}
	for side, part := range [...]struct{ from, to, beside disc.LBA }{{first, min(end, 0), 0}, {max(first, last), end, last - 1}} {
		if part.from >= part.to || r.edges[side] == edgeRefused || !r.audioAtEdge(side) {
			continue
		}
		p := raw[int(part.from-first)*stride : int(part.to-first)*stride]
		err := r.readEdge(ctx, p, part.from, at(part.beside))
		switch {
		case err == nil && allZero(p): // silence, read or not
		case err == nil:
			r.setEdge(side, edgeRead)
		case aside(ctx, err) && r.edges[side] != edgeInterrupted:
			r.setEdge(side, edgeInterrupted)
			return err
		default:
			clear(p)
			r.setEdge(side, edgeRefused)
		}
	}
	return nil
}

// setEdge notes what is known of an edge, also for a rip that is resumed.
func (r *reader) setEdge(side int, e edge) {
	if r.edges[side] = e; side == r.offsetSide() {
		r.sink.overread(r.overreads())
	}
}

// aside reports whether an error says nothing of the sectors that were asked for.
func aside(ctx context.Context, err error) bool {
	switch drive.Classify(err) {
	case drive.Busy, drive.NotReady, drive.NoMedium, drive.Attention, drive.Changed, drive.Gone, drive.Canceled:
		return true
	}
	return ctx.Err() != nil
}

// errEdge: what a drive gives for sectors beyond the disc is not what lies there.
var errEdge = errors.New("rip: the sectors beyond the disc are not read")

// readEdge reads sectors beyond the disc. Drives are known that give something for them,
// such as the last sector once more: what comes has to come twice, without error pointers, and may
// not be one sector again and again. beside is the sector of the disc next to them, or nil.
func (r *reader) readEdge(ctx context.Context, p []byte, from disc.LBA, beside []byte) error {
	stride := r.plan.caps.Stride(drive.Audio)
	again := make([]byte, len(p))
	for _, b := range [...][]byte{p, again} {
		if err := r.drive.Read(ctx, b, from, len(b)/stride, drive.Audio); err != nil {
			return err
		}
		if !r.clean(b, stride) {
			return errEdge
		}
	}
	if !sameAudio(p, again, stride) {
		return errEdge
	}
	if beside == nil && len(p) > stride {
		beside = p[:stride]
		again = again[stride:]
	}
	for i := 0; beside != nil && i < len(again); i += stride {
		if s := again[i:][:cdsector.Size]; !allZero(s) && bytes.Equal(s, beside[:cdsector.Size]) {
			return errEdge
		}
	}
	return nil
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

// sameAudio reports whether sectors hold the same samples.
func sameAudio(a, b []byte, stride int) bool {
	for i := 0; i+stride <= len(a); i += stride {
		if !bytes.Equal(a[i:][:cdsector.Size], b[i:][:cdsector.Size]) {
			return false
		}
	}
	return true
}

// overreads reports whether the samples that an offset correction puts beyond the end of
// the disc were read.
func (r *reader) overreads() bool {
	switch r.edges[r.offsetSide()] {
	case edgeRead:
		return r.plan.offset != 0
	case edgeRefused:
		return false
	}
	return r.overreadBefore
}

// edgeLeftOut reports whether the end of the disc that an offset correction reads over is not asked for, or is
// as another drive read it.
func (r *reader) edgeLeftOut() bool { return r.edgeHeld || r.plan.leavesOut(r.offsetEdge()) }

// offsetEdge is the sector at the end of the disc beyond which an offset correction needs samples.
func (r *reader) offsetEdge() disc.LBA {
	if r.offsetSide() == 0 {
		return r.plan.regions[0].first
	}
	return r.disc.Layout.End() - 1
}

// offsetSide is the end of the disc beyond which an offset correction needs samples.
func (r *reader) offsetSide() int {
	if r.plan.offset > 0 {
		return 1
	}
	return 0
}

// noteSilence says how many samples an offset correction puts out of reach.
func (r *reader) noteSilence() {
	switch n := int64(r.plan.offset); {
	case r.overreads(), !r.plan.regions.hasAudio(), r.edgeLeftOut():
	case n > 0:
		r.opts.Observer.Note(Note{Code: NoteOffsetEnd, Count: n})
	case n < 0:
		r.opts.Observer.Note(Note{Code: NoteOffsetStart, Count: -n})
	}
}
