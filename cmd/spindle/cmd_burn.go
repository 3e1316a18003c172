package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"spindle/burn"
	"spindle/iso"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

// burnFlags are the options of burn.
type burnFlags struct {
	burn.Options
	mode     string
	spare    string
	dryRun   bool
	force    bool
	noVerify bool
	eject    bool
	copies   int
	size     string
	journal  string
}

func (a *app) burnCommand() *cobra.Command {
	var o burnFlags
	c := &cobra.Command{
		Use:   "burn IMAGE",
		Short: "Write an image onto a disc, and compare the disc with it",
		Long: `Write IMAGE (.iso, .cue, .nrg; "-" is a pipe) onto the disc in the drive.

Before the disc is touched, the image is checked: whether it is whole, whether a
checksum file beside it or an MD5 in it is right, whether it fits; and the plan is
shown. Afterwards the disc is read back and compared, sector by sector.

Of each burn a journal is kept; after one that failed, "spindle reburn" goes on.`,
		Example: `  spindle burn debian-live.iso
  spindle burn game.cue --speed 8
  spindle burn photos.iso --multi
  spindle burn film.iso -d /dev/sr0 -d /dev/sr1
  spindle burn debian-live.iso -d 'sim:disc.iso?media=dvd+r'`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.runBurn(c.Context(), args[0], o) },
	}
	f := c.Flags()
	f.Float64Var(&o.Speed, "speed", 0, "writing speed, times 1x (by default the highest)")
	f.StringVar(&o.mode, "mode", "", "how to write: sao, tao, raw (CD); dao, incremental (DVD-R)")
	f.BoolVar(&o.Multi, "multi", false, "leave the disc open, so that another session can be added")
	f.BoolVar(&o.Simulate, "simulate", false, "do everything with the laser off (CD and DVD-R)")
	f.BoolVar(&o.dryRun, "dry-run", false, "stop before the disc is touched")
	f.BoolVar(&o.Blank, "blank", false, "erase a rewritable disc first")
	f.BoolVar(&o.Full, "full", false, "with --blank: erase or format the whole disc")
	f.StringVar(&o.spare, "spare", "", "spare areas of a Blu-ray disc: none, min or default")
	f.BoolVar(&o.Overburn, "overburn", false, "try to write more than a CD states to hold")
	f.BoolVar(&o.force, "force", false, "burn an image that its checksum says is wrong, or that is made for another place on the disc")
	f.BoolVar(&o.noVerify, "no-verify", false, "do not compare the disc with the image afterwards")
	f.BoolVar(&o.eject, "eject", false, "open the tray when all went well")
	f.IntVar(&o.copies, "copies", 1, "how many discs to burn, one after the other")
	f.StringVar(&o.size, "size", "", "size of what comes through the pipe: sectors, or such as 700MB or 4.7GB")
	f.StringVar(&o.journal, "journal", "", "keep the journal in `FILE`")
	return c
}

// check reads the options that have words.
func (o *burnFlags) check() error {
	modes := map[string]burn.Mode{"": burn.Auto, "sao": burn.SessionAtOnce, "tao": burn.TrackAtOnce, "raw": burn.Raw96,
		"dao": burn.DiscAtOnce, "incremental": burn.Incremental}
	mode, ok := modes[o.mode]
	if !ok {
		return usage("--mode is sao, tao, raw, dao or incremental, not %q", o.mode)
	}
	o.Mode = mode
	if mode == burn.DiscAtOnce && o.Multi {
		return usage("--mode dao closes the disc: leave out --multi")
	}
	switch o.spare {
	case "", "none", "min", "default":
		o.Spare = burn.Spare(o.spare)
	default:
		return usage("--spare is none, min or default, not %q", o.spare)
	}
	switch {
	case o.Speed < 0 || o.Speed > 100:
		return usage("--speed is a number of times 1x, such as 8")
	case o.copies < 1 || o.copies > 1000:
		return usage("--copies is a number from 1 to 1000")
	}
	o.AnyPlace = o.force
	return nil
}

// target is one drive of a burn.
type target struct {
	name   string
	drive  *mmc.Drive
	medium *burn.Medium
	plan   *burn.Plan
	job    *burn.Job
}

func (a *app) runBurn(ctx context.Context, path string, o burnFlags) error {
	if err := o.check(); err != nil {
		return err
	}
	src, pre, err := a.burnSource(ctx, path, o)
	if err != nil {
		return err
	}
	names := a.drives
	if len(names) == 0 {
		names = []string{""}
	}
	targets := make([]*target, len(names))
	for i, name := range names {
		d, err := a.openDriveFor(ctx, name, !o.dryRun)
		if err != nil {
			return err
		}
		targets[i] = &target{name: name, drive: d}
	}
	for n := 1; ; n++ {
		if err := a.burnOnce(ctx, path, src, pre, targets, o); err != nil || o.dryRun || n >= o.copies {
			return err
		}
		if src.IsStream() {
			return usage("what comes through a pipe can be burned once only")
		}
		if err := a.nextDisc(ctx, targets, n+1, o.copies); err != nil {
			return err
		}
	}
}

// burnSource opens what is to be burned.
func (a *app) burnSource(ctx context.Context, path string, o burnFlags) (*burn.Source, *preflight, error) {
	if path != "-" {
		if o.size != "" {
			return nil, nil, usage("--size is for what comes through a pipe")
		}
		pre, err := a.imageFor(ctx, path, o.force)
		if err != nil {
			return nil, nil, err
		}
		return burn.ImageSource(filepath.Base(path), pre.img), pre, nil
	}
	if o.size == "" {
		return nil, nil, usage("of a pipe, --size must say how much comes")
	}
	blocks, err := parseSize(o.size)
	if err != nil {
		return nil, nil, err
	}
	return burn.StreamSource("standard input", bufio.NewReaderSize(os.Stdin, 1<<20), blocks), nil, nil
}

// planEvent is what will be done, in JSON.
type planEvent struct {
	Event    string   `json:"event"` // plan
	Drive    string   `json:"drive"`
	Medium   string   `json:"medium"`
	ID       string   `json:"media_id,omitempty"`
	State    string   `json:"state"`
	Mode     string   `json:"mode"`
	Speed    float64  `json:"speed"` // times 1x
	Bytes    int64    `json:"bytes"`
	Free     int      `json:"free"`     // sectors
	Seconds  float64  `json:"seconds"`  // expected, without verifying
	Vouchers []string `json:"vouchers"` // what says that the image is right
	Notes    []string `json:"notes,omitempty"`
}

// burnOnce burns one disc in each drive.
func (a *app) burnOnce(ctx context.Context, path string, src *burn.Source, pre *preflight, targets []*target, o burnFlags) error {
	for _, t := range targets {
		var err error
		if t.medium, err = burn.Survey(ctx, t.drive); err != nil {
			return err
		}
		a.showMedium(t.medium, o)
		if t.plan, err = burn.MakePlan(t.medium, src, o.Options); err != nil {
			return err
		}
	}
	for _, t := range targets {
		if err := burn.Alike(targets[0].plan, t.plan); err != nil {
			return err
		}
	}
	a.showPlan(path, pre, targets, o)
	if o.dryRun {
		a.print("nothing was written (--dry-run)")
		a.emit(burnEvent{Event: "result", State: string(burn.Untouched)})
		return nil
	}
	id, _ := burn.Identify(path)
	if abs, err := filepath.Abs(path); err == nil {
		id.Path = abs
	}
	if src.IsStream() {
		id.Path = path
	}
	progress := a.newBurnProgress()
	var jobs []*burn.Job
	for i, t := range targets {
		j, err := a.newJournal(ctx, t, id, o.Options, !o.noVerify, o.journal, "")
		if err != nil {
			return err
		}
		t.job = &burn.Job{Drive: t.drive, Medium: t.medium, Plan: t.plan, Journal: j, Verify: !o.noVerify, RealTime: true}
		if i == 0 { // of several drives the first one shows how it goes
			t.job.Observer = progress
		}
		jobs = append(jobs, t.job)
	}
	results := burn.Run(ctx, src, jobs...)
	progress.stop()
	var failure error
	for i, r := range results {
		if err := jobs[i].Journal.Close(); err != nil {
			a.note("the journal could not be kept: " + err.Error())
		}
		if err := a.reportBurn(ctx, targets[i], r, len(targets) > 1, o.eject); err != nil {
			failure = err
		}
	}
	return failure
}

// newJournal begins the journal of a burn. A burn is not refused because its
// journal cannot be kept.
func (a *app) newJournal(ctx context.Context, t *target, id burn.Identity, o burn.Options, verify bool, path, retry string) (*burn.Writer, error) {
	dir, err := burn.StateDir()
	if err != nil && path == "" {
		return nil, err
	}
	b := burn.Begin{Image: id, Options: o, Device: t.name, Profile: t.medium.Profile.String(), MediumID: t.medium.ID,
		Plan: t.plan, Verify: verify, Retry: retry}
	if q, err := t.drive.Inquiry(ctx); err == nil {
		b.Drive = strings.TrimSpace(q.Vendor + " " + q.Product + " " + q.Revision)
	}
	if rest, ok := strings.CutPrefix(b.Device, "sim:"); ok && !filepath.IsAbs(rest) {
		if abs, err := filepath.Abs(rest); err == nil {
			b.Device = "sim:" + abs
		}
	}
	return burn.Create(dir, path, b)
}

// showMedium tells what disc it is, and, of a Blu-ray disc, what its spare areas
// would cost.
func (a *app) showMedium(m *burn.Medium, o burnFlags) {
	if a.quiet || a.json {
		return
	}
	fmt.Fprintf(a.stderr, "Disc   %s\n", describeMedium(m))
	if m.Profile != mmc.ProfileBDR && m.Profile != mmc.ProfileBDRE || m.Formatted && o.Spare == "" {
		return
	}
	for _, s := range []burn.Spare{burn.SpareNone, burn.SpareMinimum, burn.SpareDefault} {
		if n := m.CapacityWith(s); n > 0 {
			fmt.Fprintf(a.stderr, "       with --spare %s it holds %s\n", s, megabytes(int64(n)*iso.BlockSize))
		}
	}
}

func (a *app) showPlan(path string, pre *preflight, targets []*target, o burnFlags) {
	var vouchers []string
	if pre != nil {
		vouchers = pre.lines
	}
	if !a.quiet && !a.json {
		if pre != nil {
			fmt.Fprintf(a.stderr, "Image  %s: %s\n", filepath.Base(path), pre.describe())
			for _, l := range pre.lines {
				fmt.Fprintf(a.stderr, "       %s\n", l)
			}
		}
		t := targets[0]
		how := string(t.plan.Mode)
		if t.plan.Speed > 0 {
			how += fmt.Sprintf(" at %gx", t.medium.SpeedX(t.plan.Speed))
		}
		switch {
		case o.Simulate:
			how += ", with the laser off"
		case !t.plan.Final && o.Multi:
			how += ", left open for another session"
		}
		fmt.Fprintf(a.stderr, "Plan   %s; about %s", how, roughly(t.plan.Expected))
		if !o.noVerify && !o.Simulate {
			fmt.Fprint(a.stderr, ", then the disc is compared with the image")
		}
		fmt.Fprintln(a.stderr)
	}
	for _, t := range targets {
		for _, n := range t.plan.Notes {
			a.note(n)
		}
		if a.verbose {
			fmt.Fprint(a.stderr, t.plan.String())
		}
		a.emit(planEvent{"plan", t.name, t.medium.Profile.String(), t.medium.ID, string(t.medium.State()), string(t.plan.Mode),
			t.medium.SpeedX(t.plan.Speed), t.plan.Bytes(), t.medium.Free, t.plan.Expected.Seconds(), vouchers, t.plan.Notes})
	}
}

// errNoAnswer: nobody is there to be asked for a disc.
var errNoAnswer = errors.New("there is nobody to put in the next disc")

// nextDisc asks for another disc and waits until it is there.
func (a *app) nextDisc(ctx context.Context, targets []*target, n, of int) error {
	for _, t := range targets {
		if err := moveTray(ctx, t.drive, mmc.Eject); err != nil {
			return err
		}
	}
	return a.ask(ctx, targets, fmt.Sprintf("Put disc %d of %d in, and press Enter.", n, of))
}

// ask shows a question, waits for Enter, and loads the discs.
func (a *app) ask(ctx context.Context, targets []*target, question string) error {
	fmt.Fprintln(a.stderr, question)
	answer := make(chan error, 1)
	go func() {
		_, err := bufio.NewReader(os.Stdin).ReadString('\n')
		answer <- err
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-answer:
		if errors.Is(err, io.EOF) {
			return errNoAnswer
		}
		if err != nil {
			return err
		}
	}
	for _, t := range targets {
		if err := moveTray(ctx, t.drive, mmc.Load); err != nil {
			return err
		}
	}
	return nil
}
