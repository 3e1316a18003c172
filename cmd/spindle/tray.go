package main

import (
	"context"
	"time"

	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"

	"github.com/spf13/pflag"
)

func moveTray(ctx context.Context, d *mmc.Drive, action mmc.LoadAction) error {
	// Unit attentions have to be taken note of first.
	const attentions = 4
	var err error
	for range attentions {
		if err = d.TestUnitReady(ctx); scsi.SenseOf(err) == nil || scsi.SenseOf(err).Key != scsi.UnitAttention {
			break
		}
	}
	if err != nil && scsi.SenseOf(err) == nil {
		return err
	}
	if action == mmc.Eject {
		if err := d.AllowRemoval(ctx); err != nil && scsi.SenseOf(err) == nil {
			return err
		}
	}
	if err := d.StartStop(ctx, action); err != nil || action != mmc.Load {
		return err
	}
	// Whoever loads a disc wants to use it. An empty tray is closed as well.
	if err := drive.WaitReady(ctx, d, readyLimit); err != nil && scsi.SenseOf(err) == nil {
		return err
	}
	return nil
}

// readyLimit is how long a disc may take to be ready.
const readyLimit = time.Minute

// trayFlags say what is done with the tray after a burn.
type trayFlags struct{ eject, keep bool }

func (t *trayFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&t.eject, "eject", false, "open the tray if all went well")
	f.BoolVar(&t.keep, "no-reload", false, "do not move the tray out and in: the system may not see what was burned")
}
