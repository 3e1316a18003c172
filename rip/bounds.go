package rip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"spindle/image/mapfile"
	"spindle/iso"
)

// Errors of a rip that ended before its image was whole. They come in an [*IncompleteError].
var (
	// ErrTimeUp: [Options.MaxTime] is over.
	ErrTimeUp = errors.New("the time for this rip is up")
	// ErrManyErrors: as many sectors as [Options.MaxErrors] allows turned out unreadable.
	ErrManyErrors = errors.New("too many sectors are unreadable")
	// ErrWorse: all was tried, and the image is not to replace one of its name that has less damage, or none.
	ErrWorse = errors.New("the new image is damaged more than the one that it is to replace")
)

// errFinish: [Options.Finish] was closed.
var errFinish = fmt.Errorf("asked to finish: %w", context.Canceled)

// An IncompleteError says that a rip ended before it had tried all of the disc, or, where the
// context ended, before it was done. What was read is kept, and the same call resumes there.
type IncompleteError struct {
	Map     string
	Sectors int64      // of the image
	Left    []BadRange // what it does not hold yet, or not right
	// Files have a part in that, as far as the directories are read; some of many.
	Files []iso.DamagedFile
	Err   error // why it ended
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("rip: incomplete: %s (%s)", e.Err, e.Map)
}
func (e *IncompleteError) Unwrap() error { return e.Err }

// endsRip reports whether an error says that a rip was to end here, and not that it
// failed.
func endsRip(err error) bool {
	return errors.Is(err, ErrWorse) || errors.Is(err, ErrTimeUp) || errors.Is(err, ErrManyErrors) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// incomplete says what is left where a rip was ended; other errors stay as they are.
func (j *job) incomplete(r *reader, err error) error {
	if err == nil || !endsRip(err) {
		return err
	}
	rs := r.plan.regions
	left := listBad(r.plan.ofAsked(r.tracker.snapshot(), mapfile.Finished), rs, &r.refusals)
	return &IncompleteError{Map: j.mapPath, Sectors: rs.sectors(), Left: left, Files: r.filesIn(left), Err: err}
}

// bounds are when a rip is to end, however much is left.
type bounds struct {
	end     time.Time // zero: never
	errors  int       // sectors; 0: any number
	earlier int       // that were unreadable when this run began
}

func (r *reader) setBounds(began time.Time) {
	if r.opts.MaxTime > 0 {
		r.bounds.end = began.Add(r.opts.MaxTime)
	}
	if r.bounds.errors = r.opts.MaxErrors; r.bounds.errors > 0 {
		r.bounds.earlier = r.tracker.tally().failures(r.plan.regions)
	}
}

// bound returns the error of the bound that is reached, if one is.
func (r *reader) bound() error {
	select {
	case <-r.opts.Finish:
		return errFinish
	default:
	}
	if !r.bounds.end.IsZero() && !r.clock().Now().Before(r.bounds.end) {
		return ErrTimeUp
	}
	if r.bounds.errors == 0 {
		return nil
	}
	r.sink.drain() // what is on its way counts
	if r.tracker.tally().failures(r.plan.regions)-r.bounds.earlier >= r.bounds.errors {
		return ErrManyErrors
	}
	return nil
}

// pause waits, but not beyond the end of the rip.
func (r *reader) pause(ctx context.Context, d time.Duration) error {
	if end := r.bounds.end; !end.IsZero() {
		d = min(d, max(0, end.Sub(r.clock().Now())))
	}
	ctx, stop := untilClosed(ctx, r.opts.Finish)
	defer stop()
	if err := r.clock().Sleep(ctx, d); err != nil {
		return cmp.Or(r.bound(), err)
	}
	return nil
}

// untilClosed returns a context that ends when a channel is closed, too.
func untilClosed(ctx context.Context, c <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if c == nil {
		return ctx, cancel
	}
	go func() {
		select {
		case <-c:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// failures counts the sectors that are known to be unreadable.
func (y tally) failures(rs regions) int { return int((y.bad - y.untrimmed) / int64(rs[0].size)) }

// stopped sorts the error of a phase after which the image is finished as it is: why is that
// of a bound, or [errGaveUp].
func (r *reader) stopped(err error) (why, fatal error) {
	switch {
	case errors.Is(err, errGaveUp):
		return err, nil
	case errors.Is(err, errFinish):
		r.opts.Observer.Note(Note{Code: NoteFinishing})
		return err, nil
	case errors.Is(err, ErrTimeUp):
		r.opts.Observer.Note(Note{Code: NoteTimeUp, After: r.opts.MaxTime})
		return err, nil
	case errors.Is(err, ErrManyErrors):
		r.opts.Observer.Note(Note{Code: NoteManyErrors, Count: int64(r.opts.MaxErrors)})
		return err, nil
	}
	return nil, err
}

// passes reads in passes over the disc, from what is easy to what is hard.
// Sectors that an earlier run found damaged are tried again, and that counts as
// retrying. Where a bound of the options ends it after all of the disc was tried, the
// rest stays in the state it is in.
func (r *reader) passes(ctx context.Context) error {
	if err := inTurn(ctx, r.firstPass, r.copyPass); err != nil {
		return err
	}
	if r.tracker.tally().bad > 0 && !r.opts.Quick {
		r.nameFiles()
	}
	why, err := r.stopped(r.closeIn(ctx))
	if err == nil {
		err = inTurn(ctx, r.provePass, r.repairPass) // they cost the drive nothing
	}
	if err == nil {
		why, err = r.readAgain(ctx, why)
	}
	if err == nil && !r.opts.Quick {
		err = r.settlePass(ctx) // it costs the drive nothing
	}
	if err != nil {
		return err
	}
	if why == nil || errors.Is(why, errGaveUp) {
		// What never came twice the same:
		r.eachAudio(func(g *region) { r.tracker.replace(g.pos, g.bytes(), readOnce, flawed) })
	}
	return nil
}

// inTurn carries out passes up to the one that fails.
func inTurn(ctx context.Context, passes ...func(context.Context) error) error {
	for _, pass := range passes {
		if err := pass(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readAgain reads what was read once a second time, and retries what is bad. After closing in
// was given up there is only the second reading, after a bound was reached neither. It
// takes, and returns, why the phase before it was ended.
func (r *reader) readAgain(ctx context.Context, why error) (ended, fatal error) {
	gaveUp := errors.Is(why, errGaveUp)
	if why != nil && !gaveUp {
		return why, nil
	}
	if r.plan.readTwice {
		var err error
		if why, err = r.stopped(r.comparePass(ctx)); err == nil {
			err = r.repairPass(ctx)
		}
		if err != nil {
			return why, err
		}
	}
	if gaveUp || why != nil || r.opts.Quick {
		return why, nil
	}
	why, err := r.stopped(r.retryPasses(ctx))
	if err == nil && why != nil { // in the middle of a pass
		err = r.repairPass(ctx)
	}
	return why, err
}

// closeIn finds the sectors that are really damaged in the blocks that failed. What it does
// not come to is filled, and stays to be closed in on by the next run.
func (r *reader) closeIn(ctx context.Context) error {
	if r.opts.Quick {
		r.fillUntrimmed()
		return nil
	}
	err := r.trimPass(ctx)
	if why := err; errors.Is(why, errGaveUp) || errors.Is(why, errFinish) || errors.Is(why, ErrTimeUp) || errors.Is(why, ErrManyErrors) {
		r.fillUntrimmed()
	}
	return err
}
