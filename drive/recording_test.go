package drive_test

import (
	"context"
	"testing"

	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// noName is a drive that does not know FFh, the name of the open track.
type noName struct {
	scsi.Conn
	numbers bool // it knows the track by its number
}

func (n noName) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	if scsi.Opcode(c.CDB[0]) == scsi.OpReadTrackInformation && (c.CDB[5] == 0xFF || !n.numbers) {
		return 0, &scsi.CheckCondition{Sense: scsi.Sense{Key: scsi.IllegalRequest, ASC: scsi.ASCInvalidFieldInCDB}}
	}
	return n.Conn.Execute(ctx, c)
}

// A drive that does not know the open track by FFh may know it by its number; one that
// knows neither does not call the disc spoiled.
func TestOpenTrackByNumber(t *testing.T) {
	ctx := context.Background()
	for _, numbers := range []bool{true, false} {
		r, err := sim.NewRecordable("dvd+r", 20000, sim.NewMemory(), nil)
		if err != nil {
			t.Fatal(err)
		}
		dev := sim.New(sim.Config{Disc: r})
		d := mmc.New(dev)
		if err := drive.WaitReady(ctx, d, drive.ReadyLimit); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(ctx, 0, 16, make([]byte, 16*2048)); err != nil {
			t.Fatal(err)
		}
		if err := d.SynchronizeCache(ctx, mmc.Wait); err != nil {
			t.Fatal(err)
		}
		m, err := drive.Survey(ctx, mmc.New(noName{dev, numbers}), drive.ForWriting)
		if err != nil {
			t.Fatal(err)
		}
		if w := m.Recording; w.Damaged || w.NoPoint == numbers || numbers && w.NextWritable != 16 {
			t.Errorf("by its number %t: %+v", numbers, w)
		}
	}
}
