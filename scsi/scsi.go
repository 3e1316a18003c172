// Package scsi sends one SCSI command to one device. A [Device] may be real
// (opened with [Open] through the operating system's pass-through), simulated
// (package scsi/sim) or a wrapper such as a [Tracer]. The package knows sense
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

// A Device executes commands, one at a time. A wrapper embeds the device that it
// wraps, or states each method again: a limit or a clock that got lost would go
// unnoticed.
type Device interface {
	// Execute sends one command and waits for its end. n is the number of
	// data bytes that were transferred, which may be fewer than len(Data)
	// even without an error. An error is a [*CheckCondition] with the
	// device's sense data, or wraps [ErrTimeout], [ErrGone], [ErrBusy] or
	// [ErrTransport]. A command in flight is not abandoned when ctx ends,
	// because a drive left in the middle of one may hang: ctx is checked
	// before the command is sent.
	Execute(ctx context.Context, c *Command) (n int, err error)

	// MaxTransfer returns the largest number of data bytes that one command
	// may carry. It is positive and does not change.
	MaxTransfer() int

	// Clock returns the clock of the time the device lives in:
	// [SystemClock], or a simulator's. It does not change.
	Clock() Clock
}

// DefaultTransfer is a number of bytes that every host adapter can transfer with
// one command.
const DefaultTransfer = 64 << 10

// A Conn is an open Device.
type Conn interface {
	Device
	io.Closer
}

// A Clock tells the time and waits, in the time that a device lives in: real
// time, or a simulator's.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, or until ctx ends, whose error it then returns.
	Sleep(ctx context.Context, d time.Duration) error
}

// SystemClock is real time.
type SystemClock struct{}

// Now returns the system's time.
func (SystemClock) Now() time.Time { return time.Now() }

// Sleep implements [Clock].
func (SystemClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
