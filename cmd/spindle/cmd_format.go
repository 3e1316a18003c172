package main

import (
	"context"
	"errors"
	"fmt"

	"spindle/burn"
	"spindle/scsi"

	"github.com/spf13/cobra"
)

func formatCommand(a *app) *cobra.Command {
	var full, force bool
	var spare spareFlag
	c := &cobra.Command{
		Use:   "format [DRIVE]",
		Short: "Format a DVD-RAM, DVD-RW, DVD+RW or Blu-ray disc",
		Long: `Format a disc that can be written at any place. "spindle burn" does so automatically
where it is needed. Everything on the disc is lost: it is named, and a question is asked;
without a terminal to ask on, --force is needed.`,
		Example: "  spindle format\n  spindle format /dev/sr1 --spare none",
		Args:    needs(0, 1, ""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			return erase(ctx, a, args, "formatted", force, func(m *burn.Medium) (*burn.Plan, error) {
				return burn.PlanFormat(m, burn.FormatOptions{Full: full, Spare: burn.Spare(spare)})
			})
		}),
	}
	c.Flags().BoolVar(&full, "full", false, "write or certify every sector; takes an hour or more")
	c.Flags().BoolVar(&force, "force", false, "do not ask, whatever is on the disc")
	c.Flags().Var(&spare, "spare", "spare areas of a Blu-ray disc: none, min or default")
	complete(c, "spare", spareNames)
	a.addUnmount(c.Flags())
	return c
}

// eraseOutcome says how erasing or formatting ended.
func eraseOutcome(ctx context.Context, name string, m *burn.Medium, state string, err error) (result, error) {
	r := &burnResult{ending: done(), Drive: name, State: state}
	var stopped *burn.Error
	switch {
	case err == nil:
		r.text = fmt.Sprintf("The %s is %s.", m.Profile, state)
		return r, nil
	case !errors.As(err, &stopped):
		return nil, err
	case ctx.Err() != nil:
		r.State = string(stopped.State)
		r.fail(message{status: exitInterrupted, what: "interrupted", next: eraseWords(stopped)})
		return r, nil
	}
	f := message{status: exitBurnFailed, what: stopped.Err.Error(), next: "Try again; if it fails again, the disc is worn out."}
	if what, next, ok := burnCause(err); ok {
		f.what, f.next = what, next
	}
	if s := scsi.SenseOf(err); s != nil {
		f.sense = s.String()
	}
	r.State = string(burn.Unknown)
	r.fail(f)
	return r, nil
}

// eraseWords says what a disc is whose erasing or formatting was interrupted.
func eraseWords(stopped *burn.Error) string {
	switch stopped.State {
	case burn.Untouched:
		return stateWords(burn.Untouched)
	case burn.StillBlank:
		return "The drive finished anyway: the disc is blank."
	case burn.Overwritable:
		return "The disc was touched, and what was on it may be gone. It can be burned; \"spindle burn\" formats it where it is needed."
	}
	return "The disc was touched, and what was on it may be gone. Run the same command again to make it usable."
}
