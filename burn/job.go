package burn

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"spindle/disc"
	"spindle/scsi/mmc"
)

// A Job is one burn on one drive.
type Job struct {
	Drive    *mmc.Drive
	Medium   *Medium
	Plan     *Plan
	Log      Log // or nil
	Observer Observer
	Verify   bool
	// RealTime asks the system for real-time priority for the threads that
	// feed the drive, and locks the buffers of the burn into memory. Without
	// permission it has no effect.
	RealTime bool
	// KeepTray: the tray is not moved before the disc is compared, not even where
	// the drive does not see what was burned.
	KeepTray bool
}

// A Log keeps how a burn goes, so that one that fails can be resumed. Package
// burn/journal has one. Its methods are called one at a time.
type Log interface {
	// Reached is called at the beginning of each step and twice a second while
	// sectors are written, unless it is still at work: the latest position counts,
	// and the drive does not wait for it.
	Reached(Position)
	// Failed is called once the state of the disc is known.
	Failed(*Error)
	// Verified is called when the disc was compared.
	Verified(*Verification)
	// Ended is called last.
	Ended(Result)
}

// Result is how a job ended.
type Result struct {
	// Err is nil, an [*Error], or what stopped the verification.
	Err error
	// Verification is nil where nothing was compared. After an error in
	// closing the disc it says whether the data are intact anyway.
	Verification *Verification
	State        DiscState

	withoutText bool // the drive refused CD-TEXT
}

// Run burns src on every job's drive, reading the image once. The plans of all jobs
// must be alike; there is a result for each.
func Run(ctx context.Context, src *Source, jobs ...*Job) []Result {
	results := make([]Result, len(jobs))
	most := chunkSize
	realTime := false
	for _, j := range jobs {
		if err := Alike(jobs[0].Plan, j.Plan); err != nil {
			for k := range results {
				results[k] = Result{Err: err, State: Untouched}
			}
			return results
		}
		most = min(most, j.Drive.MaxTransfer())
		realTime = realTime || j.RealTime
	}
	f := startFeed(ctx, src, jobs[0].Plan.Steps, most, len(jobs), realTime)
	var wg sync.WaitGroup
	var alive atomic.Int32
	alive.Store(int32(len(jobs)))
	for i := range jobs {
		wg.Go(func() {
			results[i] = jobs[i].burn(ctx, f, i)
			if alive.Add(-1) == 0 {
				f.stop() // the rest of the image is not needed
			}
			// A drive that has given up must not hold up the others.
			for c := range f.outs[i] {
				f.release(c)
			}
		})
	}
	wg.Wait()
	f.close()
	for i, j := range jobs {
		j.finish(ctx, src, &results[i])
	}
	return results
}

// Alike says whether two plans write the same to the same places, so that one
// reading of the image serves both; the error wraps [ErrOptions].
func Alike(a, b *Plan) error {
	err := &Refusal{Kind: ErrOptions, Reason: NotAlike}
	if len(a.Steps) != len(b.Steps) {
		return err
	}
	for i := range a.Steps {
		if !alike(a.Steps[i], b.Steps[i]) {
			return err
		}
	}
	return nil
}

func alike(a, b Step) bool {
	v, ok := a.(writing)
	w, also := b.(writing)
	return reflect.TypeOf(a) == reflect.TypeOf(b) && ok == also && (!ok || v.area() == w.area())
}

// touches reports whether a step changes what is on the disc.
func touches(s Step) bool {
	switch s.(type) {
	case writing, BlankStep, FormatStep, LayerStep:
		return true
	}
	return false
}

// leaves is what a disc is after the plan.
func (p *Plan) leaves() DiscState {
	switch {
	case p.Simulate:
		return StillBlank
	case p.Mode == Overwrite:
		return Overwritable
	case !p.Final:
		return Appendable
	}
	return Complete
}

// spoils is what a disc is that the drive calls so after a burn that failed: one that
// is closed, or was to be written at once, is wasted if part of the image is
// missing.
func (p *Plan) spoils(e *Error, state DiscState) DiscState {
	end := disc.LBA(0)
	for _, r := range p.Content {
		end = max(end, r.end())
	}
	partly := !p.Simulate && e.Writing() && e.At.LBA < end
	if partly && (state == Complete || state == Appendable && p.Mode == DiscAtOnce && e.At.LBA > p.Start) {
		return Spoiled
	}
	return state
}

// burn executes the plan.
func (j *Job) burn(ctx context.Context, f *feed, number int) Result {
	w := watch(j.Observer)
	defer w.close()
	notes := newScribe(j.Log)
	defer notes.close()
	patient := j.Drive.Patient()
	b := &burner{drive: patient, medium: j.Medium, plan: j.Plan, feed: f, number: number, watch: w, realTime: j.RealTime, record: notes.reached}
	err := b.run(ctx)
	if err == nil {
		return Result{State: j.Plan.leaves(), withoutText: b.withoutText}
	}
	var e *Error
	if !errors.As(err, &e) {
		return Result{Err: err, State: Unknown}
	}
	touched := b.begun && slices.ContainsFunc(j.Plan.Steps[:e.At.Step+1], touches)
	if touched {
		abandon(ctx, patient)
	} else {
		_ = j.Drive.AllowRemoval(context.WithoutCancel(ctx))
	}
	e.State = j.Plan.spoils(e, stateAfter(ctx, patient))
	if !touched && e.State != Unknown {
		e.State = Untouched
	}
	if j.Plan.Simulate && e.State != Unknown {
		e.State = StillBlank
	}
	return Result{Err: e, State: e.State}
}

// finish verifies, and ends the log.
func (j *Job) finish(ctx context.Context, src *Source, r *Result) {
	var e *Error
	failed := errors.As(r.Err, &e)
	if failed && j.Log != nil {
		j.Log.Failed(e)
	}
	if j.Verify && !j.Plan.Simulate && (r.Err == nil || failed && j.mayHold(e) && !errors.Is(r.Err, context.Canceled)) {
		j.compare(ctx, src, r)
	}
	if j.Log == nil {
		return
	}
	if r.Verification != nil {
		j.Log.Verified(r.Verification)
	}
	j.Log.Ended(*r)
}

// compare compares the disc with what was sent to the drive. CD-TEXT that the drive did not take is not looked for.
func (j *Job) compare(ctx context.Context, src *Source, r *Result) {
	plan := *j.Plan
	if r.withoutText {
		plan.Steps = slices.DeleteFunc(slices.Clone(plan.Steps), func(s Step) bool { _, ok := s.(TextStep); return ok })
	}
	w := watch(j.Observer)
	v, err := verify(ctx, j.Drive, src, &plan, w, j.KeepTray)
	w.close()
	if r.Verification = v; v != nil && r.withoutText {
		v.LeftOut = []Label{{Kind: LabelText}}
	}
	if err != nil && r.Err == nil {
		r.Err = &VerifyError{err}
		j.notBurned(ctx, r)
	}
}

// mayHold reports whether a burn that failed may have left all of the image on the disc: at its
// end, and also where the drive closed the disc though it did not write the rest of its
// buffer, as it says.
func (j *Job) mayHold(e *Error) bool {
	return e.AtClose() || e.State == Complete && e.At.Step > lastWriting(j.Plan.Steps)
}

// ErrStillBlank means that the drive reported no error, and burned nothing.
var ErrStillBlank = errors.New("the drive reported success, and the disc is still blank")

// notBurned makes a burn that could not be compared one that failed where the disc is
// blank, which the drive says of a disc that it has just loaded.
func (j *Job) notBurned(ctx context.Context, r *Result) {
	stale := j.KeepTray && errors.Is(r.Err, ErrReload)
	if ctx.Err() != nil || stale || j.Plan.Mode == Overwrite || stateAfter(ctx, j.Drive) != StillBlank {
		return
	}
	last := len(j.Plan.Steps) - 1
	e := &Error{Step: j.Plan.Steps[last], At: Position{Step: last}, State: StillBlank, Err: ErrStillBlank}
	r.Err, r.State = e, StillBlank
	if j.Log != nil {
		j.Log.Failed(e)
	}
}

// A VerifyError is a burn that went well, and could not be verified.
type VerifyError struct{ Err error }

// Error implements error.
func (e *VerifyError) Error() string {
	return fmt.Sprintf("the disc was burned, and could not be compared with the image: %v", e.Err)
}

// Unwrap returns why the disc could not be compared.
func (e *VerifyError) Unwrap() error { return e.Err }
