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
	"errors"

	"spindle/scsi"
)

// Errors of [Attach].
var (
	// ErrUnsupported: this system is not Linux.
	ErrUnsupported = errors.New("drives can be attached on Linux only")
	// ErrRoot: it needs the rights of root.
	ErrRoot = errors.New("attaching a drive needs root")
	// ErrModule: a kernel module is missing.
	ErrModule = errors.New("a kernel module is missing")
	// ErrConfigfs: the kernel's configuration file system is not mounted.
	ErrConfigfs = errors.New("configfs is not mounted")
	// ErrRing: what stands in the ring makes no sense.
	ErrRing = errors.New("the kernel's command ring makes no sense")
	// ErrExists: a drive of this name is attached already.
	ErrExists = errors.New("a drive of this name is attached already")
)

// Options name the drive in the kernel.
type Options struct {
	Name string // letters, digits and hyphens; unique on this machine
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
	case errors.Is(err, scsi.ErrTimeout):
		return scsi.Sense{Key: scsi.AbortedCommand}
	}
	return scsi.Sense{Key: scsi.HardwareError, ASC: scsi.ASCInternalFailure} // internal target failure
}
