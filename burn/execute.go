package burn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/internal/realtime"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// burner executes a plan on one drive.
type burner struct {
	drive  *mmc.Drive
	medium *Medium
	plan   *Plan
	feed   *feed
	number int // of the drive in the feed
	record func(Position)
	watch  *watcher

	oneX        float64
	total       int64
	done        int64
	lastLook    time.Time // at the drive's buffer
	buffer      float64
	unsure      error // of the last WRITE, which the drive seems to have accepted anyway
	verified    bool  // by the drive: it does not stream
	withoutText bool  // the drive refused CD-TEXT
	params      mmc.WriteParameters
	silent      bool // the drive does not say how full its buffer is
	mute        bool // an adapter never says that the drive is ready, or why it is not
	begun       bool // a step was, at least
	residue     bool // the adapter says that it does not transfer all of a WRITE
	rate        float64
	rateAt      time.Time
	rateFrom    int64
	realTime    bool
	at          disc.LBA // after the last sector that the drive took
	sent        Sum      // of what it took of the image
}

// lookEvery is how often a burn reports how it goes.
const lookEvery = 500 * time.Millisecond

// run executes the steps.
func (b *burner) run(ctx context.Context) error {
	if b.realTime {
		defer realtime.Prioritize()()
	}
	b.total, b.oneX, b.buffer = b.plan.Bytes(), speedUnit(b.plan.Profile), -1
	b.at = b.plan.resumesAt()
	b.rateAt = b.drive.Clock().Now()
	b.lastLook = b.rateAt
	// A drive without a lock, or with a speed of its own, burns as well.
	if err := b.drive.PreventRemoval(ctx); err != nil && (!drive.Classify(err).Answered() || drive.Classify(err) == drive.Changed) {
		return b.failed(0, err) // another disc, perhaps, than the one that was surveyed
	}
	defer func() { _ = b.drive.AllowRemoval(context.WithoutCancel(ctx)) }()
	if err := b.setSpeed(ctx); err != nil && !drive.Classify(err).Answered() {
		return b.failed(0, err)
	}
	// The survey took such a drive for ready.
	work, err := b.drive.Busy(ctx)
	if drive.Classify(err) == drive.Changed {
		return b.failed(0, err)
	}
	b.mute, b.begun = err == nil && work.Unexplained, true
	last := lastWriting(b.plan.Steps)
	for i, s := range b.plan.Steps {
		if last >= 0 && i > last {
			// All is written: it is closed, whoever loses patience.
			ctx = context.WithoutCancel(ctx)
		}
		b.record(Position{i, b.at, b.sent})
		if err := s.run(ctx, b, i); err != nil {
			return b.failed(i, err)
		}
	}
	return nil
}

// resumesAt is the address up to which the disc holds the image before the plan: 0 of a burn
// from the start.
func (p *Plan) resumesAt() disc.LBA {
	for _, s := range p.Steps {
		if w, ok := s.(WriteStep); ok && w.LBA > p.Start && w.Source > 0 {
			return w.LBA
		}
	}
	return 0
}

// lastWriting is the last step that writes, or -1.
func lastWriting(steps []Step) int {
	for i, s := range slices.Backward(steps) {
		if Writes(s) {
			return i
		}
	}
	return -1
}

// failed makes the error of a step.
func (b *burner) failed(i int, err error) error {
	return &Error{Step: b.plan.Steps[i], At: Position{i, b.at, b.sent}, Err: err, State: Unknown}
}

func (b *burner) setSpeed(ctx context.Context) error {
	if b.plan.Speed <= 0 {
		return nil
	}
	if b.medium.Kind() != disc.CD {
		err := b.drive.SetStreaming(ctx, disc.LBA(max(0, b.medium.Capacity-1)), b.plan.Speed, b.plan.Speed)
		if err == nil || !drive.Classify(err).Answered() {
			return err
		}
		// Drives that do not know it, or not for this disc, take the other (libburn).
	}
	return b.drive.SetCDSpeed(ctx, mmc.MaxSpeed, b.plan.Speed)
}

// freeSpeed lets a drive read as fast as it likes: the speed of a burn counts for
// reading, too, on DVD and BD.
func freeSpeed(ctx context.Context, d *mmc.Drive, p mmc.Profile) {
	if drive.KindOf(p) != disc.CD {
		_ = d.SetStreaming(ctx, 0, 0, 0) // a drive that refuses reads as well
	}
}

// immediate runs a long command with its immediate bit and waits for its end; a
// drive that refuses the bit, or does not tell its end, gets the command without it.
func (b *burner) immediate(ctx context.Context, phase Phase, limit time.Duration, command func(mmc.Completion) error) error {
	b.watch.report(Progress{Phase: phase, Total: 1000, OneX: b.oneX, DriveBuffer: -1})
	if b.mute {
		return drive.Retry(ctx, b.drive, func() error { return command(mmc.Wait) })
	}
	err := drive.Retry(ctx, b.drive, func() error { return command(mmc.Immediate) })
	if drive.Classify(err) == drive.Refused {
		if err = drive.Retry(ctx, b.drive, func() error { return command(mmc.Wait) }); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return b.wait(ctx, phase, limit)
}

// wait waits until the drive has finished.
func (b *burner) wait(ctx context.Context, phase Phase, limit time.Duration) error {
	clock := b.drive.Clock()
	start := clock.Now()
	for attentions := 0; ; {
		work, err := b.drive.Busy(ctx)
		switch s := scsi.SenseOf(err); {
		case err == nil && !work.Busy:
			return nil
		case err == nil:
		case s != nil && s.Key == scsi.UnitAttention && !s.Deferred && attentions < 8:
			attentions++ // a disc that was blanked or formatted is news to the drive
			continue
		case s != nil && s.Key == scsi.RecoveredError && !s.Deferred:
			return nil
		default:
			return err
		}
		if clock.Now().Sub(start) > limit {
			return fmt.Errorf("the drive has not finished %s after %s: %w", phase, limit, scsi.ErrTimeout)
		}
		if work.Progress >= 0 {
			b.watch.report(Progress{Phase: phase, Done: int64(work.Progress * 1000), Total: 1000, OneX: b.oneX, DriveBuffer: -1})
		}
		if err := clock.Sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// blank erases the disc; where the quick way fails, as after a burn that was
// interrupted, the whole disc.
func (b *burner) blank(ctx context.Context, t mmc.BlankType) error {
	err := b.immediate(ctx, Blanking, eraseLimit, func(c mmc.Completion) error { return b.drive.Blank(ctx, t, c) })
	s := scsi.SenseOf(err)
	if t == mmc.BlankMinimal && s != nil && (s.Key == scsi.MediumError || s.Key == scsi.IllegalRequest) {
		b.watch.note(Note{Code: NoteFullBlank})
		err = b.immediate(ctx, Blanking, eraseLimit, func(c mmc.Completion) error { return b.drive.Blank(ctx, mmc.BlankAll, c) })
	}
	if err != nil {
		return err
	}
	return drive.WaitReady(ctx, b.drive, drive.ReadyLimit)
}

// calibrate finds the power of the laser. Drives do so by themselves before the first
// WRITE: one that refuses, or fails here, may still burn well (libburn never
// asks for it).
func (b *burner) calibrate(ctx context.Context) error {
	err := drive.Retry(ctx, b.drive, func() error { return b.drive.CalibratePower(ctx) })
	switch s := scsi.SenseOf(err); {
	case s == nil || s.Deferred:
		return err
	case s.Key == scsi.IllegalRequest:
		return nil
	case s.Key == scsi.MediumError && s.ASC == scsi.ASCCDControl:
		b.watch.note(Note{Code: NoteCalibration})
		return nil
	}
	return err
}

// expect checks that writing continues where the plan has it.
func (b *burner) expect(ctx context.Context, want disc.LBA) error {
	var at disc.LBA
	err := drive.Retry(ctx, b.drive, func() error {
		var err error
		at, err = drive.NextWritable(ctx, b.drive, b.plan.Profile)
		return err
	})
	switch {
	case err != nil:
		return err
	case at != want:
		return &Refusal{Kind: ErrAddress, Reason: Moved, Disc: b.plan.Profile, A: int(at), B: int(want)}
	}
	return nil
}

// write sends the sectors of the i-th step.
func (b *burner) write(ctx context.Context, i int, area Region) error {
	return b.pass(ctx, i, area, func(c *chunk) error { return b.send(ctx, stretch{c.first, c.n, c.data}) })
}

// pass takes the sectors of the i-th step from the feed, and sends them on.
func (b *burner) pass(ctx context.Context, i int, area Region, send func(*chunk) error) error {
	end := area.end()
	if b.at < area.LBA || b.at >= end {
		b.at = area.LBA
	}
	for b.at < end {
		var c *chunk
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c = <-b.feed.outs[b.number]:
		}
		switch {
		case c == nil:
			return errors.Join(ctx.Err(), ErrSource)
		case c.err != nil:
			return c.err
		case c.step != i:
			return fmt.Errorf("a chunk of step %d in step %d", c.step, i)
		}
		b.at = c.first
		if c.note != nil {
			b.watch.note(*c.note)
		}
		var err error
		if c.n > 0 {
			err = send(c)
		}
		n, size, sent, last := c.n, len(c.data), c.sent, c.last
		b.feed.release(c)
		if err != nil {
			return err
		}
		b.at += disc.LBA(n)
		b.sent = sent
		b.done += int64(size)
		if err := b.look(ctx, i); err != nil || last {
			return err
		}
	}
	return nil
}

// look reports how writing goes, now and then.
func (b *burner) look(ctx context.Context, i int) error {
	now := b.drive.Clock().Now()
	if now.Sub(b.lastLook) < lookEvery {
		return nil
	}
	b.lastLook = now
	b.record(Position{i, b.at, b.sent})
	if err := b.lookAtBuffer(ctx); err != nil {
		return err
	}
	if passed := now.Sub(b.rateAt); passed > 0 {
		b.rate = float64(b.done-b.rateFrom) / passed.Seconds()
		b.rateAt, b.rateFrom = now, b.done
	}
	b.watch.report(Progress{Phase: Writing, Done: b.done, Total: b.total, Speed: b.rate, OneX: b.oneX,
		DriveBuffer: b.buffer, HostBuffer: b.feed.fill(b.number)})
	return nil
}

// lookAtBuffer asks how full the drive's buffer is. A drive that cannot tell is not
// asked again, whatever the reason: the next WRITE shows whether it is still there. The
// error is that of an earlier WRITE.
func (b *burner) lookAtBuffer(ctx context.Context) error {
	if b.silent {
		return nil
	}
	c, err := b.drive.BufferCapacity(ctx)
	switch drive.Classify(err) {
	case drive.OK:
		if c.Size > 0 {
			b.buffer = 1 - float64(c.Free)/float64(c.Size)
		}
	case drive.Deferred:
		return err
	case drive.Busy, drive.Attention, drive.Recovered:
	default:
		b.silent, b.buffer = true, -1
	}
	return nil
}

// synchronize makes the drive write the rest of its buffer, once in the
// background, and once more without, which some drives need (growisofs).
func (b *burner) synchronize(ctx context.Context) error {
	if b.unsure != nil && !b.settled(ctx) {
		return b.unsure
	}
	b.watch.report(Progress{Phase: Writing, Done: b.done, Total: b.total, OneX: b.oneX, DriveBuffer: b.buffer})
	err := b.immediate(ctx, Closing, closeLimit, func(c mmc.Completion) error { return b.drive.SynchronizeCache(ctx, c) })
	if err != nil {
		return err
	}
	return drive.Retry(ctx, b.drive, func() error { return b.drive.SynchronizeCache(ctx, mmc.Wait) })
}

// abandon leaves the drive in order after a failure: what it holds is written, as
// far as that can be, and it is idle afterwards.
func abandon(ctx context.Context, d *mmc.Drive) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	const attempts = 4 // deferred errors and attentions come first
	for range attempts {
		err := d.SynchronizeCache(ctx, mmc.Immediate)
		if err == nil || !drive.Classify(err).Answered() || drive.Classify(err) == drive.Refused {
			break
		}
	}
	limit := 10 * time.Minute
	for start := d.Clock().Now(); d.Clock().Now().Sub(start) < limit; {
		work, err := d.Busy(ctx)
		if work.Unexplained {
			limit = 10 * time.Second // it may never say anything else
		}
		if !work.Busy || err != nil || d.Clock().Sleep(ctx, pollEvery) != nil {
			break
		}
	}
	_ = d.AllowRemoval(ctx)
}

// stateAfter asks a drive what the disc has become.
func stateAfter(ctx context.Context, d *mmc.Drive) DiscState {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	m, err := Survey(ctx, d)
	if err != nil {
		return Unknown
	}
	return m.State()
}
