package main

import (
	"context"
	"os"
	"strings"
	"time"

	"spindle/scsi"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

func (a *app) ejectCommand() *cobra.Command {
	return a.trayCommand("eject", "Open the tray of a drive", mmc.Eject, "the tray is open")
}

func (a *app) loadCommand() *cobra.Command {
	c := a.trayCommand("load", "Close the tray of a drive, or put a disc into an attached one", mmc.Load, "the tray is closed")
	c.Use = "load [DRIVE|IMAGE]"
	c.Long = `load closes the tray of a drive. With a disc image, or sim:FILE?media=... for a blank,
it puts that disc into a drive that "spindle attach" made: the one that --drive names, or
the only one.`
	closeTray := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 || strings.HasPrefix(args[0], "/dev/") || a.drive == "" && strings.HasPrefix(args[0], "sim:") {
			return closeTray(c, args)
		}
		return a.changeDisc(args[0])
	}
	return c
}

// changeDisc puts a disc into an attached drive.
func (a *app) changeDisc(spec string) error {
	d, err := findAttached(a.drive)
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := d.ask(attachRequest{Do: "load", Spec: spec, Dir: dir}); err != nil {
		return err
	}
	a.print("%s holds %s", d.Device, d.File)
	a.emit(attachEvent{"result", d.Device, d.File})
	return nil
}

// trayEvent is the result of eject and load in JSON.
type trayEvent struct {
	Event  string `json:"event"` // result
	Status int    `json:"status"`
	Tray   string `json:"tray"` // open or closed
}

func (a *app) trayCommand(name, short string, action mmc.LoadAction, done string) *cobra.Command {
	return &cobra.Command{
		Use:   name + " [DRIVE]",
		Short: short,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			drive := ""
			if len(args) > 0 {
				drive = args[0]
			}
			d, err := a.openDrive(c.Context(), drive)
			if err != nil {
				return err
			}
			if err := moveTray(c.Context(), d, action); err != nil {
				return err
			}
			state := "open"
			if action == mmc.Load {
				state = "closed"
			}
			a.print("%s", done)
			a.emit(trayEvent{"result", exitDone, state})
			return nil
		},
	}
}

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
		if err := d.PreventRemoval(ctx, false); err != nil && scsi.SenseOf(err) == nil {
			return err
		}
	}
	if err := d.StartStop(ctx, action); err != nil || action != mmc.Load {
		return err
	}
	// Whoever loads a disc wants to use it. An empty tray is closed as well.
	if err := d.WaitReady(ctx, readyLimit); err != nil && scsi.SenseOf(err) == nil {
		return err
	}
	return nil
}

// readyLimit is how long a disc may take to be ready.
const readyLimit = time.Minute
