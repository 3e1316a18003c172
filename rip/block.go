package rip

import (
	"context"
	"errors"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi"
)

// A drive corrects a DVD 16 sectors at a time, and a BD 32: where that does not succeed, most drives give none of
// them, however often and in however small pieces they are asked for. Others give those of a block that came without
// an error. Until a drive has shown that, damage is read and given up in whole blocks.

// How many blocks that fail are asked for one sector alone, to see whether it comes: wherever they are, and at the ends of
// damage, for there it is likeliest to come. After so many from which others then did not come, and that are most, the
// drive is known to give single ones.
const (
	mostProbes = 8
	edgeProbes = 64
	enough     = 3
)

// blocks is what is known of how a drive gives blocks that it cannot correct.
type blocks struct {
	singles bool // single sectors of them
	probed  map[disc.LBA]bool
	parts   int // of those that were probed, came in part
}

// blockSize is how many sectors the disc is corrected in: 1 where that is of no use.
func (r *reader) blockSize() int {
	switch {
	case r.plan.align < dvdBlock:
		return 1
	case r.disc.Layout.Medium == disc.DVD:
		return leastWritten
	}
	return dvdBlock
}

// unit is how many sectors fail together.
func (r *reader) unit() int {
	if r.blocks.singles {
		return 1
	}
	return r.blockSize()
}

// blockEnd returns the end of the unit that a sector is in.
func (r *reader) blockEnd(at disc.LBA) disc.LBA { return endOf(at, r.unit()) }

func endOf(at disc.LBA, size int) disc.LBA {
	u := disc.LBA(size)
	return at - at%u + u
}

// inBlock reports whether sectors are some of one block.
func (r *reader) inBlock(at disc.LBA, n int) bool { return n > 1 && at+disc.LBA(n) <= r.blockEnd(at) }

// noteHead notes what a command shows that failed at a sector, and gave those before it.
func (r *reader) noteHead(at disc.LBA, kept int) {
	if kept > 0 && int(at+disc.LBA(kept))%r.unit() != 0 {
		r.blocks.singles = true
	}
}

// together returns how many of the sectors from one that failed to before end fail with it: the rest of its
// block, unless single sectors come of blocks. The error is one that ends the rip.
func (r *reader) together(ctx context.Context, g *region, bad, end disc.LBA, what intent) (int, error) {
	n := int(min(r.blockEnd(bad), end, g.last()) - bad)
	if n <= 1 || len(r.blocks.probed) >= mostProbes {
		return max(1, n), nil
	}
	comes, err := r.probe(ctx, g, bad+disc.LBA(n-1), what)
	if err != nil || !comes {
		return n, err
	}
	return 1, nil
}

// probe reads one sector of a block that failed.
func (r *reader) probe(ctx context.Context, g *region, last disc.LBA, what intent) (comes bool, err error) {
	if r.blocks.probed == nil {
		r.blocks.probed = map[disc.LBA]bool{}
	}
	r.blocks.probed[last] = true
	err = r.read(ctx, g, last, 1, what)
	if err != nil && !errors.As(err, new(*sectorsError)) {
		return false, err
	}
	return err == nil, nil
}

// settle reads each of the sectors [at, end) of a block of which another one came.
func (r *reader) settle(ctx context.Context, g *region, at, end disc.LBA, what intent) error {
	r.lastGood = r.clock().Now()
	failed := 0
	for a := at; a < end; a++ {
		err := r.read(ctx, g, a, 1, what)
		if err == nil {
			continue
		}
		if !errors.As(err, new(*sectorsError)) {
			return err
		}
		failed++
		r.markFailed(g, a, what, drive.Classify(err))
	}
	if failed > 0 {
		r.blocks.parts++
	}
	if r.blocks.parts >= enough && 2*r.blocks.parts > len(r.blocks.probed) {
		r.blocks.singles = true
	}
	return nil
}

// edgeBlocks probes the blocks that damage ends with: what ends in the middle of one shows there. Where it begins, the drive
// says so, if it is known to name what failed.
func (r *reader) edgeBlocks(ctx context.Context) error {
	r.sink.drain()
	size := r.blockSize()
	if size == 1 || r.blocks.singles && r.blocks.parts == 0 {
		return nil // no block was given up as a whole, or it showed at once
	}
	for _, b := range r.tracker.snapshot().Blocks() {
		if b.Status != unread {
			continue
		}
		g := r.plan.regions.find(b.End() - 1)
		begin, end := max(g.first, g.at(b.Pos)), g.at(b.End()-1)+1
		if end == min(endOf(end-1, size), g.last()) {
			if err := r.edgeBlock(ctx, g, end-1, max(begin, endOf(end-1, size)-disc.LBA(size)), end-1); err != nil {
				return err
			}
		}
		if !r.truthful && int(begin)%size == 0 {
			if err := r.edgeBlock(ctx, g, begin, begin+1, min(end, endOf(begin, size))); err != nil {
				return err
			}
		}
	}
	r.sink.drain()
	return nil
}

// edgeBlock probes a sector of a block that failed, and settles the others [at, end) if it comes.
func (r *reader) edgeBlock(ctx context.Context, g *region, probe, at, end disc.LBA) error {
	if g.coding != drive.Data || at >= end || len(r.blocks.probed) >= mostProbes+edgeProbes || r.blocks.probed[probe] {
		return nil
	}
	comes, err := r.probe(ctx, g, probe, firstReading)
	if err == nil && comes {
		err = r.settle(ctx, g, at, end, firstReading)
	}
	return err
}

// uncorrected reports whether an error is that of a block that cannot be corrected.
func uncorrected(err error) bool {
	s := scsi.SenseOf(err)
	return s != nil && s.Key == scsi.MediumError
}

// failBlock settles a sector that failed so, and those that fail with it before end, and returns how many that
// are.
func (r *reader) failBlock(ctx context.Context, g *region, bad, end disc.LBA, what intent, why error) (n int, err error) {
	class := drive.Classify(why)
	if !uncorrected(why) {
		r.markFailed(g, bad, what, class)
		return 1, nil
	}
	end = min(r.blockEnd(bad), end, g.last())
	if n, err = r.together(ctx, g, bad, end, what); err != nil {
		return 0, err
	}
	if bad+disc.LBA(n) < end { // the last one came
		return int(end - bad), r.settle(ctx, g, bad, end-1, what)
	}
	for i := range n {
		r.markFailed(g, bad+disc.LBA(i), what, class)
	}
	return n, nil
}

// aligned moves a place between sectors [at, at+n) where they are divided to where a block begins, if one does
// between them.
func (r *reader) aligned(at disc.LBA, head, n int) int {
	u := disc.LBA(r.unit())
	middle := (at + disc.LBA(head)) / u * u
	if middle <= at {
		middle += u
	}
	if middle >= at+disc.LBA(n) {
		return head
	}
	return int(middle - at)
}

// sameBlock returns how many of the sectors of a block of the map from a position on are retried together.
func (r *reader) sameBlock(g *region, pos int64, b mapfile.Block) int {
	at := g.at(pos)
	most := int(min(r.blockEnd(at), g.last(), at+disc.LBA((b.End()-pos)/int64(g.size))) - at)
	for n := range max(1, most) {
		if r.refusals.has(pos + int64(n*g.size)) {
			return max(1, n)
		}
	}
	return max(1, most)
}

// retryBlock reads bad sectors that failed together once more, with one command. Where single ones come, the
// others are tried alone.
func (r *reader) retryBlock(ctx context.Context, s sectorRef) (won bool, err error) {
	done := 0
	if r.unit() > 1 {
		err := r.read(ctx, s.g, s.at, s.n, firstReading)
		var failed *sectorsError
		if err != nil && !errors.As(err, &failed) {
			return false, err
		}
		if err == nil || failed.kept > 0 {
			r.lastGood = r.clock().Now()
		}
		if err == nil || r.unit() > 1 {
			r.damage.Tried += s.n
			return err == nil, nil
		}
		done, won = failed.kept, failed.kept > 0
		r.damage.Tried += done
	}
	for i := done; i < s.n; i++ {
		one, err := r.retry(ctx, sectorRef{s.g, s.at + disc.LBA(i), 1})
		if err != nil {
			return won, err
		}
		won = won || one
	}
	return won, nil
}
