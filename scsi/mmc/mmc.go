// Package mmc gives the commands of optical drives as typed Go calls over a
// [scsi.Device]. It speaks in the terms of the MMC standard (profile, feature,
// LBA, track number) and knows nothing of files. Section numbers in the
// comments are those of MMC-6 unless another standard is named.
//
// What a drive answers is never trusted: replies are cut at the length that was
// really transferred, and a reply too short to hold what it must is an error
// that wraps [ErrShortReply].
package mmc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"spindle/scsi"
)

// Time limits of commands.
const (
	quick   = 10 * time.Second  // does not touch the medium
	medium  = 60 * time.Second  // may spin up, seek and retry
	loading = 120 * time.Second // moves the tray
	writing = 200 * time.Second // the first WRITE may write a lead-in (libburn, growisofs)
	closing = 60 * time.Minute  // without the immediate bit, for drives that refuse it
)

// ErrShortReply is returned when a drive sent fewer bytes than its answer needs.
var ErrShortReply = errors.New("the drive's answer is too short")

// A Drive sends MMC commands to a device.
type Drive struct{ dev scsi.Device }

// New returns a Drive that uses dev.
func New(dev scsi.Device) *Drive {
	return &Drive{dev: dev}
}

// Clock returns the clock of the device: real time, or a simulator's.
func (d *Drive) Clock() scsi.Clock { return d.dev.Clock() }

// MaxTransfer returns the most bytes one command may carry.
func (d *Drive) MaxTransfer() int { return d.dev.MaxTransfer() }

// in sends a command that reads into buf and returns what came.
func (d *Drive) in(ctx context.Context, cdb, buf []byte, limit time.Duration) ([]byte, error) {
	n, err := d.dev.Execute(ctx, &scsi.Command{CDB: cdb, Direction: scsi.In, Data: buf, Timeout: limit})
	return buf[:max(0, min(n, len(buf)))], err
}

// none sends a command without data.
func (d *Drive) none(ctx context.Context, cdb []byte, limit time.Duration) error {
	_, err := d.dev.Execute(ctx, &scsi.Command{CDB: cdb, Timeout: limit})
	return err
}

// out sends a command with data for the drive.
func (d *Drive) out(ctx context.Context, cdb, data []byte, limit time.Duration) error {
	_, err := d.dev.Execute(ctx, &scsi.Command{CDB: cdb, Direction: scsi.Out, Data: data, Timeout: limit})
	return err
}

// need checks the length of a reply.
func need(op scsi.Opcode, reply []byte, n int) error {
	if len(reply) < n {
		return fmt.Errorf("%s: %w: %d bytes, %d are the least", op, ErrShortReply, len(reply), n)
	}
	return nil
}

// sized16 cuts a reply whose first two bytes state how many bytes follow them.
// Statements beyond what was transferred are brought down to it.
func sized16(op scsi.Opcode, reply []byte, least int) ([]byte, error) {
	if err := need(op, reply, 2); err != nil {
		return nil, err
	}
	reply = reply[:min(len(reply), 2+int(binary.BigEndian.Uint16(reply)))]
	return reply, need(op, reply, least)
}

func put16(b []byte, n int)    { binary.BigEndian.PutUint16(b, uint16(n)) }
func put32(b []byte, n uint32) { binary.BigEndian.PutUint32(b, n) }
func get16(b []byte) int       { return int(binary.BigEndian.Uint16(b)) }
func get32(b []byte) uint32    { return binary.BigEndian.Uint32(b) }

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
