package rip

import (
	"context"
	"errors"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
)

// leave marks sectors that failed together for later, but for those that came before one that the
// drive names, and that one itself, with those that fail with it.
func (r *reader) leave(ctx context.Context, g *region, at disc.LBA, n int, failed *sectorsError, what intent) error {
	end := at + disc.LBA(n)
	at += disc.LBA(failed.kept)
	r.tracker.set(g.position(at), int64(end-at)*int64(g.size), mapfile.NonTrimmed)
	if bad, ok := r.named(failed, g, at, end); ok && bad == at {
		_, err := r.failBlock(ctx, g, bad, end, what, failed)
		return err
	}
	return nil
}

// named returns the sector of data from at to before end that the drive says failed, where that
// is to be believed.
func (r *reader) named(failed *sectorsError, g *region, at, end disc.LBA) (disc.LBA, bool) {
	if g.coding != drive.Data || drive.Classify(failed) != drive.Sector || r.unwritten(failed) {
		return 0, false
	}
	bad := failedAt(failed)
	if failed.kept > 0 {
		r.truthful = true
	}
	return bad, r.truthful && bad >= at && bad < end
}

// trimPass closes in on the sectors that are really damaged in the blocks that
// failed: first on what is vital, then on both edges of each, which reads what is good there, and then on
// what lies between.
func (r *reader) trimPass(ctx context.Context) error {
	r.setPhase(Trimming, mapfile.NonTrimmed, 1)
	r.lastGood = r.clock().Now()
	if err := r.trimVital(ctx); err != nil {
		return err
	}
	if err := r.learnNaming(ctx); err != nil {
		return err
	}
	for _, b := range r.tracker.snapshot().Blocks() {
		if b.Status != mapfile.NonTrimmed {
			continue
		}
		if err := r.trimEdges(ctx, b); err != nil {
			return err
		}
	}
	r.sink.drain()
	err := r.each(mapfile.NonTrimmed, func(g *region, at disc.LBA, n int) error {
		return r.bisect(ctx, g, at, n, firstReading)
	})
	if err != nil {
		return err
	}
	return r.edgeBlocks(ctx)
}

// learnNaming finds out whether the drive names the sector that failed, with one read that begins before damage. Where
// damage begins with the commands, as whole ECC blocks do, no other shows it, and each block costs two reads that fail.
func (r *reader) learnNaming(ctx context.Context) error {
	if r.truthful || r.asked || r.tracker.tally().untrimmed < int64(leastToLearn*r.unit()*r.plan.regions[0].size) {
		return nil
	}
	r.sink.drain()
	g, at, ok := r.startOfDamage()
	if !ok {
		return nil
	}
	r.asked = true
	u := disc.LBA(r.unit())
	err := r.read(ctx, g, at-u, int(min(2*u, g.last()-at+u)), firstReading)
	var failed *sectorsError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	bad := failedAt(err)
	r.truthful = r.truthful || drive.Classify(err) == drive.Sector && bad > at-u && bad < at+u
	return nil
}

// startOfDamage returns the first sector of damage to data that lies behind a unit of good sectors.
func (r *reader) startOfDamage() (g *region, at disc.LBA, ok bool) {
	u := disc.LBA(r.unit())
	for _, b := range r.tracker.snapshot().Blocks() {
		if b.Status != mapfile.NonTrimmed {
			continue
		}
		g = r.plan.regions.find(b.Pos)
		at = g.at(b.Pos)
		if g.coding == drive.Data && g.void == notVoid && at-u >= g.first &&
			r.tracker.at(g.position(at-u)) == mapfile.Finished && r.tracker.at(g.position(at-1)) == mapfile.Finished {
			return g, at, true
		}
	}
	return nil, 0, false
}

// leastToLearn is how many units have to be damaged for that read to be worth it.
const leastToLearn = 4

// trimEdges reads a block of data from its beginning up to the first sector that fails, and
// from its end back to the last one.
func (r *reader) trimEdges(ctx context.Context, b mapfile.Block) error {
	g := r.plan.regions.find(b.Pos)
	at, end := g.at(b.Pos), min(g.last(), g.at(b.Pos)+disc.LBA(b.Size/int64(g.size)))
	if g.coding != drive.Data || g.void != notVoid {
		return nil
	}
	for at < end {
		_, _, n := r.piece(mapfile.Block{Pos: g.position(at), Size: int64(end-at) * int64(g.size)})
		left, ok, err := r.trim(ctx, g, at, n)
		if err != nil {
			return err
		}
		if at = left; !ok {
			break
		}
	}
	for n := r.unit(); at < end; n = min(2*n, r.plan.perCommand(g)) {
		begin := max(at, end-disc.LBA(n))
		if next := r.blockEnd(begin - 1); begin > at && next < end {
			begin = next
		}
		_, ok, err := r.trim(ctx, g, begin, int(end-begin))
		if err != nil || !ok {
			return err
		}
		end = begin
	}
	return nil
}

// trim reads sectors of an edge. left is the first that is not settled; ok says that all came.
func (r *reader) trim(ctx context.Context, g *region, at disc.LBA, n int) (left disc.LBA, ok bool, err error) {
	if r.giveUp() {
		return at, false, errGaveUp
	}
	err = r.read(ctx, g, at, n, firstReading)
	if err == nil {
		r.lastGood = r.clock().Now()
		return at + disc.LBA(n), true, nil
	}
	var failed *sectorsError
	if !errors.As(err, &failed) {
		return at, false, err
	}
	end := at + disc.LBA(n)
	at += disc.LBA(failed.kept)
	if bad, known := r.named(failed, g, at, end); known && bad == at {
		if n, err = r.failBlock(ctx, g, bad, end, firstReading, failed); err != nil {
			return at, false, err
		}
		at += disc.LBA(n)
	}
	return at, false, nil
}

// sampled is how many sectors of long damage are tried before a pass gives the rest of it up,
// if none comes; damage of up to twice as many is tried whole.
const sampled = 32

// A run is damage whose sectors follow each other.
type run []sectorRef

// count returns how many sectors a run has.
func (x run) count() (n int) {
	for _, s := range x {
		n += s.n
	}
	return n
}

// follows reports whether sectors come right behind others.
func (s sectorRef) follows(t sectorRef) bool { return s.at == t.at+disc.LBA(t.n) }

// runsOf divides sectors in ascending or descending order.
func runsOf(sectors []sectorRef) []run {
	var all []run
	for i, s := range sectors {
		if i > 0 && s.g == sectors[i-1].g && (s.follows(sectors[i-1]) || sectors[i-1].follows(s)) {
			all[len(all)-1] = append(all[len(all)-1], s)
			continue
		}
		all = append(all, run{s})
	}
	return all
}

// eachRun calls try for each of some sectors, until it is time to give up. Long damage of which none of
// some sectors that are spread over it is won is left out.
func (r *reader) eachRun(sectors []sectorRef, try func(s sectorRef) (won bool, err error)) error {
	for _, x := range runsOf(sectors) {
		wins := 0
		all := x.order()
		for i, s := range all {
			if i == sampled && wins == 0 && len(x) > 2*sampled {
				r.sayHopeless()
				r.damage.Of -= run(all[i:]).count()
				break
			}
			if r.giveUp() {
				return errGaveUp
			}
			won, err := try(s)
			if err != nil {
				return err
			}
			if won {
				wins++
			}
		}
	}
	return nil
}

// order is that in which the sectors of a run are tried: of long damage, some that are spread over
// it come first.
func (x run) order() []sectorRef {
	if len(x) <= 2*sampled {
		return x
	}
	first, rest := make(run, 0, len(x)), make(run, 0, len(x))
	next := 0
	for i, s := range x {
		if len(first) < sampled && i == next {
			first = append(first, s)
			next = len(first) * (len(x) - 1) / (sampled - 1)
			continue
		}
		rest = append(rest, s)
	}
	return append(first, rest...)
}

// sayHopeless notes once that long damage yields nothing.
func (r *reader) sayHopeless() {
	if !r.hopeless {
		r.opts.Observer.Note(Note{Code: NoteHopeless, Count: sampled})
	}
	r.hopeless = true
}

// mayBeBuffered reports whether what a drive gave of a sector may be in its buffer: not of one
// that it could not read.
func (r *reader) mayBeBuffered(g *region, at disc.LBA) bool {
	return g.coding == drive.Audio || r.tracker.at(g.position(at)) != unread
}
