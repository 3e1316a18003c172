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
	"spindle/burn/journal"
	"spindle/drive"
	"spindle/drive/byname"
	"spindle/internal/printable"
	"spindle/iso"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

// burnFlags are the options of burn.
type burnFlags struct {
	burn.Options
	speed    speedFlag
	mode     modeFlag
	spare    spareFlag
	dryRun   bool
	force    bool
	noVerify bool
	tray     trayFlags
	copies   int
	size     sizeFlag
	journal  string
	noLog    bool
}

func burnCommand(a *app) *cobra.Command {
	var o burnFlags
	c := &cobra.Command{
		Use:   "burn IMAGE",
		Short: "Burn an image onto a disc, and compare the disc with it",
		Long: `Burn IMAGE (.iso, .cue, .nrg and others; "-" is a pipe) onto the disc in the drive.

Before the disc is touched, the image is checked: is it complete, does it match a
checksum file beside it or an MD5 inside it, does it fit? What comes through a pipe must
begin with a file system, and be as long as that says. An image with sectors that
are known to be wrong is refused: those that a map beside it lists (IMAGE.map, of a rip
or of GNU ddrescue), and those with a wrong EDC, for which an image that stores whole CD
sectors is read once before. So is one with a FLAC or MP3 file that cannot be decoded, or that
does not have the MD5 that it states. --force burns it anyway, with silence for what
cannot be decoded. Then the plan is shown.
A disc that holds something is written over, or erased, only after a question; without
a terminal to ask on, only with --force, or with --blank.
After the burn, the disc is read back and compared, sector by sector.

A journal of each burn is kept. After one that failed, "spindle reburn" resumes.`,
		Example: `  spindle burn debian-live.iso
  spindle burn game.cue --speed 8
  spindle burn photos.iso --multi
  spindle burn film.iso -d /dev/sr0 -d /dev/sr1
  spindle burn debian-live.iso -d 'sim:disc.iso?media=dvd+r'`,
		Args: needs(1, 1, "name the image to burn, e.g. \"spindle burn debian-live.iso\""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) { return runBurn(ctx, a, args[0], o) }),
	}
	f := c.Flags()
	f.Var(&o.speed, "speed", "writing speed, as a multiple of 1x (by default the highest)")
	f.Var(&o.mode, "mode", "how to write: sao, tao or raw (CD); dao or incremental (DVD-R)")
	f.BoolVar(&o.Multi, "multi", false, "leave the disc open, so that another session can be added")
	f.BoolVar(&o.Simulate, "simulate", false, "do everything with the laser off (CD and DVD-R)")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the plan, and stop before the disc is touched")
	f.BoolVar(&o.Blank, "blank", false, "erase a rewritable disc first")
	f.BoolVar(&o.Full, "full", false, "with --blank: erase or format the whole disc")
	f.Var(&o.spare, "spare", "spare areas of a Blu-ray disc: none, min or default")
	f.BoolVar(&o.Streaming, "streaming", false, "DVD-RAM, BD-RE: write without the drive's own verification, up to twice as fast")
	f.BoolVar(&o.Overburn, "overburn", false, "try to write more than a CD claims to hold")
	f.BoolVar(&o.force, "force", false, "burn over what is on the disc without asking, or an image that is wrong or made for another place")
	f.BoolVar(&o.noVerify, "no-verify", false, "do not compare the disc with the image afterwards")
	o.tray.add(f)
	f.Var(count(&o.copies, 1, 1, 1000, "N"), "copies", "how many discs to burn, one after the other")
	f.Var(&o.size, "size", "how much comes through the pipe at most: sectors, or a size such as 700MB or 4.7GB (by default what the disc holds)")
	f.StringVar(&o.journal, "journal", "", "keep the journal in `FILE`")
	f.BoolVar(&o.noLog, "no-journal", false, "keep no journal: \"spindle reburn\" cannot resume this burn")
	complete(c, "mode", modeNames)
	complete(c, "spare", spareNames)
	a.addUnmount(f)
	return c
}

// check looks for options that contradict each other.
func (o *burnFlags) check() error {
	o.Speed, o.Mode, o.Spare, o.AnyPlace = float64(o.speed), burn.Mode(o.mode), burn.Spare(o.spare), o.force
	if o.noLog && o.journal != "" {
		return usage("--journal keeps a journal, --no-journal keeps none: choose one")
	}
	if o.Mode == burn.DiscAtOnce && o.Multi {
		return usage("--mode dao closes the disc: leave out --multi")
	}
	return nil
}

func runBurn(ctx context.Context, a *app, path string, o burnFlags) (result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	src, pre, err := burnSource(ctx, a, path, o)
	if err != nil {
		return nil, err
	}
	names := []string(a.names)
	if len(names) == 0 {
		names = []string{""}
	}
	how := byname.Exclusive
	if o.dryRun {
		how = byname.Shared
	}
	b := &burning{app: a, path: path, src: src, pre: pre, o: o}
	var known damage
	if pre != nil {
		known = damageOf(ctx, pre.img, pre.damaged)
	}
	for _, name := range names {
		d, _, err := a.openKnown(ctx, name, how)
		if err != nil {
			return nil, err
		}
		b.targets = append(b.targets, &target{name: name, drive: d, keepTray: o.tray.keep, image: path, damage: known})
	}
	for n := 1; ; n++ {
		r, err := b.once(ctx)
		for n > 1 && err != nil && !b.begun && ctx.Err() == nil {
			r, err = b.onceMore(ctx, n, err)
		}
		if err != nil || o.dryRun || n >= o.copies || r.end().Status != exitDone {
			return r, err
		}
		a.show(r)
		if err := b.nextDisc(ctx, n+1); err != nil {
			return nil, err
		}
	}
}

// burnSource opens what is to be burned.
func burnSource(ctx context.Context, a *app, path string, o burnFlags) (*burn.Source, *preflight, error) {
	if path != "-" {
		if o.size != 0 {
			return nil, nil, usage("--size is for data from a pipe (\"spindle burn -\")")
		}
		pre, err := imageFor(ctx, a, path, &o)
		if err != nil {
			return nil, nil, err
		}
		return burn.ImageSource(filepath.Base(path), pre.img), pre, nil
	}
	if o.copies > 1 {
		return nil, nil, usage("data from a pipe can be burned only once: leave out --copies")
	}
	src, err := burnPipe(a, os.Stdin, int(o.size), o.force)
	return src, nil, err
}

// burning burns an image onto a disc in each of several drives.
type burning struct {
	*app
	path    string
	src     *burn.Source
	pre     *preflight // nil for a pipe
	targets []*target
	o       burnFlags
	begun   bool // the discs are taken, and asked for no more
}

// once burns one disc in each drive. Of several drives, all results but the last
// are shown here; the last one has the worst status.
func (b *burning) once(ctx context.Context) (result, error) {
	b.begun = false
	if err := b.plan(ctx); err != nil {
		return nil, err
	}
	if b.o.dryRun {
		b.sayLost()
		return &burnResult{ending: done(), State: string(burn.Untouched), text: "Nothing was written (--dry-run)."}, nil
	}
	if err := confirm(ctx, b.app, b.losses(), agreement{b.o.force, b.o.Blank, "--force"}); err != nil {
		return nil, err
	}
	b.begun = true
	jobs, err := b.jobs(ctx)
	if err != nil {
		return nil, err
	}
	observer := &burnProgress{b.newProgress()}
	jobs[0].Observer = observer // of several drives the first one shows how it goes
	outliveTerminal()
	left := burnLeft
	if b.pre == nil || b.targets[0].noJournal {
		left = burnLeftUnknown
	}
	heard := hearInterrupt(ctx, b.app, left)
	outcomes := burn.Run(ctx, b.src, jobs...)
	heard()
	observer.stop()
	worst := exitDone
	var last *burnResult
	for i, r := range outcomes {
		b.targets[i].endJournal(b.app)
		if last != nil {
			b.show(last)
		}
		last = burnOutcome(ctx, b.app, b.targets[i], r, len(b.targets) > 1)
		b.unchanged(last)
		finishDisc(ctx, b.app, b.targets[i], last, b.o.tray)
		if last.Status != exitDone {
			worst = last.Status
		}
	}
	if last.Status != worst {
		b.show(last)
		return nil, exitError(worst)
	}
	return last, nil
}

// unchanged takes back what was said of a burn during which the image was written to.
func (b *burning) unchanged(r *burnResult) {
	if b.pre == nil || r.Status != exitDone {
		return
	}
	if err := b.pre.found.writtenTo(); err != nil {
		b.note(err.Error() + ": the disc may hold a part of what the image was, and a part of what it is. \"spindle verify IMAGE --with DRIVE\" compares them.")
		r.Status, r.text = exitDifferent, "Burned, but the image was written to meanwhile."
	}
}

// onceMore says why a disc cannot be taken, asks for another one, and burns that. Where nobody answers, the reason
// stays the error.
func (b *burning) onceMore(ctx context.Context, n int, why error) (result, error) {
	m := explain(why)
	b.note(m.what)
	err := b.nextDisc(ctx, n)
	if errors.Is(err, errNoAnswer) {
		b.begun = true
		return nil, why
	}
	if err != nil {
		return nil, err
	}
	return b.once(ctx)
}

// plan looks at the discs and decides how they are written.
func (b *burning) plan(ctx context.Context) error {
	for _, t := range b.targets {
		var err error
		if t.medium, err = burn.Survey(ctx, t.drive); err != nil {
			return err
		}
		showMedium(b.app, t.medium, burn.Spare(b.o.spare))
		if t.plan, err = burn.MakePlan(ctx, t.medium, b.src, b.o.Options); err != nil {
			return notBlank(ctx, t, err)
		}
		if t.loss, err = t.loses(ctx); err != nil {
			return err
		}
	}
	for _, t := range b.targets {
		if err := burn.Alike(b.targets[0].plan, t.plan); err != nil {
			return err
		}
	}
	b.showPlan()
	return nil
}

// notBlank adds to the refusal of a rewritable disc that is not blank what it holds.
func notBlank(ctx context.Context, t *target, refused error) error {
	if !errors.Is(refused, burn.ErrNotBlank) || !t.medium.Erasable {
		return refused
	}
	h, err := burn.Held(ctx, t.drive, t.medium)
	if h == nil || err != nil {
		return refused
	}
	return refusal{fmt.Errorf("the disc is not blank: %s", loss{t.name, t.medium, h}), exitNoDisc,
		untouched + "Use a blank disc, or erase a rewritable one with --blank."}
}

// losses is what is lost on the discs.
func (b *burning) losses() []*loss {
	var all []*loss
	for _, t := range b.targets {
		if t.loss != nil {
			all = append(all, t.loss)
		}
	}
	return all
}

// sayLost says what a burn would destroy.
func (b *burning) sayLost() {
	for _, l := range b.losses() {
		b.say("Lost   %s", l.lost())
	}
}

// jobs makes the job of each drive, with its journal.
func (b *burning) jobs(ctx context.Context) ([]*burn.Job, error) {
	id := journal.Identity{Path: b.path}
	if b.pre != nil {
		var err error
		if id, err = journal.Identify(b.pre.img); err != nil {
			return nil, err
		}
	}
	var jobs []*burn.Job
	for _, t := range b.targets {
		begin := journal.Begin{Image: id, Options: b.o.Options, Verify: !b.o.noVerify}
		if b.o.noLog {
			t.makeJob(begin.Verify)
		} else if err := t.begin(ctx, b.app, begin, b.o.journal); err != nil {
			return nil, err
		}
		t.noJournal, t.elsewhere = t.journal == nil, b.o.journal
		jobs = append(jobs, t.job)
	}
	return jobs, nil
}

// showMedium says what disc it is, and, where the spare areas of a Blu-ray disc are
// to be chosen, what each choice leaves.
func showMedium(a *app, m *burn.Medium, spare burn.Spare) {
	a.say("Disc   %s", describeMedium(m))
	if m.Profile != mmc.ProfileBDR && m.Profile != mmc.ProfileBDRE || spare == "" {
		return
	}
	for _, s := range []burn.Spare{burn.SpareNone, burn.SpareMinimum, burn.SpareDefault} {
		if n := m.CapacityWith(s); n > 0 {
			a.say("       with --spare %s it holds %s", s, sizeText(int64(n)*iso.BlockSize))
		}
	}
}

// planEvent is what will be done.
type planEvent struct {
	Event    string   `json:"event"` // plan
	Drive    string   `json:"drive"`
	Medium   string   `json:"medium"`
	ID       string   `json:"media_id,omitempty"`
	State    string   `json:"state"`
	Mode     string   `json:"mode"`
	Speed    float64  `json:"speed"` // times 1x
	Bytes    int64    `json:"bytes"`
	Free     int      `json:"free"`            // sectors
	Seconds  float64  `json:"seconds"`         // expected, without verifying
	Vouchers []string `json:"vouchers"`        // what says that the image is right
	Loses    string   `json:"loses,omitempty"` // what is on the disc, and will be gone
	Notes    []string `json:"notes,omitempty"`
}

func (b *burning) showPlan() {
	vouchers := []string{} // [] in JSON, and not null
	if b.pre != nil {
		vouchers = append(vouchers, b.pre.lines...)
		b.say("Image  %s: %s", filepath.Base(b.path), b.pre.describe())
		for _, l := range vouchers {
			b.say("       %s", l)
		}
	}
	t := b.targets[0]
	how := planWords(t)
	switch {
	case b.o.Simulate:
		how += ", with the laser off"
	case !t.plan.Final && b.o.Multi:
		how += ", left open for another session"
	}
	how = howLong(how, t.plan, !b.o.noVerify && !b.o.Simulate)
	if b.src.IsStream() {
		how = strings.Replace(how, "; about ", "; at most about ", 1)
	}
	b.say("Plan   %s", how)
	for _, t := range b.targets {
		var notes []string
		for _, n := range t.plan.Notes {
			notes = append(notes, noteWords(n))
			b.note(noteWords(n))
		}
		if b.verbose {
			fmt.Fprint(b.stderr, printable.Text(t.plan.String()))
		}
		loses := ""
		if t.loss != nil {
			loses = holdingsWords(t.loss.held)
		}
		b.emit(planEvent{"plan", t.name, t.medium.Profile.String(), t.medium.ID, string(t.medium.State()), string(t.plan.Mode),
			t.medium.SpeedX(t.plan.Speed), t.plan.Bytes(), t.medium.Free, t.plan.Expected.Seconds(), vouchers, loses, notes})
	}
}

// planWords gives "session at once at 16x".
func planWords(t *target) string {
	how := string(t.plan.Mode)
	if t.plan.Streaming {
		how += " without the drive's verification"
	}
	if t.plan.Speed > 0 {
		how += fmt.Sprintf(" at %gx", t.medium.SpeedX(t.plan.Speed))
	}
	return how
}

// howLong completes the line of a plan.
func howLong(how string, p *burn.Plan, compare bool) string {
	how += "; about " + roughly(p.Expected)
	if compare {
		how += ", then the disc is compared with the image"
	}
	return how
}

// errNoAnswer: there is no terminal on which to ask for a disc.
var errNoAnswer = errors.New("no terminal")

// nextDisc asks for another disc and waits until it is there.
func (b *burning) nextDisc(ctx context.Context, n int) error {
	for _, t := range b.targets {
		if err := moveTray(ctx, t.drive, mmc.Eject); err != nil {
			return err
		}
	}
	return askForDisc(ctx, b.app, b.targets, fmt.Sprintf("Insert disc %d of %d, and press Enter.", n, b.o.copies))
}

// askForDisc shows a question, waits for Enter, and loads the discs.
func askForDisc(ctx context.Context, a *app, targets []*target, question string) error {
	fmt.Fprintln(a.stderr, printable.Text(question))
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
		err := moveTray(ctx, t.drive, mmc.Load)
		if drive.Classify(err) == drive.Refused { // a slim drive: the tray was pushed in by hand
			err = drive.WaitReady(ctx, t.drive, readyLimit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
