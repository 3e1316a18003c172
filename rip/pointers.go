package rip

import (
	"bytes"
	"context"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi/mmc"
)

// Error pointers (C2) are believed as long as they hold: a drive that took a form of them
// at first is known to fail in it later, or to flag good sectors.

// mostFlagged is how many batches in a row may come mostly flagged, and the same when they
// are read again, before the pointers are given up.
const mostFlagged = 3

// audioFailed is what becomes of audio that could not be read with error pointers. Where it
// comes without them, they are given up: again is true.
func (r *reader) audioFailed(ctx context.Context, g *region, at disc.LBA, n int) (again bool) {
	if g.coding != drive.Audio || r.plan.caps.C2 == mmc.NoC2 || ctx.Err() != nil {
		return false
	}
	plain := drive.Reader{Drive: r.drive.Drive, Caps: withoutPointers(r.plan.caps)}
	if plain.Read(ctx, make([]byte, n*plain.Caps.Stride(drive.Audio)), at, n, drive.Audio) != nil {
		return false
	}
	r.dropPointers()
	return true
}

func withoutPointers(c drive.ReadCaps) drive.ReadCaps {
	c.C2, c.SubFirst = mmc.NoC2, false
	return c
}

// watchPointers looks at the error pointers of audio that came. Sectors that are bad come
// differently when they are read again; those that come the same, again and again, are
// flagged wrongly.
func (r *reader) watchPointers(ctx context.Context, b *batch) {
	caps := r.plan.caps
	if b.r.coding != drive.Audio || caps.C2 == mmc.NoC2 || b.n < 2 {
		return
	}
	stride, flagged := caps.Stride(drive.Audio), 0
	for i := range b.n {
		if c2, _ := caps.Split(b.buf[i*stride:][:stride], drive.Audio); !allZero(c2) {
			flagged++
		}
	}
	switch {
	case flagged*2 <= b.n:
		r.flagged = 0
	case r.cameAgain(ctx, b, stride):
		r.flagged++
	}
	if r.flagged >= mostFlagged {
		r.dropPointers()
	}
}

// cameAgain reports whether the sound of a batch comes from the disc as it came before.
func (r *reader) cameAgain(ctx context.Context, b *batch, stride int) bool {
	again := &batch{}
	again.prepare(r.plan, b.r, b.at, b.n)
	r.defeatCache(ctx, b.at)
	if r.fetch(ctx, again) != nil {
		return false
	}
	for i := range b.n {
		if !bytes.Equal(b.buf[i*stride:][:cdsector.Size], again.buf[i*stride:][:cdsector.Size]) {
			return false
		}
	}
	return true
}

// dropPointers goes on without error pointers. Where audio is read twice, what they said of
// sectors counts no more.
func (r *reader) dropPointers() {
	r.sink.drain()
	r.plan.caps = withoutPointers(r.plan.caps)
	r.drive.Caps = r.plan.caps
	if r.plan.readTwice {
		r.eachAudio(func(g *region) { r.tracker.replace(g.pos, g.bytes(), flawed, readOnce) })
	}
	r.opts.Observer.Note(Note{Code: NoteC2Dropped})
}

// countReadings sees to it that audio of an earlier run is finished when it was read as
// often as it is in this one, and that what a drive gave some samples off is read anew.
func (r *reader) countReadings(earlier *state) {
	replace := func(old, with mapfile.Status) {
		r.eachAudio(func(g *region) { r.tracker.replace(g.pos, g.bytes(), old, with) })
	}
	switch {
	case r.plan.readTwice && !earlier.Twice:
		replace(mapfile.Finished, readOnce)
	case !r.plan.readTwice && !r.plan.displaced:
		replace(readOnce, mapfile.Finished)
	}
	if earlier.Displaced && !r.plan.displaced {
		replace(flawed, mapfile.NonTried)
	}
}

func (r *reader) eachAudio(do func(g *region)) {
	for i := range r.plan.regions {
		if g := &r.plan.regions[i]; g.coding == drive.Audio && g.void == notVoid {
			do(g)
		}
	}
}

// readPadded reads audio whose bytes not every adapter passes on together with some of its
// neighbours. ok is false where that cannot be, or fails.
func (r *reader) readPadded(ctx context.Context, b *batch) (ok bool) {
	const most = 16
	stride := r.plan.caps.Stride(b.r.coding)
	n := b.n
	for drive.Tidy(n, stride) != n {
		if n++; n > b.n+most || n > b.r.count {
			return false
		}
	}
	first := max(b.r.first, min(b.at, b.r.last()-disc.LBA(n)))
	if cap(b.raw) < n*stride {
		b.raw = make([]byte, n*stride)
	}
	raw := b.raw[:n*stride]
	if r.drive.Read(ctx, raw, first, n, b.r.coding) != nil {
		return false
	}
	copy(b.buf[:b.n*stride], raw[int(b.at-first)*stride:])
	return true
}
