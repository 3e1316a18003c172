//go:build !linux

// Package desktop asks the desktop around a program for what a burn needs. It does
// nothing on this system, where no drive can be opened either.
package desktop

import (
	"context"
	"errors"
)

// StayAwake does nothing.
func StayAwake(context.Context, string, string) (release func()) { return func() {} }

// Unmount returns an error.
func Unmount(context.Context, string, string) error { return errors.ErrUnsupported }
