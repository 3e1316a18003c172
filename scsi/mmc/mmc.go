// Package mmc gives the commands of optical drives as typed Go calls over a
// [scsi.Device]. It speaks in the terms of the MMC standard (profile, feature,
// LBA, track number) and knows nothing of files. Section numbers in the
// comments are those of MMC-6 unless another standard is named.
//
// What a drive answers is never trusted: replies are cut at the length that was
// really transferred, and a reply too short to hold what it must is an error
// that wraps [ErrShortReply]. Arguments that a command's fields cannot hold are
// refused with [ErrArgument] before anything is sent.
package mmc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"spindle/scsi"
)

// Time limits of commands. A drive may hold any command while it calibrates its laser,
// writes a lead-in or spins up, and a limit that passes is more than an error: the
// kernel resets the drive. So none is short; cdrdao gives every command of a burn 180 s,
// cdrecord 200 s.
const (
	quick   = 60 * time.Second  // does not touch the medium
	medium  = 60 * time.Second  // may spin up, seek and retry
	loading = 120 * time.Second // moves the tray
	writing = 200 * time.Second // the first WRITE may write a lead-in (libburn, growisofs)
	closing = 60 * time.Minute  // without the immediate bit, for drives that refuse it
)

// Errors of all commands.
var (
	// ErrShortReply is returned when a drive sent fewer bytes than its answer
	// needs.
	ErrShortReply = errors.New("mmc: reply too short")
	// ErrArgument is returned, with nothing sent, when an argument does not fit
	// its field or contradicts another.
	ErrArgument = errors.New("mmc: invalid argument")
)

// A Drive sends MMC commands to a device.
type Drive struct {
	dev   scsi.Device
	least time.Duration // the least time limit of a command
}

// New returns a Drive that uses dev.
func New(dev scsi.Device) *Drive { return &Drive{dev: dev} }

// Patient returns the same drive, which gives every command at least the time of the
// longest WRITE (200 s): for as long as a disc is written and closed.
func (d *Drive) Patient() *Drive { return &Drive{dev: d.dev, least: writing} }

// Clock returns the clock of the device: real time, or a simulator's.
func (d *Drive) Clock() scsi.Clock { return d.dev.Clock() }

// MaxTransfer returns the largest number of data bytes that one command may carry.
func (d *Drive) MaxTransfer() int { return d.dev.MaxTransfer() }

// Completion says when a long command is answered.
type Completion uint8

// The completions.
const (
	Wait      Completion = iota // when the work is done
	Immediate                   // at once, see [Drive.Busy]; some drives refuse it
)

// newCDB returns the command descriptor block of a command, with zero parameters.
func newCDB(op scsi.Opcode) []byte {
	cdb := make([]byte, op.CDBLength())
	cdb[0] = byte(op)
	return cdb
}

// in sends a command that reads into buf and returns what came.
func (d *Drive) in(ctx context.Context, cdb, buf []byte, limit time.Duration) ([]byte, error) {
	n, err := d.dev.Execute(ctx, &scsi.Command{CDB: cdb, Direction: scsi.In, Data: buf, Timeout: max(limit, d.least)})
	return buf[:max(0, min(n, len(buf)))], err
}

// none sends a command without data.
func (d *Drive) none(ctx context.Context, cdb []byte, limit time.Duration) error {
	_, err := d.dev.Execute(ctx, &scsi.Command{CDB: cdb, Timeout: max(limit, d.least)})
	return err
}

// out sends a command with data for the drive.
func (d *Drive) out(ctx context.Context, cdb, data []byte, limit time.Duration) error {
	_, err := d.dev.Execute(ctx, &scsi.Command{CDB: cdb, Direction: scsi.Out, Data: data, Timeout: max(limit, d.least)})
	return err
}

// need checks the length of a reply.
func need(op scsi.Opcode, reply []byte, n int) error {
	if len(reply) < n {
		return fmt.Errorf("%s: %w: %d bytes, want %d", op, ErrShortReply, len(reply), n)
	}
	return nil
}

// sized16 cuts a reply whose first two bytes state how many bytes follow them.
// Statements beyond what was transferred are cut down to it.
func sized16(op scsi.Opcode, reply []byte, least int) ([]byte, error) {
	if err := need(op, reply, 2); err != nil {
		return nil, err
	}
	reply = reply[:min(len(reply), 2+int(binary.BigEndian.Uint16(reply)))]
	return reply, need(op, reply, least)
}

// within checks an argument against the smallest and the largest value that the
// command can carry.
func within(op scsi.Opcode, what string, n, least, most int64) error {
	if n < least || n > most {
		return fmt.Errorf("%s: %w: %s is %d, not %d to %d", op, ErrArgument, what, n, least, most)
	}
	return nil
}

// most16 and most32 are the largest values of fields of two and four bytes.
const (
	most16 = math.MaxUint16
	most24 = 1<<24 - 1
	most32 = math.MaxUint32
)

func put16(b []byte, n uint16) { binary.BigEndian.PutUint16(b, n) }
func put32(b []byte, n uint32) { binary.BigEndian.PutUint32(b, n) }
func get16(b []byte) int       { return int(binary.BigEndian.Uint16(b)) }
func get32(b []byte) uint32    { return binary.BigEndian.Uint32(b) }

// put24 stores the lower 24 bits of n.
func put24(b []byte, n uint32) { b[0], b[1], b[2] = byte(n>>16), byte(n>>8), byte(n) }
func get24(b []byte) uint32    { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

func bit(b byte, n int) bool { return b>>n&1 != 0 }

// text cuts the padding from a fixed-width ASCII field and replaces what does
// not belong on a terminal.
func text(b []byte) string {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		switch {
		case c == 0:
			c = ' '
		case c < ' ' || c > '~':
			c = '?'
		}
		out = append(out, c)
	}
	i, j := 0, len(out)
	for i < j && out[i] == ' ' {
		i++
	}
	for j > i && out[j-1] == ' ' {
		j--
	}
	return string(out[i:j])
}

// name looks a value up in a table of names.
func name[T ~uint8 | ~uint16](names map[T]string, v T, kind string) string {
	if s, ok := names[v]; ok {
		return s
	}
	return fmt.Sprintf("%s %02Xh", kind, uint16(v))
}
