package rip

import (
	"context"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi/mmc"
)

// Error pointers (C2) are believed as long as they hold: a drive that took a form of them
// at first is known to fail in it later, or to flag good sectors. Damage is no reason to
// give them up, also where the drive conceals it the same way each time: only when they are
// wrong all over the audio are they wrong.

const (
	// mostFlagged is how many batches in a row may come mostly flagged before the pointers
	// are tried all over the audio.
	mostFlagged = 3
	// mostTrials is how often that is done.
	mostTrials = 8
)

// audioFailed is what becomes of audio that could not be read with error pointers. Where it
// comes without them, and only so wherever it is tried from there on, they are given up:
// again is true.
func (r *reader) audioFailed(ctx context.Context, g *region, at disc.LBA, n int) (again bool) {
	if g.coding != drive.Audio || r.plan.caps.C2 == mmc.NoC2 || ctx.Err() != nil {
		return false
	}
	plain := drive.Reader{Drive: r.drive.Drive, Caps: withoutPointers(r.plan.caps)}
	if plain.Read(ctx, make([]byte, n*plain.Caps.Stride(drive.Audio)), at, n, drive.Audio) != nil {
		return false
	}
	if trial := r.tryPointers(ctx, at); !trial.refused && trial.failed < pointerPlaces {
		return false
	}
	r.dropPointers()
	return true
}

// tryPointers tries the error pointers again. The trial is empty where that is of no use.
func (r *reader) tryPointers(ctx context.Context, from disc.LBA) pointerTrial {
	if r.trials++; r.trials > mostTrials {
		return pointerTrial{}
	}
	trial, err := r.disc.tryPointers(ctx, r.plan.caps, from)
	if err != nil || ctx.Err() != nil {
		return pointerTrial{}
	}
	return trial
}

func withoutPointers(c drive.ReadCaps) drive.ReadCaps {
	c.C2, c.SubFirst = mmc.NoC2, false
	return c
}

// watchPointers looks at the error pointers of audio that came.
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
	if r.flagged++; flagged*2 <= b.n {
		r.flagged = 0
	}
	if r.flagged < mostFlagged {
		return
	}
	r.flagged = 0
	if trial := r.tryPointers(ctx, 0); trial.fail() {
		r.dropPointers()
	}
}

// dropPointers continues without error pointers. Where audio is read twice, what they said of
// sectors counts no more.
func (r *reader) dropPointers() {
	r.sink.drain()
	r.plan.caps = withoutPointers(r.plan.caps)
	r.drive.Caps = r.plan.caps
	r.sink.pointersDropped()
	r.votes = readings{}
	if r.plan.readTwice {
		r.eachAudio(func(g *region) { r.tracker.replace(g.pos, g.bytes(), flawed, readOnce) })
	}
	r.opts.Observer.Note(Note{Code: NoteC2Dropped})
}

// countReadings sees to it that audio of an earlier run is finished when it was read as
// often as it is in this one, and that what a drive gave some samples off is read again.
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

// unprove sees to it that what something else proved to an earlier run is proven to this one,
// or read as the rest is, but for what was repaired: the drive does not give it.
func (r *reader) unprove(earlier *state) {
	again := mapfile.NonTried
	if r.plan.readTwice {
		again = readOnce
	}
	for _, s := range earlier.Proven {
		r.eachIn(s, func(pos, size int64) { r.tracker.replace(pos, size, mapfile.Finished, again) })
	}
	for _, x := range r.repaired {
		r.eachIn(drive.Stretch{First: x.At, End: x.At + 1}, func(pos, size int64) { r.tracker.replace(pos, size, again, mapfile.Finished) })
	}
}

// eachIn calls do for the parts of the image that hold the audio of a stretch.
func (r *reader) eachIn(s drive.Stretch, do func(pos, size int64)) {
	r.eachAudio(func(g *region) {
		if first, end := max(s.First, g.first), min(s.End, g.last()); first < end {
			do(g.position(first), int64(end-first)*int64(g.size))
		}
	})
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
