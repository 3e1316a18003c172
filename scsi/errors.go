package scsi

import (
	"errors"
	"fmt"
)

// Errors that a command or an [Open] can end with, for use with errors.Is.
var (
	// ErrTimeout is returned when the device did not answer in time.
	ErrTimeout = errors.New("scsi: timeout")
	// ErrGone is returned when the device was unplugged or its driver removed.
	ErrGone = errors.New("scsi: device gone")
	// ErrBusy is returned when another program holds the device.
	ErrBusy = errors.New("scsi: device busy")
	// ErrTransport is returned when the host adapter or the cable failed the
	// command.
	ErrTransport = errors.New("scsi: transport failure")
	// ErrPermission is returned when the user may not use the device.
	ErrPermission = errors.New("scsi: permission denied")
	// ErrNotFound is returned when there is no such device.
	ErrNotFound = errors.New("scsi: no such device")
	// ErrNotOptical is returned for a device that is no CD, DVD or BD drive.
	ErrNotOptical = errors.New("scsi: not an optical drive")
	// ErrNotDevice is returned for a file that is no device. It is a case of
	// ErrNotOptical.
	ErrNotDevice = fmt.Errorf("%w: not a device", ErrNotOptical)
	// ErrUnsupported is returned where no pass-through is implemented for the
	// operating system.
	ErrUnsupported = errors.New("scsi: not supported on this system")
)

// A CheckCondition is the error of a command that the device ended with CHECK
// CONDITION.
type CheckCondition struct {
	Opcode Opcode // of the command
	Sense  Sense
}

func (e *CheckCondition) Error() string {
	late := ""
	if e.Sense.Deferred {
		late = ", of an earlier command"
	}
	return fmt.Sprintf("%s: %s%s", e.Opcode, e.Sense.String(), late)
}

// SenseOf returns the sense data in err's chain, or nil.
func SenseOf(err error) *Sense {
	var cc *CheckCondition
	if errors.As(err, &cc) {
		return &cc.Sense
	}
	return nil
}

// IsSense reports whether err is a check condition with this key and additional
// sense code; an ascq of [AnyQualifier] matches all.
func IsSense(err error, key SenseKey, asc uint8, ascq int) bool {
	s := SenseOf(err)
	return s != nil && s.Is(key, asc, ascq)
}

// An OpenError says why a device could not be opened. It wraps one of
// [ErrPermission], [ErrNotFound], [ErrBusy], [ErrNotOptical], [ErrNotDevice] or
// [ErrUnsupported].
type OpenError struct {
	Path string
	Err  error
	// Group is the group whose members may use the device, with
	// [ErrPermission]; empty where no group may, or it is root's.
	Group string
	// MountPoint is where the disc is mounted, with [ErrBusy]; empty where it is
	// not, and another program holds the drive.
	MountPoint string
}

func (e *OpenError) Error() string { return e.Path + ": " + e.Err.Error() }

func (e *OpenError) Unwrap() error { return e.Err }
