package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"spindle/drive/byname"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// openDrive opens the drive that name (or --drive, or what there is) means, and
// wraps it as --verbose and --trace ask for.
func (a *app) openDrive(ctx context.Context, name string) (*mmc.Drive, error) {
	return a.openDriveFor(ctx, name, false)
}

// openDriveFor opens a drive; exclusively for what changes its disc: it must not
// be mounted then, nor held by another program.
func (a *app) openDriveFor(ctx context.Context, name string, exclusive bool) (*mmc.Drive, error) {
	if name == "" {
		name = a.drive
	}
	access := byname.Shared
	if exclusive {
		access = byname.Exclusive
	}
	conn, err := byname.Open(ctx, name, byname.Options{Access: access})
	if err != nil {
		return nil, sayWhichDrive(err)
	}
	a.onClose(conn.Close)
	if d, ok := conn.(*sim.Drive); ok {
		a.onClose(func() error {
			if err := d.Stats().StoreError; err != nil {
				a.note("the file of the simulated disc failed: " + err.Error())
			}
			return nil
		})
	}
	dev, err := a.watched(conn)
	if err != nil {
		return nil, err
	}
	return mmc.New(dev), nil
}

// watched wraps a device as --trace and --verbose ask for.
func (a *app) watched(dev scsi.Device) (scsi.Device, error) {
	if a.trace != "" {
		f, err := os.Create(a.trace)
		if err != nil {
			return nil, err
		}
		r := scsi.NewTracer(dev, f)
		a.onClose(func() error { return errors.Join(r.Flush(), f.Close()) })
		dev = r
	}
	if a.verbose {
		dev = &verboseDevice{dev, a}
	}
	return dev, nil
}

// sayWhichDrive gives the errors about the name of a drive their sentence.
func sayWhichDrive(err error) error {
	var (
		spec *byname.SpecError
		disc *byname.DiscError
		many *byname.AmbiguousError
	)
	switch {
	case errors.As(err, &spec):
		return usageError{err}
	case errors.As(err, &disc):
		return fmt.Errorf("no disc for the simulated drive: %w", err)
	case errors.As(err, &many):
		var list strings.Builder
		for _, d := range many.Drives {
			state := "no disc"
			if d.Loaded {
				state = "disc"
			}
			fmt.Fprintf(&list, "\n           %s  %s %s (%s)", d.Path, d.Vendor, d.Model, state)
		}
		return fmt.Errorf("%w, and it is not clear which one is meant:%s", errManyDrives, list.String())
	}
	return err
}

func suffix(path string) string {
	if i := strings.LastIndexAny(path, "./"); i >= 0 && path[i] == '.' {
		return path[i:]
	}
	return ""
}

// errManyDrives: --drive is needed.
var errManyDrives = errors.New("there are several drives")

// probeLimit is how long a drive may take to say whether it has a disc.
const probeLimit = 15 * time.Second

// verboseDevice shows each command and how it ended.
type verboseDevice struct {
	scsi.Device
	a *app
}

// Execute implements scsi.Device.
func (v *verboseDevice) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	n, err := v.Device.Execute(ctx, c)
	result := fmt.Sprintf("%d bytes", n)
	if err != nil {
		result = err.Error()
	}
	fmt.Fprintf(v.a.stderr, "% x  %s: %s\n", c.CDB, scsi.Opcode(c.CDB[0]), result)
	return n, err
}
