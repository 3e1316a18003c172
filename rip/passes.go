package rip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"spindle/disc"
	"spindle/rip/mapfile"
	"spindle/scsi"
)

// readAll reads everything that the map does not call finished: first all that
// reads easily, then what lies around damage, then the damage again and again.
// However it ends, what was read is on the disk and in the map.
func (j *job) readAll(ctx context.Context) error {
	j.setSpeeds(ctx)
	if err := j.drive.PreventRemoval(ctx); err == nil {
		// Always allowed again, also when ctx has ended.
		defer func() { _ = j.drive.AllowRemoval(context.WithoutCancel(ctx)) }()
	}
	j.startPipeline()
	err := j.passes(ctx)
	if werr := j.pipe.close(); werr != nil {
		return werr // what stopped the rip, also where err says "canceled"
	}
	return err
}

func (j *job) passes(ctx context.Context) error {
	// Sectors that an earlier run found damaged are tried again, and that
	// counts as retrying.
	if err := j.copyPass(ctx); err != nil {
		return err
	}
	if err := j.trimPass(ctx); err != nil {
		return err
	}
	if j.twice {
		if err := j.comparePass(ctx); err != nil {
			return err
		}
		if err := j.trimPass(ctx); err != nil {
			return err
		}
	}
	return j.retryPasses(ctx)
}

func (j *job) setPhase(ph Phase, status mapfile.Status, pass int) {
	j.progress.Phase, j.progress.Pass = ph, pass
	j.mu.Lock()
	j.m.Phase, j.m.Pass = status, max(1, pass)
	j.mu.Unlock()
}

// next returns the next block of the map in a state, from a position on.
func (j *job) next(pos int64, s mapfile.Status) (mapfile.Block, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.m.Next(pos, s)
}

func (j *job) set(pos, size int64, s mapfile.Status) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.m.Set(pos, size, s)
}

// stalls is how many commands in a row may go unanswered.
const stalls = 3

// recoveries is how many times in a row a command is sent again after the drive
// was reset or busy.
const recoveries = 5

// read reads sectors and passes them on. Errors that end the rip come back as
// they are; one of the sectors asked for as a [*sectorsError].
func (j *job) read(ctx context.Context, r *region, at disc.LBA, n int) error {
	return j.readAs(ctx, r, at, n, false)
}

// readAs is read; with compare, the sectors are good only if they are what the
// image holds already.
func (j *job) readAs(ctx context.Context, r *region, at disc.LBA, n int, compare bool) error {
	if err := j.pipe.failure(); err != nil {
		return err
	}
	begin := j.drive.Clock().Now()
	j.mu.Lock()
	j.m.Pos = r.position(at)
	j.mu.Unlock()
	b := j.newBatch(r, at, n)
	b.compare = compare
	var err error
	for range recoveries {
		if err = j.readInto(ctx, b); err == nil {
			j.pipe.send(b)
			j.report(at, n, j.drive.Clock().Now().Sub(begin))
			return nil
		}
		if fatal := j.fatal(ctx, err); fatal != nil {
			j.pipe.drop(b)
			return fatal
		}
		s := scsi.SenseOf(err)
		if s == nil || s.Key != scsi.UnitAttention && s.Key != scsi.NotReady {
			break
		}
	}
	j.pipe.drop(b)
	j.report(at, 0, j.drive.Clock().Now().Sub(begin))
	return &sectorsError{err}
}

// A sectorsError says that sectors could not be read, while the drive works.
type sectorsError struct{ err error }

func (e *sectorsError) Error() string { return e.err.Error() }
func (e *sectorsError) Unwrap() error { return e.err }

// report tells the observer about a command.
func (j *job) report(at disc.LBA, n int, took time.Duration) {
	p := &j.progress
	j.mu.Lock()
	p.Done, p.Total = j.m.Count(mapfile.Finished), j.m.Size()
	if p.Phase == Copying {
		p.Done += j.m.Count(readOnce)
	}
	p.Bad = j.m.Count(mapfile.Bad) + j.m.Count(mapfile.NonTrimmed)
	j.mu.Unlock()
	p.LBA, p.Sectors = at, n
	if took > 0 {
		p.Speed = float64(n*j.disc.Layout.Medium.SectorSize()) / took.Seconds()
	}
	j.opts.Observer.Progress(*p)
	j.pipe.tick(j.drive.Clock().Now())
}

// The stretch that is left out after damage in the first pass, in sectors: it
// doubles with each failure in a row. What is left out is read later.
const (
	firstSkip = 32
	mostSkip  = 4096
)

// copyPass reads what was not tried. A block that fails is left for later, and
// with it a stretch behind it, so that what reads well is safe first.
func (j *job) copyPass(ctx context.Context) error {
	for skipping := true; ; skipping = false {
		j.setPhase(Copying, mapfile.NonTried, 1)
		skipped, err := j.copyRound(ctx, skipping)
		if err != nil {
			return err
		}
		j.pipe.drain()
		if !skipped {
			return nil
		}
	}
}

func (j *job) copyRound(ctx context.Context, skipping bool) (skipped bool, err error) {
	skip, unanswered := 0, 0
	for pos := int64(0); ; {
		b, ok := j.next(pos, mapfile.NonTried)
		if !ok {
			return skipped, nil
		}
		r := j.regionAt(b.Pos)
		at := r.at(b.Pos)
		n := j.cut(r, at, int(b.Size/int64(r.size)))
		pos = r.position(at) + int64(n*r.size)
		err := j.read(ctx, r, at, n)
		if err == nil {
			skip, unanswered = 0, 0
			continue
		}
		var failed *sectorsError
		if !errors.As(err, &failed) {
			return skipped, err
		}
		if isBoundary(err) || isShort(err) {
			if err := j.closeIn(ctx, r, at, n); err != nil {
				return skipped, err
			}
			continue
		}
		if isTimeout(err) {
			if unanswered++; unanswered >= stalls {
				return skipped, fmt.Errorf("%w: %w, %d times in a row", ErrDrive, err, unanswered)
			}
		}
		j.set(r.position(at), int64(n*r.size), mapfile.NonTrimmed)
		if skipping {
			skip = min(max(firstSkip, 2*skip), mostSkip)
			pos += int64(skip * r.size)
			skipped = true
		}
	}
}

// comparePass reads the audio that was read once a second time. Between the two
// lies the whole disc, or what there is of it, so that nothing comes from the
// drive's buffer.
func (j *job) comparePass(ctx context.Context) error {
	j.setPhase(Comparing, readOnce, 1)
	for pos := int64(0); ; {
		b, ok := j.next(pos, readOnce)
		if !ok {
			break
		}
		r := j.regionAt(b.Pos)
		at := r.at(b.Pos)
		n := j.cut(r, at, int(b.Size/int64(r.size)))
		pos = r.position(at) + int64(n*r.size)
		err := j.readAs(ctx, r, at, n, true)
		var failed *sectorsError
		if err != nil && !errors.As(err, &failed) {
			return err
		}
		if err != nil {
			j.set(r.position(at), int64(n*r.size), mapfile.NonTrimmed)
		}
	}
	j.pipe.drain()
	return nil
}

// cut bounds the sectors of one command: by the block, by the region, by what a
// transfer can carry, and so that the next command is aligned.
func (j *job) cut(r *region, at disc.LBA, n int) int {
	n = min(n, int(r.first)+r.count-int(at), j.perCommand(r))
	if past := (int(at) + n) % j.align; n > past {
		n -= past
	}
	return max(1, n)
}

// trimPass closes in on the sectors that are really damaged in the blocks that
// failed.
func (j *job) trimPass(ctx context.Context) error {
	j.setPhase(Trimming, mapfile.NonTrimmed, 1)
	for pos := int64(0); ; {
		b, ok := j.next(pos, mapfile.NonTrimmed)
		if !ok {
			break
		}
		r := j.regionAt(b.Pos)
		at := r.at(b.Pos)
		n := j.cut(r, at, int(b.Size/int64(r.size)))
		if err := j.closeIn(ctx, r, at, n); err != nil {
			return err
		}
		pos = r.position(at) + int64(n*r.size)
	}
	j.pipe.drain()
	return nil
}

// closeIn reads sectors in ever smaller pieces; single ones that fail are bad.
// Where the drive says which sector failed, it is believed.
func (j *job) closeIn(ctx context.Context, r *region, at disc.LBA, n int) error {
	for n > 0 {
		err := j.read(ctx, r, at, n)
		if err == nil {
			return nil
		}
		var failed *sectorsError
		if !errors.As(err, &failed) {
			return err
		}
		if n == 1 {
			j.giveUp(r, at)
			return nil
		}
		head := n / 2
		bad := failedAt(err)
		named := bad > at && bad < at+disc.LBA(n)
		if named {
			head = int(bad - at)
		}
		if err := j.closeIn(ctx, r, at, head); err != nil {
			return err
		}
		at, n = at+disc.LBA(head), n-head
		if named && !isBoundary(err) {
			j.giveUp(r, at)
			at, n = at+1, n-1
		}
	}
	return nil
}

// failedAt returns the address that a read failed at, as the sense data state it.
func failedAt(err error) disc.LBA {
	if s := scsi.SenseOf(err); s != nil && s.InformationValid {
		return disc.LBA(int32(uint32(s.Information)))
	}
	return -1 << 31
}

// giveUp marks a sector bad and puts in its place what stands for a sector that
// could not be read, unless an earlier run has done so.
func (j *job) giveUp(r *region, at disc.LBA) {
	j.mu.Lock()
	was := j.m.At(r.position(at))
	j.mu.Unlock()
	if was == mapfile.Bad || was == mapfile.Finished {
		return
	}
	b := j.newBatch(r, at, 1)
	b.fill = true
	j.pipe.send(b)
}

// The pause before a pass of retrying, which lets the drive recover: it doubles
// with each pass.
const (
	firstPause = time.Second
	mostPause  = 30 * time.Second
)

// retryPasses reads the bad sectors again: each pass slower than the one before,
// after a longer pause, and from the other side.
func (j *job) retryPasses(ctx context.Context) error {
	clock := j.drive.Clock()
	j.lastGood = clock.Now()
	pause := firstPause
	for pass := 1; pass <= j.opts.Retries; pass++ {
		sectors := j.badSectors()
		if len(sectors) == 0 {
			break
		}
		j.setPhase(Retrying, mapfile.Bad, pass)
		if len(j.speeds) > 0 {
			j.setSpeed(ctx, j.speeds[min(pass, len(j.speeds)-1)])
		}
		if err := clock.Sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, mostPause)
		for i := range sectors {
			s := sectors[i]
			if pass%2 == 1 {
				s = sectors[len(sectors)-1-i]
			}
			if j.opts.GiveUp > 0 && clock.Now().Sub(j.lastGood) >= j.opts.GiveUp {
				j.opts.Observer.Note(fmt.Sprintf("No more sectors could be read for %s: retrying ends here.", j.opts.GiveUp))
				j.resetSpeed(ctx)
				return nil
			}
			if err := j.retry(ctx, s.r, s.at); err != nil {
				return err
			}
		}
	}
	j.resetSpeed(ctx)
	return nil
}

type sectorRef struct {
	r  *region
	at disc.LBA
}

// maxRetried bounds the list of sectors of one pass.
const maxRetried = 1 << 20

func (j *job) badSectors() []sectorRef {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []sectorRef
	for _, b := range j.m.Blocks() {
		if b.Status != mapfile.Bad {
			continue
		}
		for pos := b.Pos; pos < b.End() && len(all) < maxRetried; {
			r := j.regionAt(pos)
			all = append(all, sectorRef{r, r.at(pos)})
			pos += int64(r.size)
		}
	}
	return all
}

// retry reads one bad sector once more.
func (j *job) retry(ctx context.Context, r *region, at disc.LBA) error {
	j.elsewhere(ctx, r, at)
	err := j.readAs(ctx, r, at, 1, j.unsure(r))
	var failed *sectorsError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	j.pipe.drain()
	j.mu.Lock()
	good := j.m.At(r.position(at)) == mapfile.Finished
	j.mu.Unlock()
	if good {
		j.lastGood = j.drive.Clock().Now()
	}
	return nil
}

// away is how far another sector must be so that the drive's buffer is read anew:
// more than the largest buffers hold.
const away = 8000

// elsewhere reads a sector far from at, so that the next read comes from the
// disc and not from the drive's buffer. It matters for sectors that came with
// errors; its own success does not.
func (j *job) elsewhere(ctx context.Context, r *region, at disc.LBA) {
	other := at + away
	if other >= r.first+disc.LBA(r.count) {
		other = max(r.first, at-away)
	}
	j.mu.Lock()
	good := j.m.At(r.position(other)) == mapfile.Finished
	j.mu.Unlock()
	if !good {
		return // it would only cost the time of another bad sector
	}
	b := j.newBatch(r, other, 1)
	_ = j.readInto(ctx, b) // read again, if it counts
	j.pipe.drop(b)
}
