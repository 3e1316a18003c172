//go:build !linux

package tcmu

import (
	"context"

	"spindle/scsi"
)

// Drive is an attached drive.
type Drive struct{}

// Attach is for Linux only.
func Attach(context.Context, scsi.Device, Options) (*Drive, error) { return nil, ErrUnsupported }

// Path returns the name of the drive in /dev.
func (*Drive) Path() string { return "" }

// Done tells when serving ends.
func (*Drive) Done() <-chan error { return nil }

// Detach takes the drive away.
func (*Drive) Detach() error { return ErrUnsupported }

// Remove takes a drive away.
func Remove(string) error { return ErrUnsupported }

// Abandon ends the commands of a drive.
func Abandon(string) error { return ErrUnsupported }

// Names lists the drives.
func Names() []string { return nil }
