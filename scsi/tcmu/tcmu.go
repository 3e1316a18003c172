// Package tcmu serves a [scsi.Device] to the Linux kernel, in which it appears as
// a SCSI drive: a simulated optical drive becomes a /dev/srN that every program
// can use. It needs no kernel module beyond the stock ones: the kernel's SCSI
// target hands commands to user space (target_core_user, "TCMU") through a ring
// in shared memory, and loops its target back to its own initiator (tcm_loop).
//
// The interface is that of the kernel's Documentation/target/tcmu-design.rst and
// of its header linux/target_core_user.h. The netlink messages described there
// announce new devices to a daemon; the one who makes a device does not need
// them, and turns them off for it.
package tcmu

import (
	"cmp"
	"errors"
	"strconv"
	"time"

	"spindle/scsi"
)

// Errors of [Attach].
var (
	// ErrUnsupported is returned on systems other than Linux.
	ErrUnsupported = errors.New("tcmu: not supported on this system")
	// ErrRoot is returned to users without the rights of root.
	ErrRoot = errors.New("tcmu: needs root")
	// ErrModule is returned when the kernel lacks a module.
	ErrModule = errors.New("tcmu: kernel module missing")
	// ErrConfigfs is returned when the kernel's configuration file system is not
	// mounted.
	ErrConfigfs = errors.New("tcmu: configfs not mounted")
	// ErrRing is returned when the contents of the command ring are invalid.
	ErrRing = errors.New("tcmu: invalid command ring")
	// ErrExists is returned when the name of the drive is taken.
	ErrExists = errors.New("tcmu: drive exists")
	// ErrName is returned for a name that is not allowed.
	ErrName = errors.New("tcmu: invalid drive name")
)

// Options name the drive in the kernel.
type Options struct {
	Name string // letters, digits and hyphens; unique on this machine
	// CommandTimeout is how long the kernel waits for the answer to a command, which
	// then fails, also when the process that serves the drive was killed. It must be
	// longer than the longest command of the device; whole seconds count. 0 is
	// [DefaultCommandTimeout].
	CommandTimeout time.Duration
}

// DefaultCommandTimeout suits a device that does nothing in real time but to read and
// write files.
const DefaultCommandTimeout = 10 * time.Minute

// seconds is the command time-out as the kernel's cmd_time_out takes it: never 0, which
// would mean for ever.
func (o *Options) seconds() string {
	return strconv.Itoa(max(1, int(cmp.Or(o.CommandTimeout, DefaultCommandTimeout)/time.Second)))
}

// statuses of the SCSI architecture model.
const (
	statusGood  = 0x00
	statusCheck = 0x02
)

// failure is what a command gets whose device failed without sense data.
func failure(err error) scsi.Sense {
	if s := scsi.SenseOf(err); s != nil {
		return *s
	}
	switch {
	case errors.Is(err, scsi.ErrGone):
		return scsi.Sense{Key: scsi.NotReady, ASC: scsi.ASCNotReady}
	case errors.Is(err, scsi.ErrBusy): // as a drive that works on something else
		return scsi.Sense{Key: scsi.NotReady, ASC: scsi.ASCNotReady, ASCQ: scsi.ASCQBecomingReady}
	case errors.Is(err, scsi.ErrTimeout), errors.Is(err, scsi.ErrTransport):
		return scsi.Sense{Key: scsi.AbortedCommand}
	}
	return scsi.Sense{Key: scsi.HardwareError, ASC: scsi.ASCInternalFailure} // internal target failure
}
