package rip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/iso"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// A sink is where a reader's batches go.
type sink interface {
	take() *batch                 // an empty batch, once there is one
	drop(b *batch)                // a batch that holds nothing
	send(b *batch)                // a batch on its way to the image
	drain()                       // waits until all that was sent is written and marked
	failure() error               // the first failure to write
	pointersDropped()             // a resumed rip is not to believe error pointers either
	overread(done bool)           // whether samples beyond the end of the disc were read
	voted(v []Vote)               // what was put together
	settled(s []Settled)          // what was decided on
	repaired(s []Repaired)        // what something else made right
	proved(audio []drive.Stretch) // what a resumed rip is to have proven, or to read again
	tick(now time.Time)
}

// A reader reads what the map does not call finished. It owns the drive.
type reader struct {
	drive   *drive.Reader
	disc    *Contents
	plan    *plan
	opts    Options
	sink    sink
	tracker *tracker

	progress Progress
	speeds   []int // kB/s for the passes, fastest first; empty: leave it
	lastGood time.Time
	bounds   bounds
	leftOver []sectorRef       // what an earlier run could not read
	reported []iso.DamagedFile // as damaged, by nameFiles
	given    bool              // sectors came in this run
	refusals refusals

	proven []drive.Stretch // audio, by something else than the drive

	unwrittenSectors int64 // that were never written: zeros in the image

	edges          [2]edge // of the disc: its beginning and its end
	overreadBefore bool    // an earlier run read beyond it
	edgeHeld       bool    // another drive read the one that the offset correction needs

	flagged  int // batches in a row whose error pointers are doubtful
	trials   int // of error pointers, in the middle of the rip
	cache    cache
	truthful bool // the drive named a sector inside of those it was asked for, and not only the first
	asked    bool // whether it does was found out
	hopeless bool // that damage is sampled was said
	blocks   blocks
	evidence evidence
	audioWay audioWay
	votes    readings // of audio that is not right
	voted    []Vote
	settled  []Settled
	repaired []Repaired
	compared bool      // audio was read a second time
	damage   Damage    // of the phase that works on it
	damageAt time.Time // when that began

	image      *output   // what was read before, for comparisons
	identity   *identity // of the disc; nil: an older state
	comparing  bool      // compareDisc is at work
	interrupts int       // of a comparison, by a reset or a medium change
}

func newReader(c *Contents, p *plan, opts Options, w *writer) *reader {
	r := &reader{
		drive: &drive.Reader{Drive: c.reader.Drive, Caps: p.caps}, disc: c, plan: p, opts: opts, sink: w, tracker: &w.tracker,
		image: w.out, identity: w.state.Identity,
	}
	r.progress.Coverage = r.coverage
	return r
}

func (r *reader) clock() scsi.Clock { return r.drive.Drive.Clock() }

// run reads everything: first all that reads easily, then what lies around
// damage, then the damage again and again.
func (r *reader) run(ctx context.Context) error {
	r.setSpeeds(ctx)
	if err := r.drive.Drive.PreventRemoval(ctx); err == nil {
		// Always allowed again, also when ctx has ended.
		defer func() { _ = r.drive.Drive.AllowRemoval(context.WithoutCancel(ctx)) }()
	}
	defer r.resetSpeed(context.WithoutCancel(ctx)) // the drive keeps it for the next program
	defer r.phaseOver()
	return r.passes(ctx)
}

// maxResets is how many times in a row a command is sent again after the drive
// was reset or busy.
const maxResets = 5

// A sectorsError says that sectors could not be read, while the drive works.
type sectorsError struct {
	err error
	// kept is how many of the sectors came before one that failed, and are on their way to the
	// image.
	kept int
}

func (e *sectorsError) Error() string { return e.err.Error() }
func (e *sectorsError) Unwrap() error { return e.err }

// read reads sectors and passes them on. Errors that end the rip come back as
// they are; one of the sectors asked for as a [*sectorsError].
func (r *reader) read(ctx context.Context, g *region, at disc.LBA, n int, what intent) error {
	if err := r.sink.failure(); err != nil {
		return err
	}
	if err := r.bound(); err != nil {
		return err
	}
	begin := r.clock().Now()
	r.tracker.working(g.position(at))
	b := r.sink.take()
	b.prepare(r.plan, g, at, n)
	b.intent = what
	if g.void != notVoid {
		b.intent = absent
		r.sink.send(b)
		r.report(at, n, r.clock().Now().Sub(begin))
		return nil
	}
	if r.progress.Damage != nil {
		r.report(at, 0, 0) // before it takes its time
	}
	var err error
	for range maxResets {
		if err = r.fetch(ctx, b); err == nil {
			r.given = true
			if what == firstReading && r.progress.Phase == Copying {
				r.watchPointers(ctx, b)
			}
			if len(b.buf) != n*max(g.size, r.plan.caps.Stride(g.coding)) { // its form was given up
				r.sink.drop(b)
				return r.read(ctx, g, at, n, what)
			}
			r.keepAudio(b)
			r.sink.send(b)
			r.report(at, n, r.clock().Now().Sub(begin))
			return nil
		}
		again, fatal := r.judge(ctx, err)
		if fatal != nil {
			r.sink.drop(b)
			return fatal
		}
		if !again {
			break
		}
	}
	kept := r.keepHead(b, err)
	r.report(at, kept, r.clock().Now().Sub(begin))
	return &sectorsError{err, kept}
}

// keepHead passes on what came of data before the sector that the drive says failed.
func (r *reader) keepHead(b *batch, err error) (kept int) {
	bad := failedAt(err)
	if b.r.coding == drive.Data && drive.Classify(err) == drive.Sector && bad > b.at && bad < b.at+disc.LBA(b.n) {
		kept = min(b.came, int(bad-b.at))
	}
	if kept == 0 {
		r.sink.drop(b)
		return 0
	}
	r.noteHead(b.at, kept)
	b.buf = b.buf[:len(b.buf)/b.n*kept]
	b.n = kept
	r.sink.send(b)
	return kept
}

// judge sorts the error of a read: fatal ends the rip; again says that the drive
// was reset or busy and is ready now, so that the command is worth another
// attempt; with neither, the error is one of the sectors asked for.
func (r *reader) judge(ctx context.Context, err error) (again bool, fatal error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	switch drive.Classify(err) {
	case drive.Gone, drive.Forbidden:
		return false, fmt.Errorf("%w: %w", ErrDrive, err)
	case drive.NoMedium:
		return false, fmt.Errorf("%w: %w", ErrTakenOut, err)
	case drive.Protected:
		return false, r.refusedAsProtected(ctx, err)
	case drive.Refused:
		if scsi.IsSense(err, scsi.IllegalRequest, scsi.ASCInvalidOpcode, scsi.AnyQualifier) {
			return false, fmt.Errorf("%w: %w", ErrDrive, err)
		}
	case drive.Busy, drive.NotReady, drive.Attention, drive.Changed, drive.Unusable:
		return true, r.recover(ctx, drive.Classify(err) != drive.Busy)
	}
	return false, nil
}

// recover waits for the drive after a reset or a medium change. Where the disc may
// have been changed, it makes sure that it is still the same.
func (r *reader) recover(ctx context.Context, changed bool) error {
	early, stop := untilClosed(ctx, r.opts.Finish)
	defer stop()
	m, err := drive.Survey(early, r.drive.Drive, drive.ForReading)
	if err != nil {
		return cmp.Or(r.bound(), err)
	}
	if m.Contents == nil || m.Contents.ID != r.disc.Contents.ID {
		return fmt.Errorf("%w (it was changed while it was being read)", ErrOtherDisc)
	}
	if !changed {
		return nil
	}
	if r.comparing {
		r.interrupts++
		return nil
	}
	r.sink.drain()
	if r.identity != nil {
		if err := r.disc.identifier().compare(ctx, r.identity, r.disc.Layout); err != nil {
			return err
		}
	}
	return r.compareDisc(ctx)
}

// fetch reads the sectors of a batch.
func (r *reader) fetch(ctx context.Context, b *batch) error {
	if b.r.coding == drive.Audio && r.plan.offset != 0 {
		return r.fetchShifted(ctx, b)
	}
	if stride := r.plan.caps.Stride(b.r.coding); b.n < r.plan.perCommand(b.r) && drive.Tidy(1, stride) == 0 && drive.Tidy(b.n, stride) != b.n && r.readPadded(ctx, b) {
		return nil
	}
	var err error
	b.came, err = r.drive.ReadSome(ctx, b.buf, b.at, b.n, b.r.coding)
	return err
}

// bytesPerSample is the size of one stereo sample of 16 bits.
const bytesPerSample = 4

// fetchShifted reads audio as if the drive had no read offset: the samples wanted
// lie across other sectors than those addressed. What would lie outside of the
// audio that the drive can reach is silence.
func (r *reader) fetchShifted(ctx context.Context, b *batch) error {
	shift := int64(r.plan.offset) * bytesPerSample
	start := int64(b.at)*cdsector.Size + shift
	first := disc.LBA(floorDiv(start, cdsector.Size))
	skip := int(start - int64(first)*cdsector.Size)
	need := b.n + 1
	stride := r.plan.caps.Stride(drive.Audio)
	if cap(b.raw) < need*stride {
		b.raw = make([]byte, need*stride)
	}
	raw := b.raw[:need*stride]
	clear(raw)
	low, high := r.plan.regions.audioAround(b.r)
	from, to := max(first, low), min(first+disc.LBA(need), high)
	if from < to {
		part := raw[int(from-first)*stride:][:int(to-from)*stride]
		if err := r.drive.Read(ctx, part, from, int(to-from), drive.Audio); err != nil {
			return err
		}
	}
	if err := r.overread(ctx, raw, first, first+disc.LBA(need)); err != nil {
		return err
	}
	for i := range b.n {
		out := b.buf[i*stride:][:stride]
		one, two := raw[i*stride:][:stride], raw[(i+1)*stride:][:stride]
		copy(out, one[skip:cdsector.Size])
		copy(out[cdsector.Size-skip:cdsector.Size], two)
		shiftPointers(out[cdsector.Size:], one[cdsector.Size:], two[cdsector.Size:], skip)
	}
	return nil
}

// shiftPointers makes the error pointers of a sector that begins so many bytes into another: the
// pointers themselves come first. Where it does not show which bytes they mark, all are marked.
func shiftPointers(out, one, two []byte, skip int) {
	if len(out) == 0 || allZero(one) && allZero(two) {
		clear(out)
		return
	}
	a, b := drive.Pointers(one), drive.Pointers(two)
	if a == nil || b == nil {
		for i := range out {
			out[i] = 0xFF
		}
		return
	}
	var e cdsector.Erasures
	for i := range cdsector.Size {
		if from := skip + i; from < cdsector.Size && a.Has(from) || from >= cdsector.Size && b.Has(from-cdsector.Size) {
			e.Set(i)
		}
	}
	clear(out)
	copy(out, e[:])
	if len(out) > len(e) {
		for _, x := range e {
			out[len(e)] |= x
		}
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// report informs the observer of a command.
func (r *reader) report(at disc.LBA, n int, took time.Duration) {
	p := &r.progress
	if p.Phase == Trimming || p.Phase == Retrying { // of which every sector counts
		r.sink.drain()
	}
	t := r.tracker.tally()
	p.Done, p.Bad, p.Total = t.finished, t.bad, t.total
	if p.Phase == Copying {
		p.Done += t.once
	}
	p.LBA, p.Sectors = at, n
	r.reportDamage(t.untrimmed)
	if took > 0 {
		p.Speed = float64(n*r.disc.Layout.Medium.SectorSize()) / took.Seconds()
	}
	r.opts.Observer.Progress(*p)
	r.sink.tick(r.clock().Now())
}

// reportDamage says how far work on damage has come.
func (r *reader) reportDamage(untrimmed int64) {
	d, size := &r.damage, int64(r.plan.regions[0].size)
	switch r.progress.Phase {
	case Trimming:
		d.Of = max(d.Of, int(untrimmed/size))
		d.Tried = d.Of - int(untrimmed/size)
	case Retrying:
	default:
		r.progress.Damage = nil
		return
	}
	d.Elapsed, d.ToGo = r.clock().Now().Sub(r.damageAt), 0
	if d.Tried > 0 {
		d.ToGo = d.Elapsed / time.Duration(d.Tried) * time.Duration(max(0, d.Of-d.Tried))
	}
	now := *d
	r.progress.Damage = &now
}

func (r *reader) setPhase(ph Phase, status mapfile.Status, pass int) {
	r.phaseOver()
	r.damage, r.damageAt = Damage{}, r.clock().Now()
	r.progress.Phase, r.progress.Pass = ph, pass
	r.tracker.phase(status, pass)
}

// phaseOver reports how a phase ended.
func (r *reader) phaseOver() {
	if r.progress.Phase != "" {
		r.sink.drain()
		r.report(r.progress.LBA, 0, 0)
	}
}

// The slowest speed of the ladder, times 1x, and 1x in bytes a second.
var ladder = map[disc.Medium]struct{ oneX, least float64 }{
	disc.CD: {mmc.CDSpeed, 4}, disc.DVD: {mmc.DVDSpeed, 2}, disc.BD: {mmc.BDSpeed, 1},
}

// setSpeeds chooses the ladder of speeds: the first pass at the one asked for,
// each pass of retrying at half the one before.
func (r *reader) setSpeeds(ctx context.Context) {
	step := ladder[r.disc.Layout.Medium]
	r.progress.OneX = step.oneX
	oneX, top := step.oneX/1000, 0.0
	if r.opts.Speed > 0 {
		top = float64(r.opts.Speed) * oneX
		r.setSpeed(ctx, int(top))
	} else if caps, err := r.drive.Drive.Capabilities(ctx); err == nil {
		top = float64(max(caps.ReadSpeed, caps.MaxReadSpeed))
	}
	r.speeds = []int{int(top)}
	for v := top / 2; v >= step.least*oneX; v /= 2 {
		r.speeds = append(r.speeds, int(v))
	}
	if lowest := int(step.least * oneX); top > 0 && r.speeds[len(r.speeds)-1] > lowest {
		r.speeds = append(r.speeds, lowest)
	}
}

// setSpeed asks for a speed in kB/s. Drives that do not listen are no error.
func (r *reader) setSpeed(ctx context.Context, kBps int) {
	if kBps <= 0 {
		return
	}
	if r.setStreaming(ctx, kBps) == nil {
		return
	}
	err := r.drive.Drive.SetCDSpeed(ctx, kBps, mmc.MaxSpeed)
	if drive.Classify(err) == drive.Forbidden {
		r.opts.Observer.Note(Note{Code: NoteSpeedForbidden})
	}
}

// resetSpeed gives the choice of speed back to the drive.
func (r *reader) resetSpeed(ctx context.Context) {
	if r.setStreaming(ctx, 0) != nil {
		_ = r.drive.Drive.SetCDSpeed(ctx, mmc.MaxSpeed, mmc.MaxSpeed) // a courtesy to the next program
	}
}

var errNoStreaming = errors.New("CDs have no streaming")

// setStreaming sets the speed of DVDs and BDs.
func (r *reader) setStreaming(ctx context.Context, kBps int) error {
	if r.disc.Layout.Medium == disc.CD {
		return errNoStreaming
	}
	return r.drive.Drive.SetStreaming(ctx, max(0, r.disc.Layout.End()-1), kBps, kBps)
}
