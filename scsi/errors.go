package scsi

import (
	"errors"
	"fmt"
)

// Errors that a command or an [Open] can end with, for use with errors.Is.
var (
	// ErrTimeout: the device did not answer in time.
	ErrTimeout = errors.New("the drive did not answer in time")
	// ErrGone: the device was unplugged or its driver removed.
	ErrGone = errors.New("the drive is gone")
	// ErrBusy: another program holds the device.
	ErrBusy = errors.New("another program is using the drive")
	// ErrTransport: the host adapter or the cable failed the command.
	ErrTransport = errors.New("the connection to the drive failed")
	// ErrPermission: the user may not use the device.
	ErrPermission = errors.New("no permission to use the drive")
	// ErrNotFound: there is no such device.
	ErrNotFound = errors.New("no such device")
	// ErrNotOptical: the device is no CD, DVD or BD drive.
	ErrNotOptical = errors.New("not an optical drive")
	// ErrUnsupported: this system has no pass-through that spindle knows.
	ErrUnsupported = errors.New("spindle cannot talk to drives on this system")
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
// [ErrPermission], [ErrNotFound], [ErrBusy], [ErrNotOptical] or
// [ErrUnsupported].
type OpenError struct {
	Path string
	Err  error
	Hint string // what the user can do, or empty
}

func (e *OpenError) Error() string {
	if e.Hint == "" {
		return e.Path + ": " + e.Err.Error()
	}
	return e.Path + ": " + e.Err.Error() + ". " + e.Hint
}

func (e *OpenError) Unwrap() error { return e.Err }
