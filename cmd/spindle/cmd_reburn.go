package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"spindle/burn"
	"spindle/burn/journal"
	"spindle/drive/byname"
	"spindle/internal/printable"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

// reburnFlags are the options of reburn.
type reburnFlags struct {
	list     bool
	speed    speedFlag
	noVerify bool
	force    bool
	tray     trayFlags
}

func reburnCommand(a *app) *cobra.Command {
	var o reburnFlags
	c := &cobra.Command{
		Use:   "reburn [JOB]",
		Short: "Resume a burn that failed",
		Long: `Resume the last burn that failed, or JOB: a number from --list, or a journal file.
Of several in one drive, it is the last one on a disc of the same kind as that in the
drive; a note says so, and how to take another.

What happens depends on the disc. One that can be overwritten is read, and written from
the first sector that differs. A rewritable one is erased and burned again. One that is
written once is continued where possible (DVD+R, BD-R, DVD-R written incrementally);
otherwise reburn asks for a fresh disc. The image must be unchanged, at least what the
drive took of it. The speed is a step lower, and the disc is compared afterwards.`,
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
	f.BoolVar(&o.force, "force", false, "burn even if the image has changed or has damaged sectors, or another disc is in the drive that holds something")
	o.tray.add(f)
	a.addUnmount(f)
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

// jobList ends the list of failures.
type jobList struct {
	ending
	Jobs int `json:"jobs"`

	damaged int // journals that cannot be read
}

func (l *jobList) Text(p *page) {
	if l.Jobs == 0 && l.damaged == 0 {
		p.line("No burn has failed.")
	}
}

func listFailures(a *app) (result, error) {
	dir, err := journal.UserDir()
	if err != nil {
		return nil, err
	}
	all, damaged, err := journal.Failures(dir)
	if err != nil {
		return nil, err
	}
	for i, j := range all {
		a.show(&jobEvent{"job", i + 1, j.Time.Format(time.RFC3339), j.Image.Path, j.Profile, whyFailed(j), string(j.Failure.State), j.Path, j.Time})
	}
	noteDamaged(a, damaged)
	return &jobList{done(), len(all), len(damaged)}, nil
}

// noteDamaged reports the journals that cannot be read.
func noteDamaged(a *app, damaged []error) {
	for _, err := range damaged {
		a.note("a journal cannot be read, so its burn cannot be resumed; delete the file if you do not need it: " + err.Error())
	}
}

// findJob finds the burn that is meant.
func findJob(a *app, args []string) (*journal.Journal, error) {
	dir, err := journal.UserDir()
	if err != nil && len(args) == 0 {
		return nil, err
	}
	j, damaged, err := journal.Find(dir, strings.Join(args, ""), a.drive())
	noteDamaged(a, damaged)
	if errors.Is(err, journal.ErrNone) && len(damaged) > 0 {
		return nil, fmt.Errorf("%w among those whose journals can be read", err)
	}
	if errors.Is(err, journal.ErrNone) && len(args) == 0 {
		return nil, refusal{err, exitUsage, "There is nothing to resume: \"spindle burn IMAGE\" burns an image."}
	}
	return j, err
}

// chooseJob takes, of several burns that failed in a drive, the last one whose disc is of the
// kind of that in it, and says that there are others. It is last where none is, and where
// there is no choice.
func chooseJob(ctx context.Context, a *app, t *target, last *journal.Journal) (*journal.Journal, error) {
	dir, err := journal.UserDir()
	if err != nil {
		return nil, err
	}
	all, _, err := journal.Failures(dir)
	if err != nil || len(all) < 2 {
		return last, err
	}
	taken := lastOne
	here := slices.DeleteFunc(slices.Clone(all), func(j *journal.Journal) bool { return !j.On(t.name) })
	if len(here) == 1 {
		taken = "the one in this drive"
	}
	if len(here) > 1 {
		if t.drive, _, err = a.openKnown(ctx, t.name, byname.Exclusive); err != nil {
			return nil, err
		}
		m, err := burn.Survey(ctx, t.drive)
		if err != nil {
			return nil, err
		}
		like := func(j *journal.Journal) bool { return j.Profile == m.Profile.String() && j.MediumID == m.ID }
		if i := slices.IndexFunc(here, like); i >= 0 {
			last, taken = here[i], "the last one on a disc like that in the drive"
		}
	}
	if taken == lastOne {
		chosen, err := askWhich(ctx, a, t, all, here)
		if chosen != nil || err != nil {
			return chosen, err
		}
	}
	a.note(fmt.Sprintf("of %d burns that failed, this is %s; \"spindle reburn --list\" lists all, and \"spindle reburn NUMBER\" takes another", len(all), taken))
	return last, nil
}

// lastOne is what a note calls a burn that nothing but its time speaks for.
const lastOne = "the last one"

// askWhich asks which of several images a blank disc that is written once is for: of those that failed in this drive, or of
// all. It is nil where there is nothing to ask.
func askWhich(ctx context.Context, a *app, t *target, all, here []*journal.Journal) (*journal.Journal, error) {
	candidates := here
	if len(here) == 0 {
		candidates = all
	}
	if !slices.ContainsFunc(candidates, func(j *journal.Journal) bool { return j.Image.Path != candidates[0].Image.Path }) {
		return nil, nil
	}
	if t.drive == nil {
		var err error
		if t.drive, _, err = a.openKnown(ctx, t.name, byname.Exclusive); err != nil {
			return nil, err
		}
	}
	m, err := burn.Survey(ctx, t.drive)
	if err != nil || m.Status != mmc.DiscBlank || m.Erasable {
		return nil, err
	}
	numbers := map[string]*journal.Journal{}
	var names []string
	for i, j := range all {
		if slices.Contains(candidates, j) {
			number := strconv.Itoa(i + 1)
			numbers[number] = j
			names = append(names, number+": "+filepath.Base(j.Image.Path))
		}
	}
	which := "the disc is blank, and several burns failed (" + strings.Join(names, ", ") + ")"
	unclear := refusal{errors.New(which), exitUsage, untouched + "\"spindle reburn NUMBER\" burns the one that is meant."}
	if !isTerminal(os.Stdin) {
		return nil, unclear
	}
	fmt.Fprint(a.stderr, printable.Text(capital(which)+". Which one is to be burned? "))
	answer, err := readLine(ctx)
	if err != nil {
		return nil, err
	}
	if j := numbers[strings.TrimSpace(answer)]; j != nil {
		return j, nil
	}
	return nil, unclear
}

// resumable reports why a burn cannot be resumed.
func resumable(j *journal.Journal) error {
	switch {
	case j.Done:
		return fmt.Errorf("this burn succeeded: %w", journal.ErrNone)
	case j.Plan.Simulate:
		return fmt.Errorf("this was a simulation: %w", journal.ErrNone)
	case j.Image.Path == "-":
		return usage("the data came through a pipe and cannot be read again; send them again to \"spindle burn -\"")
	}
	return nil
}

func runReburn(ctx context.Context, a *app, args []string, o reburnFlags) (result, error) {
	j, err := findJob(a, args)
	if err != nil {
		return nil, err
	}
	t := &target{name: cmp.Or(a.drive(), j.Device), keepTray: o.tray.keep}
	if len(args) == 0 {
		j, err = chooseJob(ctx, a, t, j)
	}
	if err == nil {
		err = resumable(j)
	}
	if err != nil {
		return nil, err
	}
	a.say("Burn   %s of %s: %s", filepath.Base(j.Image.Path), j.Time.Local().Format(time.DateTime), whyFailed(j))
	img, found, err := openImage(ctx, a, j.Image.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", burn.ErrSource, err)
	}
	// Whoever burned it with --force knew of its flaws.
	pre := newPreflight(a, j.Image.Path, img, found, o.force || j.Options.AnyPlace)
	a.onClose(func() error { return pre.img.Close() })
	if err := pre.run(ctx, pre.songs); err != nil {
		return nil, err
	}
	img = pre.img
	src := burn.ImageSource(filepath.Base(j.Image.Path), img)
	id, err := journal.Identify(img)
	if err != nil {
		return nil, err
	}
	progress := &burnProgress{a.newProgress()}
	err = j.CheckImage(ctx, id, src, progress)
	progress.stop()
	if err != nil {
		if !o.force || !errors.Is(err, burn.ErrImageChanged) {
			return nil, err
		}
		a.note(err.Error() + "; burning it anyway")
		j.At.LBA = 0
	} else if err := j.Image.Same(id, j.Version); err != nil {
		a.note(touchedWords(err))
	}
	damaged, err := pre.flawsAgain(ctx)
	if err != nil {
		return nil, err
	}
	t.image, t.damage = j.Image.Path, damageOf(ctx, img, damaged)
	if t.drive == nil {
		if t.drive, _, err = a.openKnown(ctx, t.name, byname.Exclusive); err != nil {
			return nil, err
		}
	}
	r := &reburning{app: a, src: src, id: id, j: j, t: t, o: o, progress: progress}
	return r.run(ctx)
}

// reburning resumes one burn.
type reburning struct {
	*app
	src      *burn.Source
	id       journal.Identity // of the image, as it is now
	j        *journal.Journal
	t        *target
	o        reburnFlags
	progress *burnProgress
	found    *burn.Comparison // of the disc with the image
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
	if r.o.noVerify && r.found.Unreadable && (again.Mode == burn.Resume || again.Mode == burn.CloseOnly) {
		return nil, &burn.Refusal{Kind: burn.ErrOptions, Reason: burn.MustCompare, Disc: t.medium.Profile}
	}
	if t.loss, err = t.loses(ctx); err != nil {
		return nil, err
	}
	r.say("Plan   %s", resumeWords(again, t, !r.o.noVerify))
	for _, n := range t.plan.Notes {
		r.note(noteWords(n))
	}
	if t.loss != nil && !holdsSame(t.loss, r.found, r.src, r.j.Attempt()) {
		if err := confirm(ctx, r.app, []*loss{t.loss}, agreement{r.o.force, false, "--force"}); err != nil {
			return nil, err
		}
	}
	if err := r.begin(ctx, again); err != nil {
		return nil, err
	}
	t.job.Observer = r.progress
	outliveTerminal()
	heard := hearInterrupt(ctx, r.app, burnLeft)
	outcome := burn.Run(ctx, r.src, t.job)[0]
	heard()
	r.progress.stop()
	t.endJournal(r.app)
	e := burnOutcome(ctx, r.app, t, outcome, false)
	finishDisc(ctx, r.app, t, e, r.o.tray)
	if again.Other {
		r.note("this need not be the disc of the burn that failed, which therefore stays listed: delete " + r.j.Path + " if you do not need it")
	}
	return e, nil
}

// begin makes the job. It has no journal where another disc than that of the burn is only
// compared: the burn is not resumed.
func (r *reburning) begin(ctx context.Context, again *burn.ResumePlan) error {
	if again.Other {
		r.t.makeJob(!r.o.noVerify)
		return nil
	}
	opts := r.j.Options
	opts.Speed = r.t.medium.SpeedX(r.t.plan.Speed)
	return r.t.begin(ctx, r.app, journal.Begin{Image: r.id, Options: opts, Verify: !r.o.noVerify, Retry: r.j.Path}, "")
}

// plan looks at the disc and decides how to resume.
func (r *reburning) plan(ctx context.Context) (*burn.ResumePlan, error) {
	t := r.t
	var err error
	if t.medium, err = burn.Survey(ctx, t.drive); err != nil {
		return nil, err
	}
	showMedium(r.app, t.medium, "")
	opts := r.j.Options
	opts.Simulate = false
	if opts.Speed = float64(r.o.speed); opts.Speed == 0 {
		opts.Speed = t.medium.Slower(t.medium.SpeedX(r.j.Plan.Speed))
	}
	attempt := r.j.Attempt()
	c, err := burn.Compare(ctx, t.drive, t.medium, r.src, attempt, r.progress)
	r.progress.stop()
	if err != nil {
		return nil, err
	}
	r.found = c
	return burn.PlanResume(ctx, t.medium, r.src, attempt, c, opts)
}
