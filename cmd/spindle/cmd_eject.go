package main

import (
	"github.com/spf13/cobra"

	"spindle/scsi/mmc"
)

func (a *app) ejectCommand() *cobra.Command {
	return a.trayCommand("eject", "Open the tray of a drive", mmc.Eject, "the tray is open")
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
