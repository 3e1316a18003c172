package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"spindle/disc"
	"spindle/drive/byname"
	"spindle/scsi/sim"
	"spindle/scsi/tcmu"

	"github.com/spf13/cobra"
)

func (a *app) attachCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "attach SPEC",
		Short: "Make a simulated drive a real /dev/srN (Linux, root)",
		Long: `attach puts a simulated drive into the running kernel, where every program can use
it: mount, wodim, cdparanoia, a desktop. SPEC is a disc image, or what a drive is
named by elsewhere: sim:FILE, sim:FILE?media=cd-r for a recorder with a blank.

The name of the device is printed when it is ready. The drive is there until Ctrl-C,
or until "spindle detach". "spindle load IMAGE -d /dev/srN" puts another disc in,
"spindle eject /dev/srN" opens its tray.

It needs root, and the kernel modules target_core_user and tcm_loop, which come with
the kernels of the usual distributions.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.attach(c.Context(), args[0]) },
	}
}

// attachedRush lets what takes a real drive minutes (blanking, closing) pass in
// seconds for programs that wait in real time.
const attachedRush = 60

func (a *app) attach(ctx context.Context, name string) error {
	spec, err := attachSpec(name)
	if err != nil {
		return err
	}
	if spec.Config.Rush == 0 && spec.Config.Pace == 0 {
		spec.Config.Rush = attachedRush
	}
	spec.Config.HostTime = spec.Config.Pace > 0
	conn, err := byname.Simulate(spec)
	if err != nil {
		return sayWhichDrive(err)
	}
	a.onClose(conn.Close)
	drive, ok := conn.(*sim.Drive)
	if !ok {
		return usage("a trace cannot be attached")
	}
	server, err := newAttachServer(drive, spec.File)
	if err != nil {
		return err
	}
	defer server.close()
	dev, err := a.watched(drive)
	if err != nil {
		return err
	}
	attached, err := tcmu.Attach(ctx, dev, tcmu.Options{Name: server.name})
	if err != nil {
		return fmt.Errorf("the drive could not be attached: %w", err)
	}
	server.device = attached.Path()
	go server.serve()
	a.print("%s", attached.Path())
	a.emit(attachEvent{"attached", attached.Path(), spec.File})
	if !a.quiet && !a.json {
		fmt.Fprintf(a.stderr, "The drive is there until Ctrl-C or \"spindle detach %s\".\n", attached.Path())
	}
	select {
	case <-ctx.Done():
	case <-server.detach:
	case err = <-attached.Done():
		// What the kernel still waits for ends with an error.
		err = errors.Join(err, tcmu.Abandon(server.name), tcmu.Remove(server.name))
		return fmt.Errorf("the drive stopped working: %w", err)
	}
	if err := attached.Detach(); err != nil {
		return fmt.Errorf("the drive could not be detached: %w", err)
	}
	a.emit(attachEvent{"result", attached.Path(), spec.File})
	return nil
}

// attachEvent says that a drive is there, and, as the result, that it no longer is.
type attachEvent struct {
	Event  string `json:"event"` // attached, then result
	Device string `json:"device"`
	File   string `json:"file"`
}

// attachSpec reads the argument of attach and load.
func attachSpec(name string) (sim.Spec, error) {
	if s, ok := strings.CutPrefix(name, "sim:"); ok {
		name = s
	} else if strings.HasPrefix(name, "/dev/") {
		return sim.Spec{}, usage("%s is a device; a disc image, or sim:FILE, can be attached", name)
	}
	spec, err := sim.ParseSpec(name)
	if err != nil {
		return spec, usageError{err}
	}
	return spec, nil
}

// openDiscOf opens what a specification puts into a tray.
func openDiscOf(s sim.Spec) (img disc.Image, r *sim.Recordable, err error) {
	conn, err := byname.Simulate(s)
	if err != nil {
		return nil, nil, sayWhichDrive(err)
	}
	drive, ok := conn.(*sim.Drive)
	if !ok {
		return nil, nil, usage("a trace is no disc")
	}
	img, r = drive.Disc()
	return img, r, nil
}
