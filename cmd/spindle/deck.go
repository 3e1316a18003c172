package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"spindle/drive/byname"
	"spindle/image"
	"spindle/internal/atomicfile"
	"spindle/internal/desktop"
	"spindle/internal/regular"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"

	"github.com/spf13/pflag"
)

// deck opens the drives that a command uses, as the global flags say, and closes
// them at the end.
type deck struct {
	console *console
	names   driveNames // --drive; several for burn
	verbose bool
	trace   string // --trace
	unmount bool   // --unmount, of what writes

	closers []func() error
}

// drive is the drive that --drive names, or "".
func (k *deck) drive() string {
	if len(k.names) == 0 {
		return ""
	}
	return k.names[0]
}

// open opens the drive that name (or --drive, or what there is) means, and wraps it
// as --verbose and --trace ask for.
func (k *deck) open(ctx context.Context, name string, how byname.Access) (*mmc.Drive, error) {
	dev, err := k.device(ctx, name, how)
	if err != nil {
		return nil, err
	}
	return mmc.New(dev), nil
}

// device is open for what needs the device itself.
func (k *deck) device(ctx context.Context, name string, how byname.Access) (scsi.Device, error) {
	if name == "" {
		name = k.drive()
	}
	conn, err := k.connect(ctx, name, how)
	if err != nil {
		return nil, whichDrive(err)
	}
	k.onClose(conn.Close)
	if d, ok := conn.(*sim.Drive); ok {
		k.onClose(func() error {
			if err := d.Stats().StoreError; err != nil {
				k.console.note("the file of the simulated disc could not be written: " + err.Error())
			}
			return nil
		})
	}
	return k.watched(ctx, name, conn)
}

// connect opens a drive. For writing, the disc is unmounted first where --unmount says
// so, and the machine is kept awake.
func (k *deck) connect(ctx context.Context, name string, how byname.Access) (scsi.Conn, error) {
	conn, err := byname.Open(ctx, name, byname.Options{Access: how})
	var busy *scsi.OpenError
	if k.unmount && errors.As(err, &busy) && busy.MountPoint != "" {
		if err := desktop.Unmount(ctx, busy.Path, busy.MountPoint); err != nil {
			return nil, refusal{fmt.Errorf("the disc could not be unmounted: %w", err), exitNoDisc, "Close the programs that use " + busy.MountPoint + "."}
		}
		conn, err = byname.Open(ctx, name, byname.Options{Access: how})
	}
	if err != nil {
		return nil, err
	}
	if how == byname.Exclusive && conn.Clock() == (scsi.SystemClock{}) {
		release := desktop.StayAwake(ctx, "spindle", "Writing to a disc")
		k.onClose(func() error { release(); return nil })
	}
	return conn, nil
}

// addUnmount gives a command that writes the flag --unmount.
func (k *deck) addUnmount(f *pflag.FlagSet) {
	f.BoolVar(&k.unmount, "unmount", false, "unmount the disc first, if it is mounted")
}

// traceInTheWay reports a file of the name of the trace that is not another trace, or is
// what is read.
func (k *deck) traceInTheWay(ctx context.Context, drive string) error {
	if err := regular.Check(k.trace); errors.Is(err, regular.ErrNotRegular) {
		return err
	}
	if err := atomicfile.KeepSources([]string{k.trace}, byname.Files(ctx, drive)); err != nil {
		return err
	}
	f, err := os.Open(k.trace)
	if err != nil {
		return nil // it is to be made
	}
	defer f.Close()
	head := make([]byte, len(traceBegins))
	if n, _ := io.ReadFull(f, head); n > 0 && string(head) != traceBegins {
		return refusal{fmt.Errorf("%s %w, and is no trace", k.trace, image.ErrExists), exitUsage, unchanged + "Choose another name."}
	}
	return nil
}

// traceBegins is how a trace begins; see [scsi.NewTracer].
const traceBegins = `{"spindle-trace":`

// watched wraps a device as --trace and --verbose ask for. The drive has the name with
// which it was opened.
func (k *deck) watched(ctx context.Context, drive string, dev scsi.Device) (scsi.Device, error) {
	if k.trace != "" {
		if err := k.traceInTheWay(ctx, drive); err != nil {
			return nil, err
		}
		f, err := os.Create(k.trace)
		if err != nil {
			return nil, err
		}
		r := scsi.NewTracer(dev, f)
		k.onClose(func() error { return errors.Join(r.Flush(), f.Close()) })
		dev = r
	}
	if k.verbose {
		dev = &verboseDevice{dev, k.console.stderr}
	}
	return dev, nil
}

func (k *deck) onClose(f func() error) { k.closers = append(k.closers, f) }

// close closes what was opened, in reverse order.
func (k *deck) close() error {
	var errs []error
	for _, f := range slices.Backward(k.closers) {
		errs = append(errs, f())
	}
	k.closers = nil
	return errors.Join(errs...)
}

// whichDrive gives the errors about the name of a drive their sentence.
func whichDrive(err error) error {
	var (
		spec *byname.SpecError
		disc *byname.DiscError
		many *byname.AmbiguousError
	)
	switch {
	case errors.As(err, &spec):
		return refusal{err, exitUsage, ""}
	case errors.As(err, &disc) && errors.Is(err, fs.ErrNotExist):
		return refusal{fmt.Errorf("no disc for the simulated drive: %s", fileWords(disc.Err)), exitNoDisc, ""}
	case errors.As(err, &disc):
		return fmt.Errorf("no disc for the simulated drive: %w", err)
	case errors.As(err, &many):
		var list strings.Builder
		for _, d := range many.Drives {
			state := "no disc"
			if d.Loaded {
				state = "disc"
			}
			fmt.Fprintf(&list, "\n  %s  %s %s (%s)", d.Path, d.Vendor, d.Model, state)
		}
		return fmt.Errorf("%w; which one do you mean?%s", errManyDrives, list.String())
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
	out io.Writer
}

// Execute implements scsi.Device.
func (v *verboseDevice) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	n, err := v.Device.Execute(ctx, c)
	ended := plural(n, "byte")
	if err != nil {
		ended = err.Error()
	}
	fmt.Fprintf(v.out, "% x  %s: %s\n", c.CDB, scsi.Opcode(c.CDB[0]), ended)
	return n, err
}

// isDriveName reports whether an argument names a drive and not a file.
func isDriveName(s string) bool {
	return byname.Is(s)
}
