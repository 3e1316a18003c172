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
	"spindle/image"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

// reburnFlags are the options of reburn.
type reburnFlags struct {
	list     bool
	speed    float64
	noVerify bool
	force    bool
	eject    bool
}

func (a *app) reburnCommand() *cobra.Command {
	var o reburnFlags
	c := &cobra.Command{
		Use:   "reburn [JOB]",
		Short: "Go on after a burn that failed",
		Long: `Go on with the last burn that failed, or with JOB: a number of --list, or a journal.

What happens depends on the disc. One that can be written over is read and gone on
with from the first sector that differs. A rewritable one is erased and burned again.
One that is written once is gone on with where that is possible (DVD+R, BD-R, DVD-R
written incrementally), and otherwise a fresh disc is asked for. Each time the image
must be what it was, the speed is a step lower, and the disc is compared afterwards.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if o.list {
				return a.listFailures()
			}
			return a.runReburn(c.Context(), args, o)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.list, "list", false, "list the burns that failed")
	f.Float64Var(&o.speed, "speed", 0, "writing speed, times 1x (by default a step below that of the burn that failed)")
	f.BoolVar(&o.noVerify, "no-verify", false, "do not compare the disc with the image afterwards")
	f.BoolVar(&o.force, "force", false, "burn also when the image has changed since")
	f.BoolVar(&o.eject, "eject", false, "open the tray when all went well")
	return c
}

// jobEvent is a burn that failed, in JSON.
type jobEvent struct {
	Event   string `json:"event"` // job
	Number  int    `json:"number"`
	Time    string `json:"time"`
	Image   string `json:"image"`
	Medium  string `json:"medium"`
	Error   string `json:"error,omitempty"`
	State   string `json:"state,omitempty"`
	Journal string `json:"journal"`
}

func failures() ([]*burn.Journal, error) {
	dir, err := burn.StateDir()
	if err != nil {
		return nil, err
	}
	return burn.Failures(dir)
}

func (a *app) listFailures() error {
	all, err := failures()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		a.print("no burn has failed")
	}
	for i, j := range all {
		why := j.Last.Error
		if !j.Failed {
			why = "it was broken off"
		}
		a.print("%d  %s  %s on a %s: %s", i+1, j.At.Local().Format(time.DateTime), filepath.Base(j.Begin.Image.Path), j.Begin.Profile, why)
		a.emit(jobEvent{"job", i + 1, j.At.Format(time.RFC3339), j.Begin.Image.Path, j.Begin.Profile, why, string(j.Last.State), j.Path})
	}
	return nil
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

func (a *app) runReburn(ctx context.Context, args []string, o reburnFlags) error {
	j, err := findJob(args, a.drive)
	if err != nil {
		return err
	}
	switch {
	case j.Done:
		return fmt.Errorf("this burn went well: %w", burn.ErrNoJournal)
	case j.Begin.Plan.Simulate:
		return fmt.Errorf("this was a simulation: %w", burn.ErrNoJournal)
	case j.Begin.Image.Path == "-":
		return usage("what came through the pipe is gone; send it again with \"spindle burn -\"")
	}
	if !a.quiet && !a.json {
		why := "it was broken off"
		if j.Failed {
			why = j.Last.Error
		}
		fmt.Fprintf(a.stderr, "Burn   %s of %s: %s\n", filepath.Base(j.Begin.Image.Path), j.At.Local().Format(time.DateTime), why)
	}
	img, err := image.Open(j.Begin.Image.Path)
	if err != nil {
		return fmt.Errorf("%w: %w", burn.ErrSource, err)
	}
	a.onClose(img.Close)
	src := burn.ImageSource(filepath.Base(j.Begin.Image.Path), img)
	if err := j.CheckImage(ctx, src); err != nil {
		if !o.force || !errors.Is(err, burn.ErrChanged) {
			return err
		}
		a.note(err.Error() + "; it is burned all the same, from the start")
		j.Last.LBA = 0
	}
	name := a.drive
	if name == "" {
		name = j.Begin.Device
	}
	t := &target{name: name}
	if t.drive, err = a.openDriveFor(ctx, name, true); err != nil {
		return err
	}
	return a.burnAgain(ctx, src, j, t, o)
}

// burnAgain finds the way on, asks for another disc where there is none, and burns.
func (a *app) burnAgain(ctx context.Context, src *burn.Source, j *burn.Journal, t *target, o reburnFlags) error {
	progress := a.newBurnProgress()
	var again *burn.Again
	for {
		var err error
		if t.medium, err = burn.Survey(ctx, t.drive); err != nil {
			return err
		}
		a.showMedium(t.medium, burnFlags{})
		opts := j.Begin.Options
		opts.Simulate = false
		if opts.Speed = o.speed; opts.Speed == 0 {
			opts.Speed = t.medium.Slower(t.medium.SpeedX(j.Begin.Plan.Speed))
		}
		again, err = burn.PlanAgain(ctx, t.drive, t.medium, src, j, opts, progress)
		if err == nil {
			break
		}
		if !errors.Is(err, burn.ErrFreshDisc) || !isTerminal(os.Stdin) {
			return err
		}
		fmt.Fprintf(a.stderr, "%s\n", sentence(err.Error()))
		if err := moveTray(ctx, t.drive, mmc.Eject); err != nil {
			return err
		}
		if err := a.ask(ctx, []*target{t}, "Put a blank disc in, and press Enter."); err != nil {
			return err
		}
	}
	t.plan = again.Plan
	if !a.quiet && !a.json {
		where := ""
		if again.Way == burn.FromFailure {
			where = fmt.Sprintf(" (sector %d)", again.From)
		}
		fmt.Fprintf(a.stderr, "Plan   %s%s, %s at %gx; about %s, then the disc is compared with the image\n", again.Way, where, t.plan.Mode,
			t.medium.SpeedX(t.plan.Speed), roughly(t.plan.Expected))
	}
	opts := j.Begin.Options
	opts.Speed = t.medium.SpeedX(t.plan.Speed)
	id, err := burn.Identify(j.Begin.Image.Path)
	if err != nil {
		return err
	}
	journal, err := a.newJournal(ctx, t, id, opts, !o.noVerify, "", j.Path)
	if err != nil {
		return err
	}
	t.job = &burn.Job{Drive: t.drive, Medium: t.medium, Plan: again.Plan, Whole: again.Whole, Journal: journal, Observer: progress, Verify: !o.noVerify, RealTime: true}
	r := burn.Run(ctx, src, t.job)[0]
	progress.stop()
	if err := journal.Close(); err != nil {
		a.note("the journal could not be kept: " + err.Error())
	}
	return a.reportBurn(ctx, t, r, false, o.eject)
}
