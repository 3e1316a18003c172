package rip

import (
	"context"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi/mmc"
)

// The sizes of a drive's buffer, in bytes: where mode page 2Ah does not state it, and
// the most that is believed.
const (
	usualBuffer = 4 << 20
	mostBuffer  = 32 << 20
)

// fromDisc is the least time that a sector takes which is read again from the disc and
// not from the buffer: close to a turn at the highest speed that discs bear, of some
// 10,000 a minute.
const fromDisc = 4 * time.Millisecond

// A cacheWay is how a drive is brought to read a sector from the disc again.
type cacheWay uint8

const (
	unknownWay cacheWay = iota
	byFlush             // a READ (12) that forces unit access empties the buffer
	byReading           // other sectors push the old ones out
	byStopping          // the disc is smaller than the buffer: it is stopped
)

// A cache is what is known of the drive's buffer.
type cache struct {
	way  cacheWay
	size int64 // bytes
}

// knowCache finds out how the drive's buffer is defeated.
func (r *reader) knowCache(ctx context.Context) {
	if r.cache.way != unknownWay {
		return
	}
	r.cache.size = r.bufferSize(ctx)
	switch {
	case !r.opts.Known.ForcedAccess.Is(false) && r.flushWorks(ctx):
		r.cache.way = byFlush
	case r.plan.regions.size() <= 2*r.cache.size:
		r.cache.way = byStopping
	default:
		r.cache.way = byReading
	}
}

// bufferSize asks for the size of the buffer, once. What is known of it counts where it is
// more.
func (r *reader) bufferSize(ctx context.Context) int64 {
	if r.cache.size > 0 {
		return r.cache.size
	}
	size := int64(usualBuffer)
	if caps, err := r.drive.Drive.Capabilities(ctx); err == nil && caps.BufferSize > 0 {
		size = int64(caps.BufferSize) << 10
	}
	return min(max(size, int64(r.opts.Known.Cache.Value)), mostBuffer)
}

// flushTries is how many times it is tried whether the buffer is emptied.
const flushTries = 3

// flushWorks tries whether the drive takes the command that empties its buffer, and
// whether a sector takes the time of one from the disc afterwards, each time, and less
// without it: a slow bus, or a busy machine, is no disc.
func (r *reader) flushWorks(ctx context.Context) bool {
	block, ok := r.tracker.next(0, mapfile.Finished)
	if !ok {
		block, ok = r.tracker.next(0, readOnce)
	}
	if !ok {
		return false
	}
	g := r.plan.regions.find(block.Pos)
	at := g.at(block.Pos)
	b := r.sink.take()
	defer r.sink.drop(b)
	b.prepare(r.plan, g, at, 1)
	if g.void != notVoid || r.fetch(ctx, b) != nil {
		return false
	}
	for range flushTries {
		if r.slow(ctx, b) || r.drive.Drive.DropBuffer(ctx, at) != nil || !r.slow(ctx, b) {
			return false
		}
	}
	return true
}

// slow reports whether sectors came, and took as long as from the disc.
func (r *reader) slow(ctx context.Context, b *batch) bool {
	begin := r.clock().Now()
	return r.fetch(ctx, b) == nil && r.clock().Now().Sub(begin) >= fromDisc
}

// defeatCache sees to it that the next read of a sector comes from the disc and not
// from the drive's buffer. Its own success does not matter.
func (r *reader) defeatCache(ctx context.Context, at disc.LBA) {
	r.knowCache(ctx)
	switch r.cache.way {
	case byFlush:
		if r.drive.Drive.DropBuffer(ctx, at) == nil {
			return
		}
		r.cache.way = byReading
		if r.plan.regions.size() <= 2*r.cache.size {
			r.cache.way = byStopping
		}
		r.defeatCache(ctx, at)
	case byStopping:
		r.stopDisc(ctx)
	default:
		if !r.readElsewhere(ctx, at) && ctx.Err() == nil {
			r.stopDisc(ctx)
		}
	}
}

// stopDisc stops the disc and starts it again: what a drive holds of it is lost.
func (r *reader) stopDisc(ctx context.Context) {
	if r.drive.Drive.StartStop(ctx, mmc.Stop) != nil {
		return
	}
	_ = r.drive.Drive.StartStop(ctx, mmc.Start)
	_ = drive.WaitReady(ctx, r.drive.Drive, drive.ReadyLimit)
}

// elsewherePlaces is how many places are read to fill the buffer: of one that has segments,
// each run of sectors fills only one, and drives have up to 16 (libcdio-paranoia).
const elsewherePlaces = 16

// readElsewhere reads more than the buffer holds, from half the disc away and at many
// places, sectors that are known to be readable. It reports whether there were as many.
func (r *reader) readElsewhere(ctx context.Context, at disc.LBA) bool {
	rs := r.plan.regions
	total := rs.size()
	start := int64(0)
	for i := range rs {
		if g := &rs[i]; at >= g.first && at < g.last() {
			start = g.position(at)
		}
	}
	start = (start + total/2) % total
	need := r.cache.size + r.cache.size/8
	b := r.sink.take()
	defer r.sink.drop(b)
	left := need // what one place is short of, the next ones make up for
	for k := range int64(elsewherePlaces) {
		pos := (start + k*total/elsewherePlaces) % total
		share := left - need*(elsewherePlaces-1-k)/elsewherePlaces
		got, ok := r.readFrom(ctx, b, pos, min(total, pos+total/elsewherePlaces), share)
		if !ok {
			return false // it would cost the time of more bad sectors
		}
		left -= got
	}
	return left <= 0
}

// readFrom reads so many bytes of readable sectors between two positions, or more. It
// returns how many came; ok is false where a sector failed.
func (r *reader) readFrom(ctx context.Context, b *batch, pos, end, want int64) (got int64, ok bool) {
	for got < want && pos < end {
		block, found := r.tracker.next(pos, mapfile.Finished, readOnce)
		if !found || block.Pos >= end || ctx.Err() != nil {
			break
		}
		g, first, n := r.piece(block)
		pos = g.position(first) + int64(n*g.size)
		if g.void != notVoid {
			continue
		}
		b.prepare(r.plan, g, first, n)
		if r.fetch(ctx, b) != nil {
			return got, false
		}
		got += int64(n * g.size)
	}
	return got, true
}
