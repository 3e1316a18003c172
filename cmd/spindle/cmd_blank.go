package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"spindle/burn"
)

func (a *app) blankCommand() *cobra.Command {
	var full, session bool
	c := &cobra.Command{
		Use:   "blank [DRIVE]",
		Short: "Erase a CD-RW or DVD-RW",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			how := burn.EraseQuick
			switch {
			case full && session:
				return usage("--full erases all, --session the last session: choose one")
			case full:
				how = burn.EraseFull
			case session:
				how = burn.EraseSession
			}
			return a.eraseDisc(c.Context(), args, "blank", func(m *burn.Medium) (*burn.Plan, error) { return burn.PlanErase(m, how) })
		},
	}
	c.Flags().BoolVar(&full, "full", false, "erase every sector, which takes as long as writing them (DVD-RW: so that sessions can be added)")
	c.Flags().BoolVar(&session, "session", false, "erase the last session of a CD-RW only")
	return c
}

// eraseDisc runs a plan that erases or formats.
func (a *app) eraseDisc(ctx context.Context, args []string, done string, plan func(*burn.Medium) (*burn.Plan, error)) error {
	name := strings.Join(args, "")
	d, err := a.openDriveFor(ctx, name, true)
	if err != nil {
		return err
	}
	m, err := burn.Survey(ctx, d)
	if err != nil {
		return err
	}
	p, err := plan(m)
	if err != nil {
		return err
	}
	progress := a.newBurnProgress()
	err = burn.Execute(ctx, d, m, p, progress)
	progress.stop()
	if err != nil {
		var failed *burn.Error
		if errors.As(err, &failed) && ctx.Err() == nil {
			what, next := failed.Err.Error(), "Try again; if it fails again, the disc is worn out."
			e := burnEvent{Event: "result", Status: exitBurnFailed, State: string(burn.Unknown)}
			if w, ok := burn.Explain(err); ok {
				what, next, e.Sense = w.What, w.Next, err.Error()
			} else if w, n, ok := burn.Broken(err); ok {
				what, next = w, n
			}
			e.Error, e.Advice = what, next
			a.tellFailure(e)
			return exitError(exitBurnFailed)
		}
		return err
	}
	a.print("the %s is %s", m.Profile, done)
	a.emit(burnEvent{Event: "result", Drive: name, State: done})
	return nil
}
