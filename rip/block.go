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

// mostProbes is how many blocks that fail are asked for their last sector alone, to see whether it comes.
const mostProbes = 8

// blocks is what is known of how a drive gives blocks that it cannot correct.
type blocks struct {
	singles bool // single sectors of them
	probes  int  // that were made
}

// unit is how many sectors fail together: 1 where that is not known.
func (r *reader) unit() int {
	if r.blocks.singles || r.plan.align < dvdBlock {
		return 1
	}
	if r.disc.Layout.Medium == disc.DVD {
		return leastWritten
	}
	return dvdBlock
}

// blockEnd returns the end of the block that a sector is in.
func (r *reader) blockEnd(at disc.LBA) disc.LBA {
	u := disc.LBA(r.unit())
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
	if n <= 1 || r.blocks.probes >= mostProbes {
		return max(1, n), nil
	}
	r.blocks.probes++
	err := r.read(ctx, g, bad+disc.LBA(n-1), 1, what)
	if err == nil {
		r.blocks.singles = true
		r.lastGood = r.clock().Now()
		return 1, nil
	}
	if !errors.As(err, new(*sectorsError)) {
		return 0, err
	}
	return n, nil
}

// uncorrected reports whether an error is that of a block that cannot be corrected.
func uncorrected(err error) bool {
	s := scsi.SenseOf(err)
	return s != nil && s.Key == scsi.MediumError
}

// failBlock marks a sector that failed so, and those that fail with it before end, and returns how many that
// are.
func (r *reader) failBlock(ctx context.Context, g *region, bad, end disc.LBA, what intent, why error) (n int, err error) {
	n, class := 1, drive.Classify(why)
	if uncorrected(why) {
		if n, err = r.together(ctx, g, bad, end, what); err != nil {
			return 0, err
		}
	}
	for i := range n {
		r.markFailed(g, bad+disc.LBA(i), what, class)
	}
	return n, nil
}

// lostBlock marks sectors of one block that failed, if all did. If the last one comes, they have not.
func (r *reader) lostBlock(ctx context.Context, g *region, at disc.LBA, n int, what intent) (all bool, err error) {
	fail, err := r.together(ctx, g, at, at+disc.LBA(n), what)
	if err != nil || fail < n {
		return false, err
	}
	for i := range n {
		r.markFailed(g, at+disc.LBA(i), what, drive.Sector)
	}
	return true, nil
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
