package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"spindle/scsi"
	"spindle/scsi/tcmu"
)

func (a *app) detachCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "detach [DEVICE]",
		Short: "Take an attached drive away again",
		Long: `detach ends a drive that "spindle attach" made, and removes what is left of drives
whose spindle was killed. With several attached drives, name the one that is meant.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			device := a.drive
			if len(args) > 0 {
				device = args[0]
			}
			return a.detach(device)
		},
	}
}

func (a *app) detach(device string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("detaching a drive needs root: %w", tcmu.ErrRoot)
	}
	cleaned, err := cleanAttached()
	if err != nil {
		return err
	}
	client, err := findAttached(device)
	switch {
	case errors.Is(err, errNotAttached) && device == "" && cleaned > 0:
		a.print("removed what was left of %s", plural(cleaned, "drive"))
	case err != nil:
		return err
	default:
		if tcmu.Mounted(client.Device) {
			return fmt.Errorf("%s is mounted: %w", client.Device, scsi.ErrBusy)
		}
		if err := client.ask(attachRequest{Do: "detach"}); err != nil {
			return err
		}
		a.print("%s is detached", client.Device)
	}
	a.emit(attachEvent{"result", client.Device, client.File})
	return nil
}
