package rip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
	for round := (skipper{least: firstSkip, most: mostSkip}); ; round = (skipper{}) {
		r.setPhase(Copying, mapfile.NonTried, 1)
		skipped := 0
		for _, s := range r.plan.asked() {
			n, err := r.copyRound(ctx, &round, s.pos, s.end)
			if err != nil {
				return err
			}
			skipped += n
		}
		r.sink.drain()
		if skipped == 0 {
			return nil
		}
	}
}

// maxTimeouts is how many commands in a row may go unanswered.
const maxTimeouts = 3

// copyRound goes once over what was not tried from a position to before another, and returns how many stretches it
// left out.
func (r *reader) copyRound(ctx context.Context, skip *skipper, pos, end int64) (skipped int, err error) {
	timeouts := 0
	for {
		b, ok := r.tracker.next(pos, mapfile.NonTried)
		if !ok || b.Pos >= end {
			return skipped, nil
		}
		b.Size = min(b.End(), end) - b.Pos
		g, at, n := r.piece(b)
		pos = g.position(at) + int64(n*g.size)
		err := r.read(ctx, g, at, n, firstReading)
		if failed := (*sectorsError)(nil); errors.As(err, &failed) && r.audioFailed(ctx, g, at, n) {
			pos = g.position(at)
			continue
		}
		if err == nil {
			skip.succeeded()
			timeouts = 0
			continue
		}
		var failed *sectorsError
		if !errors.As(err, &failed) {
			return skipped, err
		}
		class := drive.Classify(err)
		if r.unwritten(err) {
			class = drive.Boundary // between what is written and what is not
		}
		switch class {
		case drive.Boundary, drive.Short:
			if err := r.bisect(ctx, g, at, n, firstReading); err != nil {
				return skipped, err
			}
			continue
		case drive.TimedOut:
			if timeouts++; timeouts >= maxTimeouts {
				return skipped, fmt.Errorf("%w: %w, %d times in a row", ErrDrive, err, timeouts)
			}
		}
		if err := r.leave(ctx, g, at, n, failed, firstReading); err != nil {
			return skipped, err
		}
		if drive.Classify(err) == drive.Protected {
			continue // no damage: what follows fails at once, or is as good as the rest
		}
		if class == drive.Sector {
			if err := r.learnNaming(ctx); err != nil {
				return skipped, err
			}
		}
		if k := skip.failed(); k > 0 {
			pos += int64(k * g.size)
			skipped++
		}
	}
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
		class := drive.Classify(err)
		if r.unwritten(err) && (n == 1 || n <= leastWritten && at%leastWritten == 0) {
			r.markUnwritten(g, at, n)
			return nil
		}
		if n == 1 {
			r.markFailed(g, at, what, class)
			return nil
		}
		if failed.kept == 0 && uncorrected(err) && r.inBlock(at, n) {
			_, err := r.failBlock(ctx, g, at, at+disc.LBA(n), what, err)
			return err
		}
		head, named := r.split(err, class, at, n)
		if head > failed.kept {
			if err := r.bisect(ctx, g, at+disc.LBA(failed.kept), head-failed.kept, what); err != nil {
				return err
			}
		}
		at, n = at+disc.LBA(head), n-head
		if named && class != drive.Boundary {
			done, err := r.failBlock(ctx, g, at, at+disc.LBA(n), what, err)
			if err != nil {
				return err
			}
			at, n = at+disc.LBA(done), n-done
		}
	}
	return nil
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
	pause := firstPause
	passes := r.opts.Retries
	if passes == 0 && len(r.leftOver) > 0 {
		passes = 1
	}
	if passes > 0 {
		r.nameFiles()
	}
	for pass := 1; pass <= passes; pass++ {
		sectors := r.badSectors(unread, flawed, readOnce)
		if r.opts.Retries == 0 {
			sectors = r.leftOver
		}
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
		// A pass reads each sector once: what the buffer had before it is what counts.
		if i := slices.IndexFunc(sectors, func(s sectorRef) bool { return r.mayBeBuffered(s.g, s.at) }); i >= 0 {
			r.defeatCache(ctx, sectors[i].at)
		}
		if pass%2 == 1 {
			slices.Reverse(sectors)
		}
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
		if err := r.repairPass(ctx); err != nil {
			return err
		}
	}
	return nil
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
