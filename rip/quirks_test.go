package rip

import (
	"context"
	"encoding/binary"

	"spindle/scsi"
)

// A quirky device departs from what the one below it does.
type quirky struct {
	scsi.Device
	do func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error)
}

func (q *quirky) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	return q.do(ctx, q.Device, c)
}

// sectorsOf returns what a command that reads asks for; n is 0 for others.
func sectorsOf(c *scsi.Command) (at, n int) {
	switch scsi.Opcode(c.CDB[0]) {
	case scsi.OpRead10:
		n = int(binary.BigEndian.Uint16(c.CDB[7:]))
	case scsi.OpReadCD:
		n = int(binary.BigEndian.Uint32(c.CDB[5:]) & 0xFFFFFF)
	}
	return int(int32(binary.BigEndian.Uint32(c.CDB[2:]))), n
}

func covers(c *scsi.Command, sector int) bool {
	at, n := sectorsOf(c)
	return n > 0 && at <= sector && sector < at+n
}
