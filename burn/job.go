package burn

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
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
	Whole    *Plan   // of a burn that is gone on with: the plan of all of it, to be verified
	Journal  *Writer // or nil
	Observer Observer
	Verify   bool
	// RealTime asks the system for real-time priority for the threads that
	// feed the drive, and locks the buffers of the burn into memory. Without
	// permission it has no effect.
	RealTime bool
}

// Result is how a job ended.
type Result struct {
	// Err is nil, an [*Error], or what stopped the verification.
	Err error
	// Verification is nil where nothing was compared. After an error in
	// closing the disc it says whether the data are good all the same.
	Verification *Verification
	State        DiscState
}

// Run burns an image with one or several drives, of one reading of the image. The
// plans of all jobs must be alike; there is a result for each.
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
				f.stop() // nobody wants the rest of the image
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
		j.finish(ctx, f, src, &results[i])
	}
	return results
}

// Alike says whether two plans write the same to the same places, so that one
// reading of the image serves both; the error wraps [ErrOptions].
func Alike(a, b *Plan) error {
	err := fmt.Errorf("the discs in the drives are not alike: %w", ErrOptions)
	if len(a.Steps) != len(b.Steps) {
		return err
	}
	for i := range a.Steps {
		s, t := &a.Steps[i], &b.Steps[i]
		if s.Op != t.Op || s.LBA != t.LBA || s.Count != t.Count || s.Form != t.Form || s.Source != t.Source || s.Zeros != t.Zeros {
			return err
		}
	}
	return nil
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

// burn executes the plan.
func (j *Job) burn(ctx context.Context, f *feed, number int) Result {
	w := watch(j.Observer)
	defer w.close()
	last := -1
	b := &burner{drive: j.Drive, medium: j.Medium, plan: j.Plan, feed: f, number: number, watch: w, realTime: j.RealTime,
		record: func(step int, at disc.LBA) {
			if j.Journal != nil {
				j.Journal.step(step, at, step != last)
			}
			last = step
		}}
	err := b.run(ctx)
	if err == nil {
		return Result{State: j.Plan.leaves()}
	}
	var e *Error
	if !errors.As(err, &e) {
		return Result{Err: err, State: Unknown}
	}
	touched := false
	for i := range e.Index + 1 {
		switch j.Plan.Steps[i].Op {
		case OpWrite, OpBlank, OpFormat, OpLayer:
			touched = true
		}
	}
	if touched {
		abandon(ctx, j.Drive)
	} else {
		_ = j.Drive.AllowRemoval(context.WithoutCancel(ctx))
	}
	e.State = stateAfter(ctx, j.Drive)
	if !touched && e.State != Unknown {
		e.State = Untouched
	}
	if j.Plan.Simulate && e.State != Unknown {
		e.State = StillBlank
	}
	return Result{Err: e, State: e.State}
}

// finish verifies, and ends the journal.
func (j *Job) finish(ctx context.Context, f *feed, src *Source, r *Result) {
	var e *Error
	failed := errors.As(r.Err, &e)
	if failed && j.Journal != nil {
		j.Journal.failure(e, hex.EncodeToString(f.sum.Sum(nil)), f.bytes)
	}
	if j.Verify && !j.Plan.Simulate && (r.Err == nil || failed && e.AtClose() && !errors.Is(r.Err, context.Canceled)) {
		whole := j.Whole
		if whole == nil {
			whole = j.Plan
		}
		w := watch(j.Observer)
		v, err := verify(ctx, j.Drive, src, whole, w)
		w.close()
		r.Verification = v
		if err != nil && r.Err == nil {
			r.Err = &VerifyError{err}
		}
	}
	if j.Journal == nil {
		return
	}
	if v := r.Verification; v != nil {
		j.Journal.write(Entry{Event: "verified", Different: v.Different, Unreadable: v.Unreadable})
	}
	// A disc that does not hold the image is a burn that failed.
	if r.Err == nil && (r.Verification == nil || r.Verification.OK()) {
		j.Journal.write(Entry{Event: "done"})
	} else if r.Err == nil {
		j.Journal.write(Entry{Event: "failed", Step: len(j.Plan.Steps), Error: "the disc differs from the image", State: r.State})
	}
}

// A VerifyError is a burn that went well, and could not be verified.
type VerifyError struct{ Err error }

func (e *VerifyError) Error() string {
	return fmt.Sprintf("the disc was burned, and could not be compared with the image: %v", e.Err)
}

func (e *VerifyError) Unwrap() error { return e.Err }
