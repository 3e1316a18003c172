package mmc_test

import (
	"context"
	"encoding/binary"
	"testing"

	"spindle/scsi"
	"spindle/scsi/mmc"
)

// An answering drive is a function.
type answering struct {
	plain
	answer func(c *scsi.Command) (int, error)
}

func (a answering) Execute(_ context.Context, c *scsi.Command) (int, error) { return a.answer(c) }

// A drive that refuses to list as many speeds as there may be is asked how many it has.
func TestSpeedsAreCounted(t *testing.T) {
	const has = 3
	var asked []uint16
	d := mmc.New(answering{answer: func(c *scsi.Command) (int, error) {
		n := binary.BigEndian.Uint16(c.CDB[8:])
		if asked = append(asked, n); n > has {
			return 0, &scsi.CheckCondition{Opcode: scsi.OpGetPerformance, Sense: scsi.Sense{Key: scsi.IllegalRequest, ASC: scsi.ASCInvalidFieldInCDB}}
		}
		b := make([]byte, 8+16*has)
		binary.BigEndian.PutUint32(b, 4+16*has)
		for i := range has {
			binary.BigEndian.PutUint32(b[8+16*i+12:], uint32(1000*(i+1)))
		}
		return copy(c.Data, b), nil
	}})
	speeds, err := d.WriteSpeeds(t.Context())
	if err != nil || len(speeds) != has || speeds[2].Write != 3000 || len(asked) != 3 {
		t.Errorf("%+v, %v, asked for %d", speeds, err, asked)
	}
}

// More room than there is buffer says nothing of how full it is.
func TestImpossibleBuffer(t *testing.T) {
	for free, want := range map[uint32]int{0: 0, 1 << 20: 1 << 20, 2 << 20: 2 << 20, 3 << 20: 1 << 20} {
		d := mmc.New(answering{answer: func(c *scsi.Command) (int, error) {
			binary.BigEndian.PutUint32(c.Data[4:], 2<<20)
			binary.BigEndian.PutUint32(c.Data[8:], free)
			return len(c.Data), nil
		}})
		if b, err := d.BufferCapacity(t.Context()); err != nil || b.Free != want {
			t.Errorf("%d: %+v, %v", free, b, err)
		}
	}
}
