package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"spindle/scsi"
	"spindle/scsi/mmc"
)

func sense(key scsi.SenseKey, asc, ascq uint8) error {
	return fmt.Errorf("reading: %w", &scsi.CheckCondition{Opcode: 0x28, Sense: scsi.Sense{Key: key, ASC: asc, ASCQ: ascq}})
}

func TestClassify(t *testing.T) {
	late := &scsi.CheckCondition{Sense: scsi.Sense{Key: scsi.MediumError, ASC: 0x0C, Deferred: true}}
	for _, test := range []struct {
		err      error
		class    Class
		answered bool
		one      bool
	}{
		{nil, OK, false, false},
		{sense(scsi.RecoveredError, 0x17, 0), Recovered, true, true},
		{late, Deferred, true, true},
		{sense(scsi.NotReady, 0x3A, 0), NoMedium, true, false},
		{sense(scsi.NotReady, 0x3A, 2), NoMedium, true, false},
		{sense(scsi.NotReady, 0x30, 0), Unusable, true, true},
		{sense(scsi.NotReady, 0x57, 0), Unusable, true, true},
		{sense(scsi.NotReady, 0x04, 0), NotReady, true, true},
		{sense(scsi.NotReady, 0x04, 1), Busy, true, true},
		{sense(scsi.NotReady, 0x04, 2), NotReady, true, true},
		{sense(scsi.NotReady, 0x04, 4), Busy, true, true},
		{sense(scsi.NotReady, 0x04, 7), Busy, true, true},
		{sense(scsi.NotReady, 0x04, 8), Busy, true, true},
		{sense(scsi.NotReady, 0x3E, 0), NotReady, true, true},
		{sense(scsi.MediumError, 0x11, 5), Sector, true, true},
		{sense(scsi.BlankCheck, 0, 0), Sector, true, true},
		{sense(scsi.HardwareError, 0x44, 0), Failed, true, true},
		{sense(scsi.HardwareError, 0x08, 0), Transient, true, true},
		{sense(scsi.IllegalRequest, 0x20, 0), Refused, true, true},
		{sense(scsi.IllegalRequest, 0x24, 0), Refused, true, true},
		{sense(scsi.IllegalRequest, 0x26, 0), Refused, true, true},
		{sense(scsi.IllegalRequest, 0x21, 0), Sector, true, true},
		{sense(scsi.IllegalRequest, 0x64, 0), Boundary, true, true},
		{sense(scsi.IllegalRequest, 0x6F, 3), Protected, true, true},
		{sense(scsi.IllegalRequest, 0x72, 0), Failed, true, true},
		{sense(scsi.DataProtect, 0x27, 0), Protected, true, true},
		{sense(scsi.UnitAttention, 0x28, 0), Changed, true, true},
		{sense(scsi.UnitAttention, 0x29, 0), Changed, true, true},
		{sense(scsi.UnitAttention, 0x3A, 0), Changed, true, true},
		{sense(scsi.UnitAttention, 0x2A, 1), Attention, true, true},
		{sense(scsi.AbortedCommand, 0x4B, 0), Transient, true, true},
		{sense(scsi.NoSense, 0, 0), Failed, true, true},
		{mmc.ErrShortReply, Short, true, true},
		{fmt.Errorf("x: %w", io.ErrUnexpectedEOF), Short, true, true},
		{scsi.ErrBusy, Busy, true, true},
		{scsi.ErrTimeout, TimedOut, false, true},
		{scsi.ErrTransport, Transport, false, true},
		{scsi.ErrPermission, Forbidden, false, true},
		{scsi.ErrGone, Gone, false, false},
		{scsi.ErrTrace, Gone, false, false},
		{context.Canceled, Canceled, false, false},
		{context.DeadlineExceeded, Canceled, false, false},
		{errors.New("disk full"), Other, false, false},
	} {
		c := Classify(test.err)
		if c != test.class || c.Answered() != test.answered || c.OneCommand() != test.one {
			t.Errorf("%v: %s, answered %v, one command %v; want %s, %v, %v",
				test.err, c, c.Answered(), c.OneCommand(), test.class, test.answered, test.one)
		}
	}
}

// Every row of the table can match: none is hidden by one before it.
func TestNoRowIsHidden(t *testing.T) {
	for i, r := range senses {
		s := scsi.Sense{Key: r.key, ASC: uint8(max(r.asc, 0xF0*b2i(r.asc < 0))), ASCQ: uint8(max(r.ascq, 0xF0*b2i(r.ascq < 0)))}
		if got := classOfSense(&s); got != r.class {
			t.Errorf("row %d (%s) is found as %s", i, s.Triple(), got)
		}
	}
	for c := OK; c <= Other; c++ {
		if c.String() == "" {
			t.Errorf("class %d has no name", c)
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
