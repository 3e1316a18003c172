package main

import (
	"context"
	"os"
	"strings"

	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

func loadCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "load [DRIVE|IMAGE]",
		Short: "Close the tray of a drive, or insert an image into an attached one",
		Long: `Close the tray of a drive.

With a disc image, or sim:FILE?media=... for a blank disc, insert it into a drive made
by "spindle attach": the one that --drive names, or the only one.`,
		Example: `  spindle load
  spindle load other.iso -d /dev/sr1`,
		Args: needs(0, 1, ""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			if len(args) == 0 || strings.HasPrefix(args[0], "/dev/") || a.drive() == "" && strings.HasPrefix(args[0], "sim:") {
				return runTray(ctx, a, args, mmc.Load)
			}
			return changeDisc(a.drive(), args[0])
		}),
	}
}

// changeDisc inserts a disc into an attached drive.
func changeDisc(device, spec string) (result, error) {
	d, err := findAttached(device)
	if err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if err := d.Load(spec, dir); err != nil {
		return nil, err
	}
	return &attachResult{ending: done(), Device: d.Device, File: d.File, text: d.Device + " now holds " + d.File + "."}, nil
}
