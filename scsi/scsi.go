// Package scsi sends one SCSI command to one device. A [Device] may be real
// (opened with [Open] through the operating system's pass-through), simulated
// (package scsi/sim) or a wrapper such as a [Recorder]. The package knows sense
// data and the errors a command can end with, and finds the optical drives of
// the machine; it knows nothing of discs.
package scsi

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Direction is which way a command's data goes.
type Direction uint8

// The directions.
const (
	None Direction = iota // no data phase
	In                    // from the device
	Out                   // to the device
)

func (d Direction) String() string {
	switch d {
	case None:
		return "none"
	case In:
		return "in"
	case Out:
		return "out"
	}
	return fmt.Sprintf("Direction(%d)", uint8(d))
}

// A Command is one command descriptor block and its data.
type Command struct {
	CDB       []byte // 6, 10, 12 or 16 bytes
	Direction Direction
	// Data is filled by the device (In) or sent to it (Out). Its length is
	// the length of the data phase.
	Data []byte
	// Timeout ends a command that the device does not answer. Zero means
	// [DefaultTimeout].
	Timeout time.Duration
}

// DefaultTimeout is for commands that touch the medium lightly: a drive may
// first spin up and seek with retries.
const DefaultTimeout = 60 * time.Second

// A Device executes commands, one at a time.
type Device interface {
	// Execute sends one command and waits for its end. n is the number of
	// data bytes that were transferred, which may be fewer than len(Data)
	// also without an error. An error is a [*CheckCondition] with the
	// device's sense data, or wraps [ErrTimeout], [ErrGone], [ErrBusy] or
	// [ErrTransport]. A command in flight is not abandoned when ctx ends, for
	// a drive that is left in the middle of one may hang: ctx is looked at
	// before the command is sent.
	Execute(ctx context.Context, c *Command) (n int, err error)
}

// A Conn is an open Device.
type Conn interface {
	Device
	io.Closer
}

// MaxTransfer returns the largest number of bytes that one command to d may
// carry, as d's MaxTransfer method states it, or 64 KiB where it has none.
func MaxTransfer(d Device) int {
	if l, ok := d.(interface{ MaxTransfer() int }); ok {
		if n := l.MaxTransfer(); n > 0 {
			return n
		}
	}
	return 64 << 10
}

// A Clock tells the time and waits, in the time that a device lives in: real
// time, or a simulator's.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, or until ctx ends, whose error it then returns.
	Sleep(ctx context.Context, d time.Duration) error
}

// ClockOf returns the clock of d: that of its Clock method, or real time.
func ClockOf(d Device) Clock {
	if c, ok := d.(interface{ Clock() Clock }); ok {
		return c.Clock()
	}
	return realClock{}
}

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
