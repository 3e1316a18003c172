package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"spindle/disc"
	"spindle/drive/byname"
	"spindle/internal/attached"
	"spindle/scsi/sim"
	"spindle/scsi/tcmu"

	"github.com/spf13/cobra"
)

func attachCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "attach SPEC",
		Short: "Make a simulated drive a real /dev/srN (Linux, root)",
		Long: `Put a simulated drive into the running kernel, where every program can use it: mount,
wodim, cdparanoia, a desktop. SPEC is a disc image, or the name of a simulated drive
as --drive takes it: sim:FILE, or sim:FILE?media=cd-r for a recorder with a blank disc.

The name of the device is printed when it is ready. The drive stays until Ctrl-C, or
until "spindle detach". "spindle load IMAGE -d /dev/srN" changes the disc,
"spindle eject /dev/srN" opens the tray.

This needs root and the kernel modules target_core_user and tcm_loop, which come with
the kernels of the usual distributions.`,
		Example: `  sudo spindle attach debian.iso
  sudo spindle attach 'sim:disc.cue?media=cd-r'`,
		Args: needs(1, 1, "name the disc image to put into the drive, e.g. \"sudo spindle attach debian.iso\""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) { return runAttach(ctx, a, args[0]) }),
	}
}

// attachedRush lets what takes a real drive minutes (blanking, closing) pass in
// seconds for programs that wait in real time.
const attachedRush = 60

// attachedTimeout is how long a command may take. With a pace, a full format of a BD-RE of
// 100 GB passes in real time, divided by it, where the program waits for its end.
func attachedTimeout(pace float64) time.Duration {
	limit := tcmu.DefaultCommandTimeout
	if pace > 0 {
		limit += time.Duration(float64(4*time.Hour) / max(pace, 0.1))
	}
	return limit
}

func runAttach(ctx context.Context, a *app, name string) (result, error) {
	spec, err := attachSpec(name)
	if err != nil {
		return nil, err
	}
	if spec.Config.Rush == 0 && spec.Config.Pace == 0 {
		spec.Config.Rush = attachedRush
	}
	spec.Config.HostTime = spec.Config.Pace > 0
	conn, err := byname.Simulate(ctx, spec)
	if err != nil {
		return nil, whichDrive(err)
	}
	a.onClose(conn.Close)
	simulated, ok := conn.(*sim.Drive)
	if !ok {
		return nil, usage("a trace cannot be attached")
	}
	server, err := takeName()
	if err != nil {
		return nil, err
	}
	defer server.Close()
	dev, err := a.watched(ctx, "sim:"+spec.File, simulated)
	if err != nil {
		return nil, err
	}
	served, err := tcmu.Attach(ctx, dev, tcmu.Options{Name: server.Name(), CommandTimeout: attachedTimeout(spec.Config.Pace)})
	if err != nil {
		return nil, fmt.Errorf("the drive could not be attached: %w", err)
	}
	go server.Serve(attached.Status{Device: served.Path(), File: spec.File}, loader(ctx, simulated))
	a.show(&attachedEvent{"attached", served.Path(), spec.File})
	a.say("The drive stays until Ctrl-C or \"spindle detach %s\".", served.Path())
	select {
	case <-ctx.Done():
	case <-server.Detach():
	case err = <-served.Done():
		// What the kernel still waits for ends with an error.
		err = errors.Join(err, tcmu.Abandon(server.Name()), tcmu.Remove(server.Name()))
		return nil, fmt.Errorf("the drive stopped working: %w", err)
	}
	if err := served.Detach(); err != nil {
		return nil, fmt.Errorf("the drive could not be detached: %w", err)
	}
	return &attachResult{ending: done(), Device: served.Path(), File: spec.File}, nil
}

// takeName takes a free name for an attached drive, after cleaning up after killed
// processes.
func takeName() (*attached.Server, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("the drive could not be attached: %w", tcmu.ErrRoot)
	}
	if _, err := attached.DefaultFolder.Clean(); err != nil {
		return nil, fmt.Errorf("what is left of a killed spindle cannot be removed: %w", err)
	}
	server, err := attached.DefaultFolder.Listen()
	if err != nil {
		return nil, fmt.Errorf("the drive could not be attached: %w", err)
	}
	return server, nil
}

// loader changes the disc of an attached drive.
func loader(ctx context.Context, drive *sim.Drive) attached.Loader {
	return func(name, dir string) (string, error) {
		spec, err := attachSpec(name)
		if err != nil {
			return "", err
		}
		if spec.File != "" && !filepath.IsAbs(spec.File) {
			spec.File = filepath.Join(dir, spec.File)
		}
		img, r, err := openDiscOf(ctx, spec)
		if err != nil {
			return "", err
		}
		if old := drive.Insert(img, r, spec.Media); old != nil {
			return spec.File, old.Close()
		}
		return spec.File, nil
	}
}

// findAttached finds the attached drive of a device name, or the only one.
func findAttached(device string) (*attached.Drive, error) {
	d, err := attached.DefaultFolder.Find(device)
	var many *attached.AmbiguousError
	switch {
	case errors.As(err, &many):
		return nil, fmt.Errorf("%w; which one do you mean? %s", errManyDrives, strings.Join(many.Devices, ", "))
	case errors.Is(err, attached.ErrNone):
		return nil, &notAttached{device, err}
	}
	return d, err
}

// notAttached says that there is no attached drive, or none of this name.
type notAttached struct {
	device string // or empty
	err    error
}

func (e *notAttached) Error() string {
	if e.device == "" {
		return "no attached drive"
	}
	return e.device + ": no attached drive"
}

func (e *notAttached) Unwrap() error { return e.err }

// attachedEvent says that a drive is there.
type attachedEvent struct {
	Event  string `json:"event"` // attached
	Device string `json:"device"`
	File   string `json:"file"`
}

func (e *attachedEvent) Text(p *page) { p.line("%s", e.Device) }

// attachResult is the result of attach, detach, and of load for an attached drive.
type attachResult struct {
	ending
	Device string `json:"device"`
	File   string `json:"file"`
	text   string
}

func (r *attachResult) Text(p *page) {
	if r.text != "" {
		p.line("%s", r.text)
	}
}

// attachSpec reads the argument of attach and load.
func attachSpec(name string) (sim.Spec, error) {
	if s, ok := strings.CutPrefix(name, "sim:"); ok {
		name = s
	} else if strings.HasPrefix(name, "/dev/") {
		return sim.Spec{}, usage("%s is a device: attach takes a disc image, or sim:FILE", name)
	}
	spec, err := sim.ParseSpec(name)
	if err != nil {
		return spec, refusal{err, exitUsage, ""}
	}
	return spec, nil
}

// openDiscOf opens what a specification puts into a tray.
func openDiscOf(ctx context.Context, s sim.Spec) (img disc.Image, r *sim.Recordable, err error) {
	conn, err := byname.Simulate(ctx, s)
	if err != nil {
		return nil, nil, whichDrive(err)
	}
	drive, ok := conn.(*sim.Drive)
	if !ok {
		return nil, nil, usage("a trace cannot be inserted as a disc")
	}
	img, r = drive.Disc()
	return img, r, nil
}
