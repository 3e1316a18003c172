package main

import (
	"context"
	"strings"

	"spindle/drive/byname"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

func ejectCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "eject [DRIVE]",
		Short:   "Open the tray of a drive",
		Example: "  spindle eject\n  spindle eject /dev/sr1",
		Args:    needs(0, 1, ""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			return runTray(ctx, a, args, mmc.Eject)
		}),
	}
}

// trayResult is the result of eject and load.
type trayResult struct {
	ending
	Tray string `json:"tray"` // open or closed
}

func (r *trayResult) Text(p *page) { p.line("Tray %s.", r.Tray) }

func runTray(ctx context.Context, a *app, args []string, action mmc.LoadAction) (result, error) {
	d, err := a.open(ctx, strings.Join(args, ""), byname.Shared)
	if err != nil {
		return nil, err
	}
	if err := moveTray(ctx, d, action); err != nil {
		return nil, err
	}
	r := &trayResult{ending: done(), Tray: "open"}
	if action == mmc.Load {
		r.Tray = "closed"
	}
	return r, nil
}
