package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"spindle/burn"
	"spindle/drive/byname"
	"spindle/image"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

// reburnFlags are the options of reburn.
type reburnFlags struct {
	list     bool
	speed    speedFlag
	noVerify bool
	force    bool
	eject    bool
}

func reburnCommand(a *app) *cobra.Command {
	var o reburnFlags
	c := &cobra.Command{
		Use:   "reburn [JOB]",
		Short: "Resume a burn that failed",
		Long: `Resume the last burn that failed, or JOB: a number from --list, or a journal file.

What happens depends on the disc. One that can be overwritten is read, and written from
the first sector that differs. A rewritable one is erased and burned again. One that is
written once is continued where possible (DVD+R, BD-R, DVD-R written incrementally);
otherwise reburn asks for a fresh disc. The image must be unchanged. The speed is a
step lower, and the disc is compared afterwards.`,
		Example: `  spindle reburn
  spindle reburn --list
  spindle reburn 2 --speed 4`,
		Args: needs(0, 1, ""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			if o.list {
				return listFailures(a)
			}
			return runReburn(ctx, a, args, o)
		}),
	}
	f := c.Flags()
	f.BoolVar(&o.list, "list", false, "list the burns that failed")
	f.Var(&o.speed, "speed", "writing speed, as a multiple of 1x (by default a step below the one that failed)")
	f.BoolVar(&o.noVerify, "no-verify", false, "do not compare the disc with the image afterwards")
	f.BoolVar(&o.force, "force", false, "burn even if the image has changed")
	f.BoolVar(&o.eject, "eject", false, "open the tray if all went well")
	return c
}

// jobEvent is a burn that failed.
type jobEvent struct {
	Event   string `json:"event"` // job
	Number  int    `json:"number"`
	Time    string `json:"time"`
	Image   string `json:"image"`
	Medium  string `json:"medium"`
	Error   string `json:"error,omitempty"`
	State   string `json:"state,omitempty"`
	Journal string `json:"journal"`

	at time.Time
}

func (e *jobEvent) Text(p *page) {
	p.line("%d  %s  %s on a %s: %s", e.Number, e.at.Local().Format(time.DateTime), filepath.Base(e.Image), e.Medium, e.Error)
}

func failures() ([]*burn.Journal, error) {
	dir, err := burn.StateDir()
	if err != nil {
		return nil, err
	}
	return burn.Failures(dir)
}

// jobList ends the list of failures.
type jobList struct {
	ending
	Jobs int `json:"jobs"`
}

func (l *jobList) Text(p *page) {
	if l.Jobs == 0 {
		p.line("No burn has failed.")
	}
}

func listFailures(a *app) (result, error) {
	all, err := failures()
	if err != nil {
		return nil, err
	}
	for i, j := range all {
		a.show(&jobEvent{"job", i + 1, j.At.Format(time.RFC3339), j.Begin.Image.Path, j.Begin.Profile, whyFailed(j),
			string(j.Last.State), j.Path, j.At})
	}
	return &jobList{done(exitDone), len(all)}, nil
}

// whyFailed says why a burn ended.
func whyFailed(j *burn.Journal) string {
	if !j.Failed {
		return "it was cut off"
	}
	return j.Last.Error
}

// deviceOf is the name of a drive by which its journals are found: of a simulated
// one, the file of its disc.
func deviceOf(name string) string {
	file, ok := strings.CutPrefix(name, "sim:")
	if !ok {
		return name
	}
	file, _, _ = strings.Cut(file, "?")
	if abs, err := filepath.Abs(file); err == nil {
		file = abs
	}
	return "sim:" + file
}

// findJob finds the journal that is meant: the last failure in the drive that was
// named, if there is one, else the last failure.
func findJob(args []string, device string) (*burn.Journal, error) {
	n := 1
	if len(args) > 0 {
		var err error
		if n, err = strconv.Atoi(args[0]); err != nil {
			return burn.ReadJournal(args[0])
		}
	}
	all, err := failures()
	if err != nil {
		return nil, err
	}
	if n < 1 || n > len(all) {
		return nil, burn.ErrNoJournal
	}
	for _, j := range all {
		if len(args) == 0 && device != "" && deviceOf(j.Begin.Device) == deviceOf(device) {
			return j, nil
		}
	}
	return all[n-1], nil
}

func runReburn(ctx context.Context, a *app, args []string, o reburnFlags) (result, error) {
	j, err := findJob(args, a.drive())
	if err != nil {
		return nil, err
	}
	switch {
	case j.Done:
		return nil, fmt.Errorf("this burn succeeded: %w", burn.ErrNoJournal)
	case j.Begin.Plan.Simulate:
		return nil, fmt.Errorf("this was a simulation: %w", burn.ErrNoJournal)
	case j.Begin.Image.Path == "-":
		return nil, usage("the data came through a pipe and cannot be read again; send them again to \"spindle burn -\"")
	}
	a.say("Burn   %s of %s: %s", filepath.Base(j.Begin.Image.Path), j.At.Local().Format(time.DateTime), whyFailed(j))
	img, err := image.Open(j.Begin.Image.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", burn.ErrSource, err)
	}
	a.onClose(img.Close)
	src := burn.ImageSource(filepath.Base(j.Begin.Image.Path), img)
	if err := j.CheckImage(ctx, src); err != nil {
		if !o.force || !errors.Is(err, burn.ErrChanged) {
			return nil, err
		}
		a.note(err.Error() + "; burning it anyway, from the start")
		j.Last.LBA = 0
	}
	t := &target{name: a.drive()}
	if t.name == "" {
		t.name = j.Begin.Device
	}
	if t.drive, err = a.open(ctx, t.name, byname.Exclusive); err != nil {
		return nil, err
	}
	r := &reburning{app: a, src: src, j: j, t: t, o: o, progress: &burnProgress{a.newProgress()}}
	return r.run(ctx)
}

// reburning resumes one burn.
type reburning struct {
	*app
	src      *burn.Source
	j        *burn.Journal
	t        *target
	o        reburnFlags
	progress *burnProgress
}

// run finds out how to resume, asks for another disc where that is impossible, and
// burns.
func (r *reburning) run(ctx context.Context) (result, error) {
	again, err := r.plan(ctx)
	for ; err != nil; again, err = r.plan(ctx) {
		if !errors.Is(err, burn.ErrFreshDisc) || !isTerminal(os.Stdin) {
			return nil, err
		}
		r.say("%s", capital(sentence(err.Error())))
		if err := moveTray(ctx, r.t.drive, mmc.Eject); err != nil {
			return nil, err
		}
		if err := askForDisc(ctx, r.app, []*target{r.t}, "Insert a blank disc, and press Enter."); err != nil {
			return nil, err
		}
	}
	t := r.t
	t.plan = again.Plan
	r.say("Plan   %s", resumeWords(again, t, !r.o.noVerify))
	opts := r.j.Begin.Options
	opts.Speed = t.medium.SpeedX(t.plan.Speed)
	id, err := burn.Identify(r.j.Begin.Image.Path)
	if err != nil {
		return nil, err
	}
	journal, err := newJournal(ctx, t, burn.Begin{Image: id, Options: opts, Verify: !r.o.noVerify, Retry: r.j.Path}, "")
	if err != nil {
		return nil, err
	}
	t.job = &burn.Job{Drive: t.drive, Medium: t.medium, Plan: again.Plan, Whole: again.Whole, Journal: journal,
		Observer: r.progress, Verify: !r.o.noVerify, RealTime: true}
	outcome := burn.Run(ctx, r.src, t.job)[0]
	r.progress.stop()
	if err := journal.Close(); err != nil {
		r.note("the journal could not be kept: " + err.Error())
	}
	e := burnOutcome(ctx, r.app, t, outcome, false)
	finishDisc(ctx, r.app, t, e, r.o.eject)
	return e, nil
}

// plan looks at the disc and decides how to resume.
func (r *reburning) plan(ctx context.Context) (*burn.Again, error) {
	t := r.t
	var err error
	if t.medium, err = burn.Survey(ctx, t.drive); err != nil {
		return nil, err
	}
	showMedium(r.app, t.medium, "")
	opts := r.j.Begin.Options
	opts.Simulate = false
	if opts.Speed = float64(r.o.speed); opts.Speed == 0 {
		opts.Speed = t.medium.Slower(t.medium.SpeedX(r.j.Begin.Plan.Speed))
	}
	again, err := burn.PlanAgain(ctx, t.drive, t.medium, r.src, r.j, opts, r.progress)
	r.progress.stop()
	return again, err
}

// resumeWords says how a burn is resumed.
func resumeWords(again *burn.Again, t *target, compare bool) string {
	switch again.Way {
	case burn.Nothing:
		if !compare {
			return "close the disc (all data are written already)"
		}
		return "compare only (all data are written already)"
	case burn.FromFailure:
		return howLong(fmt.Sprintf("%s (sector %d), %s", again.Way, again.From, planWords(t)), again.Plan, compare)
	}
	return howLong(fmt.Sprintf("%s, %s", again.Way, planWords(t)), again.Plan, compare)
}
