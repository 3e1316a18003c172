package main

import (
	"context"
	"strings"

	"spindle/burn"
	"spindle/drive/byname"

	"github.com/spf13/cobra"
)

func blankCommand(a *app) *cobra.Command {
	var full, session, force bool
	c := &cobra.Command{
		Use:   "blank [DRIVE]",
		Short: "Erase a CD-RW or DVD-RW",
		Long: `Erase a CD-RW or DVD-RW, so that it can be burned again. Everything on it is lost, or
with --session the last session. What is on it is named, and a question is asked; without
a terminal to ask on, --force is needed.`,
		Example: "  spindle blank\n  spindle blank /dev/sr1 --full",
		Args:    needs(0, 1, ""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			how := burn.EraseQuick
			switch {
			case full && session:
				return nil, usage("--full erases the whole disc, --session the last session: choose one")
			case full:
				how = burn.EraseFull
			case session:
				how = burn.EraseSession
			}
			return erase(ctx, a, args, "blank", force, func(m *burn.Medium) (*burn.Plan, error) { return burn.PlanErase(m, how) })
		}),
	}
	c.Flags().BoolVar(&full, "full", false, "erase every sector; takes as long as writing them (DVD-RW: allows sessions)")
	c.Flags().BoolVar(&session, "session", false, "erase only the last session of a CD-RW")
	c.Flags().BoolVar(&force, "force", false, "do not ask, whatever is on the disc")
	a.addUnmount(c.Flags())
	return c
}

// erase runs a plan that erases or formats a disc, which is then as done says.
func erase(ctx context.Context, a *app, args []string, done string, force bool, plan func(*burn.Medium) (*burn.Plan, error)) (result, error) {
	name := strings.Join(args, "")
	d, err := a.open(ctx, name, byname.Exclusive)
	if err != nil {
		return nil, err
	}
	m, err := burn.Survey(ctx, d)
	if err != nil {
		return nil, err
	}
	p, err := plan(m)
	if err != nil {
		return nil, err
	}
	t := &target{name: name, drive: d, medium: m, plan: p}
	if t.loss, err = t.loses(ctx); err != nil {
		return nil, err
	}
	if t.loss != nil {
		if err := confirm(ctx, a, []*loss{t.loss}, agreement{force: force, flag: "--force"}); err != nil {
			return nil, err
		}
	}
	observer := &burnProgress{a.newProgress()}
	outliveTerminal()
	heard := hearInterrupt(ctx, a, eraseLeft)
	err = burn.Execute(ctx, d, m, p, observer)
	heard()
	observer.stop()
	return eraseOutcome(ctx, name, m, done, err)
}
