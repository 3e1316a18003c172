package rip

import (
	"context"
	"errors"
	"slices"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
)

// The pause before a pass of retrying, which lets the drive recover: it doubles
// with each pass.
const (
	firstPause = time.Second
	mostPause  = 30 * time.Second
)

// retryPasses reads the bad sectors again: each pass slower than the one before,
// after a longer pause, and from the other side.
func (r *reader) retryPasses(ctx context.Context) error {
	r.lastGood = r.clock().Now()
	passes := r.opts.Retries
	if passes == 0 && len(r.leftOver) > 0 {
		passes = 1
	}
	if passes > 0 {
		r.nameFiles()
	}
	pause := firstPause
	for pass := 1; pass <= passes; pass++ {
		sectors := r.worthRetrying()
		if len(sectors) == 0 {
			break
		}
		r.setPhase(Retrying, mapfile.Bad, pass)
		if len(r.speeds) > 0 {
			r.setSpeed(ctx, r.speeds[min(pass, len(r.speeds)-1)])
		}
		if err := r.pause(ctx, pause); err != nil {
			return err
		}
		r.lastGood = r.lastGood.Add(pause) // which is no failure
		pause = min(2*pause, mostPause)
		r.emptyBuffer(ctx, sectors)
		if pass%2 == 1 {
			slices.Reverse(sectors)
		}
		if err := r.retryPass(ctx, sectors); err != nil {
			return err
		}
	}
	return nil
}

// worthRetrying lists the sectors that the next pass reads: without retries, those that an earlier run
// left over.
func (r *reader) worthRetrying() []sectorRef {
	if r.opts.Retries == 0 {
		return r.leftOver
	}
	return r.badSectors(unread, flawed, readOnce)
}

// emptyBuffer drives what a pass is to read out of the drive's buffer. Each pass reads each sector once: what the
// buffer had before it is what counts.
func (r *reader) emptyBuffer(ctx context.Context, sectors []sectorRef) {
	if i := slices.IndexFunc(sectors, func(s sectorRef) bool { return r.mayBeBuffered(s.g, s.at) }); i >= 0 {
		r.defeatCache(ctx, sectors[i].at)
	}
}

// retryPass reads bad sectors once more, in every way that may win them, and decides what their readings show.
func (r *reader) retryPass(ctx context.Context, sectors []sectorRef) error {
	r.vitalFirst(sectors)
	r.damage.Of = run(sectors).count()
	if err := r.eachRun(sectors, func(s sectorRef) (bool, error) { return r.retry(ctx, s) }); err != nil {
		return err
	}
	if err := r.evidencePass(ctx, sectors); err != nil {
		return err
	}
	if err := r.audioPass(ctx, sectors); err != nil {
		return err
	}
	if err := r.confirm(ctx); err != nil {
		return err
	}
	r.votePass(sectors)
	return r.repairPass(ctx)
}

// A sectorRef is a bad sector, or some that failed together.
type sectorRef struct {
	g  *region
	at disc.LBA
	n  int
}

// maxRetried bounds the list of sectors of one pass.
const maxRetried = 1 << 20

// badSectors lists the sectors in one of the states that reading again may help.
func (r *reader) badSectors(states ...mapfile.Status) []sectorRef {
	var all []sectorRef
	for _, b := range r.plan.ofAsked(r.tracker.snapshot(), mapfile.NonTried).Blocks() {
		if !slices.Contains(states, b.Status) {
			continue
		}
		for pos := b.Pos; pos < b.End() && len(all) < maxRetried; {
			g := r.plan.regions.find(pos)
			n := r.sameBlock(g, pos, b)
			if b.Status == unread || !r.plan.displaces(g) {
				all = append(all, sectorRef{g, g.at(pos), n})
			}
			pos += int64(n * g.size)
		}
	}
	return all
}

// retry reads a bad sector once more, and reports whether that was of use. Where one reading proves nothing, it is
// compared with the one that the image holds, if it holds one.
func (r *reader) retry(ctx context.Context, s sectorRef) (won bool, err error) {
	if s.n > 1 {
		return r.retryBlock(ctx, s)
	}
	g, at := s.g, s.at
	defer func() { r.damage.Tried++ }()
	if r.refusals.has(g.position(at)) {
		return true, nil // the drive will not think better of it; that says nothing of others
	}
	what := firstReading
	r.keepImage(g, at)
	if r.cache.way == byFlush && r.mayBeBuffered(g, at) {
		r.defeatCache(ctx, at)
	}
	if r.plan.provesNothing(g) && r.tracker.at(g.position(at)) != unread {
		what = secondReading
	}
	err = r.read(ctx, g, at, 1, what)
	var failed *sectorsError
	if err != nil && !errors.As(err, &failed) {
		return false, err
	}
	if drive.Classify(err) == drive.Protected {
		r.refusals.add(g, at, r.plan.regions.size())
	}
	r.sink.drain()
	if r.tracker.at(g.position(at)) == mapfile.Finished {
		r.lastGood = r.clock().Now()
		return true, nil
	}
	return err == nil && g.coding == drive.Audio, nil // it may be voted on
}
