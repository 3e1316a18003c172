package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"spindle/internal/attached"
	"spindle/scsi"
	"spindle/scsi/tcmu"

	"github.com/spf13/cobra"
)

func detachCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "detach [DEVICE]",
		Short: "Remove an attached drive",
		Long: `Remove a drive made by "spindle attach", and clean up after drives whose spindle was
killed. With several attached drives, name the device.`,
		Example: "  sudo spindle detach /dev/sr1",
		Args:    needs(0, 1, ""),
		RunE: a.run(func(_ context.Context, args []string) (result, error) {
			device := a.drive()
			if len(args) > 0 {
				device = args[0]
			}
			return runDetach(device)
		}),
	}
}

func runDetach(device string) (result, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("detaching a drive needs root: %w", tcmu.ErrRoot)
	}
	cleaned, err := attached.DefaultFolder.Clean()
	if err != nil {
		return nil, fmt.Errorf("what is left of a killed spindle cannot be removed: %w", err)
	}
	r := &attachResult{ending: done()}
	client, err := findAttached(device)
	switch {
	case errors.Is(err, attached.ErrNone) && device == "" && cleaned > 0:
		r.text = fmt.Sprintf("Removed what was left of %s.", plural(cleaned, "drive"))
		return r, nil
	case err != nil:
		return nil, err
	case scsi.MountPoint(client.Device) != "":
		return nil, fmt.Errorf("%s is mounted: %w", client.Device, scsi.ErrBusy)
	default:
		if err := client.Detach(); err != nil {
			return nil, err
		}
		r.text = client.Device + " is detached."
	}
	r.Device, r.File = client.Device, client.File
	return r, nil
}
