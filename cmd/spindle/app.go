package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is what all subcommands share: the global flags, and where output goes.
type app struct {
	stdout, stderr io.Writer

	drives  []string // --drive; several for burn
	drive   string   // the first of them
	verbose bool
	trace   string
	json    bool
	color   string // auto, always, never
	quiet   bool

	red, yellow, bold *color.Color

	closers []func() error
}

func newApp(stdout, stderr io.Writer) *app {
	return &app{stdout: stdout, stderr: stderr, red: color.New(color.FgRed, color.Bold),
		yellow: color.New(color.FgYellow), bold: color.New(color.Bold)}
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "spindle",
		Short: "Rip, burn, convert and check optical discs",
		Long: `spindle rips optical discs into image files, and looks after what it reads: damage
is retried, mapped and never passed off as good, and a rip that was stopped goes
on where it was. It burns images, checks them before a disc is spent, reads the disc
back and compares; after a burn that failed, "spindle reburn" goes on.

A drive is named by its device (/dev/sr0), or as sim:FILE for a simulated drive
with the disc image FILE in its tray. Without --drive, the only drive is taken,
or the one that has a disc in it.

Exit status: 0 done; 1 failed; 2 wrong use; 3 no drive, no disc, or the wrong
one; 4 ripped with sectors that could not be read; 5 verification found a
difference; 6 the burn failed; 130 interrupted.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if len(a.drives) > 0 {
				a.drive = a.drives[0]
			}
			if len(a.drives) > 1 && c.Name() != "burn" {
				return usage("only burn takes several drives")
			}
			return a.setColor()
		},
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	f := root.PersistentFlags()
	f.StringArrayVarP(&a.drives, "drive", "d", nil, "the drive: a `DEVICE` such as /dev/sr0, or sim:FILE")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "show each command that is sent to the drive")
	f.StringVar(&a.trace, "trace", "", "record all that passes to and from the drive in `FILE`")
	f.BoolVar(&a.json, "json", false, "print one JSON object a line; the last one is the result")
	f.StringVar(&a.color, "color", "auto", "use colours: auto, always or never")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "show no progress")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(a.drivesCommand(), a.infoCommand(), a.ripCommand(), a.verifyCommand(), a.convertCommand(), a.makeCommand(), a.lsCommand(), a.extractCommand(),
		a.burnCommand(), a.reburnCommand(), a.blankCommand(), a.formatCommand(),
		a.ejectCommand(), a.loadCommand(), a.attachCommand(), a.detachCommand(),
		a.versionCommand(), a.manCommand())
	for _, c := range root.Commands() {
		if check := c.Args; check != nil {
			c.Args = func(c *cobra.Command, args []string) error { return argsError(c, args, check) }
		}
	}
	return root
}

// argsError says in words what is wrong with the number of arguments.
func argsError(c *cobra.Command, args []string, check cobra.PositionalArgs) error {
	if check(c, args) == nil {
		return nil
	}
	what := "there are too many arguments"
	const more = 3 // than any command needs
	for n := range more {
		if check(c, append(args[:len(args):len(args)], make([]string, n+1)...)) == nil {
			what = "an argument is missing"
		}
	}
	return usage("%s. It is used like this: %s", what, c.UseLine())
}

func (a *app) setColor() error {
	on := false
	switch a.color {
	case "auto":
		on = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(a.stderr)
	case "always":
		on = true
	case "never":
	default:
		return usage("--color is auto, always or never, not %q", a.color)
	}
	for _, c := range []*color.Color{a.red, a.yellow, a.bold} {
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
	}
	return nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// print writes a line of the result, unless JSON is wanted.
func (a *app) print(format string, args ...any) {
	if !a.json {
		fmt.Fprintf(a.stdout, format+"\n", args...)
	}
}

func (a *app) note(text string) {
	if a.json {
		a.emit(noteEvent{"note", text})
		return
	}
	fmt.Fprintf(a.stderr, "%s %s\n", a.yellow.Sprint("note:"), text)
}

func (a *app) printError(m message) {
	if a.json {
		a.emit(errorEvent{"result", m.status, m.what, m.next, m.sense})
		return
	}
	fmt.Fprintf(a.stderr, "%s %s\n", a.red.Sprint("spindle:"), sentence(m.what))
	if m.next != "" {
		fmt.Fprintf(a.stderr, "         %s\n", m.next)
	}
	if m.sense != "" {
		fmt.Fprintf(a.stderr, "         (%s)\n", m.sense)
	}
}

// close closes what the command opened, in reverse order.
func (a *app) close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	a.closers = nil
	return errors.Join(errs...)
}

func (a *app) onClose(f func() error) { a.closers = append(a.closers, f) }

// isDriveName reports whether an argument names a drive and not a file.
func isDriveName(s string) bool {
	return strings.HasPrefix(s, "sim:") || strings.HasPrefix(s, "/dev/")
}
