package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"spindle/burn"
	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"

	"github.com/cheggaaa/pb/v3"
)

// burnEvent is the result of a burn in JSON.
type burnEvent struct {
	Event      string       `json:"event"` // result
	Status     int          `json:"status"`
	Drive      string       `json:"drive,omitempty"`
	State      string       `json:"state"` // of the disc
	Verified   int          `json:"verified,omitempty"`
	Different  []burn.Range `json:"different,omitempty"`
	Unreadable []burn.Range `json:"unreadable,omitempty"`
	Slow       []burn.Range `json:"slow,omitempty"`
	Files      []string     `json:"files,omitempty"`
	Error      string       `json:"error,omitempty"`
	Advice     string       `json:"advice,omitempty"`
	Sense      string       `json:"sense,omitempty"`
	Journal    string       `json:"journal,omitempty"`
}

// burnProgress shows how a burn goes.
type burnProgress struct {
	a    *app
	bar  *pb.ProgressBar
	last time.Time
	now  burn.Progress
}

func (a *app) newBurnProgress() *burnProgress { return &burnProgress{a: a, last: time.Now()} }

// Note implements burn.Observer.
func (p *burnProgress) Note(text string) {
	p.stop()
	p.a.note(text)
}

// burnProgressEvent is progress in JSON.
type burnProgressEvent struct {
	Event       string  `json:"event"` // progress
	Phase       string  `json:"phase"`
	Done        int64   `json:"done"`
	Total       int64   `json:"total"`
	Speed       float64 `json:"speed"` // bytes a second
	DriveBuffer float64 `json:"drive_buffer"`
	HostBuffer  float64 `json:"host_buffer"`
}

// Progress implements burn.Observer.
func (p *burnProgress) Progress(now burn.Progress) {
	changed := now.Phase != p.now.Phase
	p.now = now
	switch {
	case p.a.quiet || now.Total == 0:
	case p.a.json:
		if changed || time.Since(p.last) >= time.Second {
			p.last = time.Now()
			p.a.emit(burnProgressEvent{"progress", string(now.Phase), now.Done, now.Total, now.Speed, now.DriveBuffer, now.HostBuffer})
		}
	case isTerminal(p.a.stderr):
		if changed {
			p.stop()
		}
		if p.bar == nil {
			p.bar = pb.New64(now.Total).SetWriter(p.a.stderr).SetTemplateString(barTemplate).SetRefreshRate(250 * time.Millisecond)
			p.bar.Start()
		}
		p.bar.SetCurrent(now.Done).Set("phase", string(now.Phase)).Set("rest", p.rest())
	case time.Since(p.last) >= lineEvery:
		p.last = time.Now()
		fmt.Fprintf(p.a.stderr, "%s %d%%%s\n", now.Phase, now.Done*100/now.Total, strings.TrimRight(", "+p.rest(), ", "))
	}
}

// rest says how fast it goes, how long it takes still, and how full the buffers
// are.
func (p *burnProgress) rest() string {
	var parts []string
	if v := p.now.Speed; v > 0 && p.now.OneX > 0 {
		parts = append(parts, fmt.Sprintf("%.1fx %.1f MB/s", v/p.now.OneX, v/1e6))
		left := time.Duration(float64(p.now.Total-p.now.Done) / v * float64(time.Second))
		parts = append(parts, fmt.Sprintf("%s to go", left.Round(time.Second)))
	}
	if p.now.Phase == burn.Writing {
		if p.now.DriveBuffer >= 0 {
			parts = append(parts, fmt.Sprintf("drive's buffer %.0f%%", p.now.DriveBuffer*100))
		}
		if p.now.HostBuffer > 0 {
			parts = append(parts, fmt.Sprintf("ours %.0f%%", p.now.HostBuffer*100))
		}
	}
	return strings.Join(parts, ", ")
}

func (p *burnProgress) stop() {
	if p.bar != nil {
		p.bar.Finish()
		p.bar = nil
	}
}

// stateWords says what a disc is after a burn that failed.
func stateWords(s burn.DiscState) string {
	switch s {
	case burn.Untouched:
		return "The disc was not touched."
	case burn.StillBlank:
		return "The disc is blank still."
	case burn.Appendable:
		return "The disc is written in part, and can be gone on with."
	case burn.Overwritable:
		return "The disc is not spoiled: it can be written over."
	case burn.Complete:
		return "The disc is closed."
	case burn.Spoiled:
		return "The disc is spoiled."
	}
	return "What has become of the disc cannot be told now; \"spindle info\" shows it."
}

// reportBurn says how a burn ended, and returns what sets the exit status.
func (a *app) reportBurn(ctx context.Context, t *target, r burn.Result, several, eject bool) error {
	e := burnEvent{Event: "result", Drive: t.name, State: string(r.State)}
	if t.job.Journal != nil {
		e.Journal = t.job.Journal.Path()
	}
	prefix := ""
	if several {
		prefix = t.name + ": "
	}
	if v := r.Verification; v != nil {
		e.Verified, e.Different, e.Unreadable, e.Slow, e.Files = v.Sectors, v.Different, v.Unreadable, v.Slow, v.Files
	}
	if r.Err != nil {
		return a.burnFailed(ctx, t, r, e, prefix)
	}
	switch v := r.Verification; {
	case t.plan.Simulate:
		a.print("%sthe simulation went well; the disc was not written", prefix)
	case v == nil:
		a.print("%sburned; the disc was not compared with the image", prefix)
	case v.OK():
		how := ""
		if v.Offset != 0 {
			how = fmt.Sprintf(" (the drive gives audio %d samples late)", v.Offset)
		}
		a.print("%sburned, and every one of %s is as in the image%s", prefix, plural(v.Sectors, "sector"), how)
		if len(v.Slow) > 0 {
			a.note(fmt.Sprintf("some places were hard to read (%s): the disc may not last; a slower speed writes better", ranges(v.Slow)))
		}
	default:
		return a.different(v, e, prefix)
	}
	a.emit(e)
	switch {
	case eject:
		return moveTray(ctx, t.drive, mmc.Eject)
	case t.plan.Simulate || strings.HasPrefix(t.name, "sim:"):
		return nil
	}
	return a.reload(ctx, t)
}

// reload moves the tray out and in: the operating system looks at a disc when it
// comes, and would go on seeing the blank one.
func (a *app) reload(ctx context.Context, t *target) error {
	if err := moveTray(ctx, t.drive, mmc.Eject); err != nil {
		a.note("take the disc out and put it in again before other programs use it")
		return nil
	}
	err := moveTray(ctx, t.drive, mmc.Load)
	if err == nil {
		err = drive.WaitReady(ctx, t.drive, readyLimit)
	}
	switch {
	case errors.Is(err, drive.ErrNoMedium): // as of a laptop's drive
		a.note("the tray is open: push it in to use the disc")
	case err != nil:
		a.note("the disc is burned and right, but the drive did not take it in again: " + err.Error())
	}
	return nil
}

func ranges(list []burn.Range) string {
	var parts []string
	for i, r := range list {
		if i == 5 {
			parts = append(parts, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		parts = append(parts, r.String())
	}
	return strings.Join(parts, ", ")
}

// different reports a disc that does not hold the image.
func (a *app) different(v *burn.Verification, e burnEvent, prefix string) error {
	var parts []string
	if len(v.Unreadable) > 0 {
		parts = append(parts, "cannot be read: "+ranges(v.Unreadable))
	}
	if len(v.Different) > 0 {
		parts = append(parts, "differ: "+ranges(v.Different))
	}
	what := prefix + "the disc does not hold the image: " + strings.Join(parts, "; ")
	if v.Stream {
		what = prefix + "the disc does not hold what came through the pipe"
	}
	if len(v.Files) > 0 {
		what += ". Files in it: " + strings.Join(v.Files, ", ")
	}
	e.Status, e.Error = exitDifferent, what
	e.Advice = "Do not rely on this disc. \"spindle reburn\" burns again, slower; a disc of another make may do better."
	a.tellFailure(e)
	return exitError(exitDifferent)
}

// burnFailed reports a burn that failed.
func (a *app) burnFailed(ctx context.Context, t *target, r burn.Result, e burnEvent, prefix string) error {
	if errors.Is(r.Err, context.Canceled) || ctx.Err() != nil {
		e.Status, e.Error = exitInterrupted, prefix+"interrupted. "+stateWords(r.State)
		e.Advice = "\"spindle reburn\" goes on, as far as the disc allows."
		a.tellFailure(e)
		return exitError(exitInterrupted)
	}
	e.Status = exitBurnFailed
	var verify *burn.VerifyError
	var failed *burn.Error
	what, next := r.Err.Error(), "\"spindle reburn\" tries again, slower."
	if s := scsi.SenseOf(r.Err); s != nil {
		e.Sense = s.String()
	}
	if m, ok := burn.Explain(r.Err); ok {
		what, next = m.What, m.Next
	} else if w, n, ok := burn.Broken(r.Err); ok {
		what, next = w, n
	}
	switch {
	case errors.As(r.Err, &verify):
		what = verify.Error()
		next = "The burn itself went well. Eject the disc, load it, and compare: spindle verify IMAGE --with DRIVE"
		if errors.Is(r.Err, burn.ErrReload) {
			next = "Push the tray in, and compare: spindle verify IMAGE --with DRIVE"
		}
	case errors.As(r.Err, &failed):
		switch {
		case errors.Is(r.Err, burn.ErrSource):
			what, next = failed.Err.Error(), "Put that right; \"spindle reburn\" goes on, as far as the disc allows."
		case failed.Step.Op == burn.OpWrite:
			what = fmt.Sprintf("%s, at sector %d", what, failed.LBA)
		}
		what = "the burn failed: " + what
		if failed.AtClose() {
			what += " (while closing the disc, after all data)"
		}
		what += ". " + stateWords(failed.State)
		if v := r.Verification; failed.AtClose() && v != nil {
			if v.OK() {
				what += " All data on it are right."
				next = "It can be read here, but other drives may refuse it. \"spindle reburn\" tries to close it, or burns it again."
			} else {
				what += " The data on it are not all right."
			}
		}
		switch failed.State {
		case burn.Appendable, burn.Overwritable, burn.StillBlank, burn.Untouched:
			if !strings.Contains(next, "reburn") {
				next += " \"spindle reburn\" goes on with this disc."
			}
		case burn.Spoiled:
			if !strings.Contains(next, "reburn") {
				next += " \"spindle reburn\" burns again, slower."
			}
		}
	}
	e.Error, e.Advice = prefix+what, next
	a.tellFailure(e)
	return exitError(exitBurnFailed)
}

// tellFailure prints what a burn's failure means.
func (a *app) tellFailure(e burnEvent) {
	if a.json {
		a.emit(e)
		return
	}
	a.printError(message{status: e.Status, what: e.Error, next: e.Advice, sense: e.Sense})
}
