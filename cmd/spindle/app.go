package main

import (
	"context"
	"errors"
	"io"

	"spindle/lookup"

	"github.com/spf13/cobra"
)

// app is what the commands share: where words go, and the drives.
type app struct {
	console
	deck
	asItIs    []string       // what is known to be wrong with the image that --force burns
	databases *lookup.Client // asked with --lookup only
}

func newApp(stdout, stderr io.Writer) *app {
	a := &app{databases: &lookup.Client{UserAgent: userAgent()}}
	a.console.init(stdout, stderr)
	a.deck.console = &a.console
	return a
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "spindle",
		Short: "Rip, burn, convert and check optical discs",
		Long: `spindle rips optical discs into image files, burns images onto discs, and checks and
converts images.

While it rips, damaged sectors are retried and recorded in a map, and never passed off
as good; a rip that was stopped resumes where it was. Before it burns, it checks the
image; afterwards it reads the disc back and compares. "spindle reburn" resumes a burn
that failed.

A drive is named by its device (/dev/sr0), or as sim:FILE for a simulated drive with
the disc image FILE in its tray. Without --drive, spindle uses the only drive, or the
only one with a disc in it.

Exit status:
  0    done
  1    failed
  2    wrong use, or a file that exists would be overwritten
  3    no drive, no disc, or the wrong one
  4    ripped, with sectors that could not be read correctly
  5    verification found a difference
  6    the burn failed
  130  interrupted`,
		Example: `  spindle rip game.cue             a CD into game.bin and game.cue
  spindle rip film.iso             a DVD or Blu-ray disc
  spindle burn debian-live.iso     burn an image, and compare
  spindle reburn                   resume a burn that failed
  spindle verify backup.cue        is this image still good?
  spindle convert old.nrg new.cue`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if len(a.names) > 1 && c.Name() != "burn" {
				return usage("only \"spindle burn\" takes several drives")
			}
			return nil
		},
		Args:                       noCommand,
		Version:                    buildVersion(),
		SuggestionsMinimumDistance: 2,
		RunE:                       func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate("spindle {{.Version}}\n")
	f := root.PersistentFlags()
	f.BoolP("help", "h", false, "show this help")
	f.VarP((*driveNames)(&a.names), "drive", "d", "use this drive: /dev/sr0 or the like, or sim:FILE")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "show each command sent to the drive")
	f.StringVar(&a.trace, "trace", "", "record all traffic with the drive in `FILE`")
	f.BoolVar(&a.json, "json", false, "print one JSON object per line; the last one is the result")
	f.Var(&a.color, "color", "use colours: auto, always or never")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "show no progress")
	root.Flags().Bool("version", false, "show the version")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return flagError(c, err) })
	root.AddGroup(
		&cobra.Group{ID: groupDiscs, Title: "Discs:"},
		&cobra.Group{ID: groupImages, Title: "Images:"},
		&cobra.Group{ID: groupDrives, Title: "Drives:"},
	)
	addCommands(root, groupDiscs, ripCommand(a), burnCommand(a), reburnCommand(a), blankCommand(a), formatCommand(a))
	addCommands(root, groupImages, verifyCommand(a), convertCommand(a), mergeCommand(a), makeCommand(a), lsCommand(a), extractCommand(a))
	addCommands(root, groupDrives, infoCommand(a), scanCommand(a), drivesCommand(a), ejectCommand(a), loadCommand(a), attachCommand(a), detachCommand(a))
	addCommands(root, "", versionCommand(a), manCommand())
	setHelp(root, &a.console)
	return root
}

// The groups of commands in --help.
const (
	groupDiscs  = "discs"
	groupImages = "images"
	groupDrives = "drives"
)

func addCommands(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

// A work is what a command does: it returns what it found or made.
type work func(ctx context.Context, args []string) (result, error)

// run makes a command of work: its result is shown, and sets the exit status.
func (c *console) run(w work) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		r, err := w(cmd.Context(), args)
		if err != nil {
			return interrupted(cmd.Name(), err)
		}
		return c.finish(r)
	}
}

// finish shows the result of a command, and returns what sets the exit status.
func (c *console) finish(r result) error {
	c.show(r)
	if o := r.end(); o.Status != exitDone {
		return exitError(o.Status)
	}
	return nil
}

// exit reports err and returns the exit status for it.
func (a *app) exit(err error) int {
	status := exitDone
	var shown exitError
	switch {
	case errors.As(err, &shown):
		status = int(shown)
	case err != nil && errors.Is(err, a.stdout.lost()): // flush reports it
	case err != nil:
		m := explain(err)
		a.fail(m)
		status = m.status
	}
	return a.flush(status)
}
