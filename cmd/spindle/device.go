package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/image"
	"spindle/image/isofile"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
	"spindle/scsi/sim/discfile"
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
	if name == "" {
		var err error
		if name, err = a.onlyDrive(ctx); err != nil {
			return nil, err
		}
	}
	conn, err := openDevice(name, exclusive)
	if err != nil {
		return nil, err
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

// openDevice opens a drive by its name.
func openDevice(name string, exclusive bool) (scsi.Conn, error) {
	spec, ok := strings.CutPrefix(name, "sim:")
	if !ok {
		if exclusive {
			return scsi.OpenExclusive(name)
		}
		return scsi.Open(name)
	}
	s, err := sim.ParseSpec(spec)
	if err != nil {
		return nil, usageError{err}
	}
	return openSimulated(s)
}

// openSimulated switches a simulated drive on, with the disc of its specification.
func openSimulated(s sim.Spec) (scsi.Conn, error) {
	if s.Trace != "" {
		return scsi.OpenReplay(s.Trace)
	}
	cfg := s.Config
	cfg.Media = s.Media
	if s.File == "" {
		return sim.New(cfg), nil
	}
	if sim.CanWrite(s.Media) && notThere(s.File) || discfile.Exists(s.File) {
		r, err := discfile.Open(s.File, s.Media, s.Capacity)
		if err != nil {
			return nil, &simError{s.File, err}
		}
		cfg.Disc = r
		return sim.New(cfg), nil
	}
	img, err := openDisc(s)
	if err != nil {
		return nil, &simError{s.File, err}
	}
	if m, ok := sim.MediumOf(s.Media); ok && m != img.Layout().Medium {
		img.Close()
		return nil, &simError{s.File, fmt.Errorf("a %s cannot be a %s", img.Layout().Medium, s.Media)}
	}
	cfg.Image = img
	return sim.New(cfg), nil
}

func notThere(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// openDisc opens the image of a simulated disc. An ISO is the disc of the medium
// that the specification names.
func openDisc(s sim.Spec) (disc.Image, error) {
	img, err := image.Open(s.File)
	if err != nil {
		return nil, err
	}
	m, ok := sim.MediumOf(s.Media)
	if !ok || m == img.Layout().Medium || !strings.EqualFold(suffix(s.File), ".iso") {
		return img, nil
	}
	img.Close()
	return isofile.OpenAs(s.File, m)
}

func suffix(path string) string {
	if i := strings.LastIndexAny(path, "./"); i >= 0 && path[i] == '.' {
		return path[i:]
	}
	return ""
}

// A simError says that the disc of a simulated drive cannot be had.
type simError struct {
	file string
	err  error
}

func (e *simError) Error() string {
	if text := e.err.Error(); strings.Contains(text, e.file) {
		return "no disc for the simulated drive: " + text
	}
	return "no disc for the simulated drive: " + e.file + ": " + e.err.Error()
}
func (e *simError) Unwrap() error { return e.err }

// errNoDrive and errManyDrives: --drive is needed.
var (
	errNoDrive    = errors.New("no optical drive was found")
	errManyDrives = errors.New("there are several drives")
)

// probeLimit is how long a drive may take to say whether it has a disc.
const probeLimit = 15 * time.Second

// onlyDrive names the drive to use when the user names none: the only one, else
// the only one with a disc in it.
func (a *app) onlyDrive(ctx context.Context) (string, error) {
	all, err := scsi.Drives()
	if err != nil {
		return "", err
	}
	switch len(all) {
	case 0:
		return "", errNoDrive
	case 1:
		return all[0].Path, nil
	}
	var loaded []string
	var list strings.Builder
	for _, d := range all {
		state := "no disc"
		if hasDisc(ctx, d.Path) {
			state = "disc"
			loaded = append(loaded, d.Path)
		}
		fmt.Fprintf(&list, "\n           %s  %s %s (%s)", d.Path, d.Vendor, d.Model, state)
	}
	if len(loaded) == 1 {
		return loaded[0], nil
	}
	return "", fmt.Errorf("%w, and it is not clear which one is meant:%s", errManyDrives, list.String())
}

func hasDisc(ctx context.Context, path string) bool {
	c, err := scsi.Open(path)
	if err != nil {
		return false
	}
	defer c.Close()
	return drive.WaitReady(ctx, mmc.New(c), probeLimit) == nil
}

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
