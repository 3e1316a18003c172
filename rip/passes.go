package rip

import (
	"context"
	"errors"
	"fmt"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// errGaveUp ends a phase after the time that the options give it without success.
var errGaveUp = errors.New("rip: no success for too long")

// giveUp says so when it is time to give up.
func (r *reader) giveUp() bool {
	if r.opts.GiveUp <= 0 || r.clock().Now().Sub(r.lastGood) < r.opts.GiveUp {
		return false
	}
	r.opts.Observer.Note(Note{Code: NoteGaveUp, After: r.opts.GiveUp})
	return true
}

// The stretch that is left out after damage in the first pass, in sectors: it
// doubles with each failure in a row. What is left out is read later.
const (
	firstSkip = 32
	mostSkip  = 4096
)

// A skipper says how many sectors are left out after each failure.
type skipper struct{ sectors, least, most int }

func (s *skipper) failed() int {
	s.sectors = min(max(s.least, 2*s.sectors), s.most)
	return s.sectors
}

func (s *skipper) succeeded() { s.sectors = 0 }

// copyPass reads what was not tried. A block that fails is left for later, and
// with it a stretch behind it, so that what reads well is safe first.
func (r *reader) copyPass(ctx context.Context) error {
	for skip := (skipper{least: firstSkip, most: mostSkip}); ; skip = (skipper{}) {
		r.setPhase(Copying, mapfile.NonTried, 1)
		round := copyRound{reader: r, skip: skip}
		for _, s := range r.plan.asked() {
			if err := round.over(ctx, s.pos, s.end); err != nil {
				return err
			}
		}
		r.sink.drain()
		if round.skipped == 0 {
			return nil
		}
	}
}

// maxTimeouts is how many commands in a row may go unanswered.
const maxTimeouts = 3

// A copyRound goes once over what was not tried.
type copyRound struct {
	*reader
	skip     skipper
	skipped  int // stretches that were left out
	timeouts int // commands in a row that went unanswered
}

// over reads what was not tried from a position to before another.
func (c *copyRound) over(ctx context.Context, pos, end int64) error {
	c.timeouts = 0
	for {
		b, ok := c.tracker.next(pos, mapfile.NonTried)
		if !ok || b.Pos >= end {
			return nil
		}
		b.Size = min(b.End(), end) - b.Pos
		g, at, n := c.piece(b)
		pos = g.position(at) + int64(n*g.size)
		err := c.read(ctx, g, at, n, firstReading)
		if err == nil {
			c.skip.succeeded()
			c.timeouts = 0
			continue
		}
		var failed *sectorsError
		if !errors.As(err, &failed) {
			return err
		}
		if c.audioFailed(ctx, g, at, n) {
			pos = g.position(at) // again, without error pointers
			continue
		}
		left, err := c.failed(ctx, g, at, n, failed)
		if err != nil {
			return err
		}
		if left > 0 {
			pos += int64(left * g.size)
			c.skipped++
		}
	}
}

// failed leaves sectors that failed together for later, and returns how many behind them are left out.
// Where a part of them is as good as what was read before, they are read in smaller pieces at once.
func (c *copyRound) failed(ctx context.Context, g *region, at disc.LBA, n int, failed *sectorsError) (left int, err error) {
	class := drive.Classify(failed)
	if c.unwritten(failed) {
		class = drive.Boundary // between what is written and what is not
	}
	switch class {
	case drive.Boundary, drive.Short:
		return 0, c.bisect(ctx, g, at, n, firstReading)
	case drive.TimedOut:
		if c.timeouts++; c.timeouts >= maxTimeouts {
			return 0, fmt.Errorf("%w: %w, %d times in a row", ErrDrive, failed, c.timeouts)
		}
	}
	if err := c.leave(ctx, g, at, n, failed, firstReading); err != nil {
		return 0, err
	}
	switch class {
	case drive.Protected:
		return 0, nil // no damage: what follows fails at once, or is as good as the rest
	case drive.Sector:
		if err := c.learnNaming(ctx); err != nil {
			return 0, err
		}
	}
	return c.skip.failed(), nil
}

// comparePass reads the audio that was read once a second time.
func (r *reader) comparePass(ctx context.Context) error {
	r.setPhase(Comparing, readOnce, 1)
	err := r.confirm(ctx)
	r.compared = err == nil
	return err
}

// confirm reads again what was read once. What the drive's buffer may hold at first is
// driven out; then the rest of the audio lies between the two readings, and where it is
// short that is seen to.
func (r *reader) confirm(ctx context.Context) error {
	block, ok := r.tracker.next(0, readOnce)
	if !ok {
		return nil
	}
	before := r.tracker.tally()
	short := before.once <= 2*r.bufferSize(ctx)
	r.defeatCache(ctx, r.plan.regions.find(block.Pos).at(block.Pos))
	good := r.lastGood
	err := r.each(readOnce, func(g *region, at disc.LBA, n int) error {
		if short && r.cache.way == byFlush {
			r.defeatCache(ctx, at)
		}
		return r.bisect(ctx, g, at, n, secondReading)
	})
	if r.tracker.tally().finished == before.finished {
		r.lastGood = good
	}
	return err
}

// fillUntrimmed puts filler in the place of what was given up before it was closed
// in on. It stays to be closed in on by the next run.
func (r *reader) fillUntrimmed() {
	r.sink.drain()
	for _, block := range r.tracker.snapshot().Blocks() {
		if block.Status != mapfile.NonTrimmed {
			continue
		}
		for pos := block.Pos; pos < block.End(); {
			g, at, n := r.piece(mapfile.Block{Pos: pos, Size: block.End() - pos, Status: block.Status})
			b := r.sink.take()
			b.prepare(r.plan, g, at, n)
			b.intent = filler
			r.sink.send(b)
			pos += int64(n * g.size)
		}
		r.sink.drain()
		r.tracker.set(block.Pos, block.Size, mapfile.NonTrimmed)
	}
}

// each goes once over what is in a state, in the pieces of one command.
func (r *reader) each(s mapfile.Status, do func(g *region, at disc.LBA, n int) error) error {
	for pos := int64(0); ; {
		b, ok := r.tracker.next(pos, s)
		if !ok {
			break
		}
		g, at, n := r.piece(b)
		if err := do(g, at, n); err != nil {
			return err
		}
		pos = g.position(at) + int64(n*g.size)
	}
	r.sink.drain()
	return nil
}

// piece is the beginning of a block that one command can read: bounded by the
// region and by what a transfer can carry, so that the next command is aligned.
func (r *reader) piece(b mapfile.Block) (g *region, at disc.LBA, n int) {
	g = r.plan.regions.find(b.Pos)
	at = g.at(b.Pos)
	n = min(int(b.Size/int64(g.size)), int(g.last()-at), r.plan.perCommand(g))
	if past := (int(at) + n) % r.plan.align; n > past {
		n -= past
	}
	return g, at, max(1, n)
}

// bisect reads sectors in ever smaller pieces, down to the single ones that fail.
// Where the drive says which sector failed, it is believed.
func (r *reader) bisect(ctx context.Context, g *region, at disc.LBA, n int, what intent) error {
	for n > 0 {
		if r.progress.Phase == Trimming && r.giveUp() {
			return errGaveUp
		}
		err := r.read(ctx, g, at, n, what)
		if err == nil {
			r.lastGood = r.clock().Now()
			return nil
		}
		var failed *sectorsError
		if !errors.As(err, &failed) {
			return err
		}
		if r.unwritten(failed) && (n == 1 || n <= leastWritten && at%leastWritten == 0) {
			r.markUnwritten(g, at, n)
			return nil
		}
		if n == 1 {
			r.markFailed(g, at, what, drive.Classify(failed))
			return nil
		}
		done, err := r.divide(ctx, g, at, n, failed, what)
		if err != nil {
			return err
		}
		at, n = at+disc.LBA(done), n-done
	}
	return nil
}

// divide settles the first of some sectors that failed together, up to and with the one that failed where that is known,
// and returns how many they are.
func (r *reader) divide(ctx context.Context, g *region, at disc.LBA, n int, failed *sectorsError, what intent) (done int, err error) {
	end := at + disc.LBA(n)
	if failed.kept == 0 && uncorrected(failed) && r.inBlock(at, n) {
		_, err := r.failBlock(ctx, g, at, end, what, failed)
		return n, err
	}
	class := drive.Classify(failed)
	head, named := r.split(failed, class, at, n)
	if head > failed.kept {
		if err := r.bisect(ctx, g, at+disc.LBA(failed.kept), head-failed.kept, what); err != nil {
			return 0, err
		}
	}
	if !named || class == drive.Boundary {
		return head, nil
	}
	done, err = r.failBlock(ctx, g, at+disc.LBA(head), end, what, failed)
	return head + done, err
}

// leastWritten is the fewest sectors that are written together: an ECC block of a DVD
// (ECMA-267 section 18); a BD's has twice as many.
const leastWritten = 16

// unwritten reports whether an error says that a part of a DVD or BD was never written, and
// that can be: of a disc that is written at any place, or one that is still open. Of a disc
// that is closed it is damage.
func (r *reader) unwritten(err error) bool {
	s, p := scsi.SenseOf(err), r.disc.Profile
	if s == nil || s.Key != scsi.BlankCheck || !p.IsDVD() && !p.IsBD() {
		return false
	}
	return drive.Overwritable(p) || r.disc.Info != nil && r.disc.Info.Status == mmc.DiscAppendable
}

// markUnwritten puts zeros in the place of what was never written.
func (r *reader) markUnwritten(g *region, at disc.LBA, n int) {
	if r.unwrittenSectors == 0 {
		r.opts.Observer.Note(Note{Code: NoteUnwritten})
	}
	r.unwrittenSectors += int64(n)
	b := r.sink.take()
	b.prepare(r.plan, g, at, n)
	b.intent = absent
	r.sink.send(b)
}

// split says how many of the sectors that failed together are read next, and whether
// the drive named the one behind them. Some drives always name the first: that is
// believed of a drive that named another one before, and of a protected one, because a whole film
// may be refused so.
func (r *reader) split(err error, class drive.Class, at disc.LBA, n int) (head int, named bool) {
	bad := failedAt(err)
	inside := bad > at && bad < at+disc.LBA(n)
	r.truthful = r.truthful || inside && class == drive.Sector
	if inside || bad == at && (class == drive.Protected || r.truthful && class == drive.Sector) {
		return int(bad - at), true
	}
	return r.aligned(at, n/2, n), false
}

// markFailed marks a sector that failed alone.
func (r *reader) markFailed(g *region, at disc.LBA, what intent, class drive.Class) {
	if class == drive.Protected {
		r.refusals.add(g, at, r.plan.regions.size())
	}
	r.markUnreadable(g, at, what)
}

// failedAt returns the address that a read failed at, as the sense data state it.
func failedAt(err error) disc.LBA {
	if s := scsi.SenseOf(err); s != nil && s.InformationValid {
		return disc.LBA(int32(uint32(s.Information)))
	}
	return -1 << 31
}

// markUnreadable marks a sector that could not be read. What the image holds of
// it stays: bytes of a first reading, or of one with errors. Otherwise filler
// takes its place.
func (r *reader) markUnreadable(g *region, at disc.LBA, what intent) {
	switch r.tracker.at(g.position(at)) {
	case unread, flawed, mapfile.Finished:
		return
	}
	if what == secondReading {
		r.tracker.set(g.position(at), int64(g.size), flawed)
		return
	}
	b := r.sink.take()
	b.prepare(r.plan, g, at, 1)
	b.intent = filler
	r.sink.send(b)
}
