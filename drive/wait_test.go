package drive_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

func TestWaitReady(t *testing.T) {
	ctx := context.Background()
	l := &disc.Layout{Sessions: []disc.Session{{Number: 1, LeadOut: 300, Tracks: []disc.Track{{Number: 1, Mode: disc.Audio, End: 300}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: 300}})
	if err != nil {
		t.Fatal(err)
	}
	dev := sim.New(sim.Config{TrayOpen: true, Image: img})
	d := mmc.New(dev)
	if err := drive.WaitReady(ctx, d, time.Minute); !errors.Is(err, drive.ErrTrayOpen) || !errors.Is(err, drive.ErrNoMedium) {
		t.Errorf("tray open: %v", err)
	}
	if err := d.StartStop(ctx, mmc.Load); err != nil {
		t.Fatal(err)
	}
	before := dev.Clock().Now()
	if err := drive.WaitReady(ctx, d, time.Minute); err != nil {
		t.Fatal(err)
	}
	if took := dev.Clock().Now().Sub(before); took < time.Second || took > 10*time.Second {
		t.Errorf("spinning up took %s of simulated time", took)
	}
	d = mmc.New(sim.New(sim.Config{}))
	if err := drive.WaitReady(ctx, d, time.Minute); !errors.Is(err, drive.ErrNoMedium) || errors.Is(err, drive.ErrTrayOpen) {
		t.Errorf("no disc: %v", err)
	}
	d = mmc.New(busyDevice{})
	if err := drive.WaitReady(ctx, d, 0); !errors.Is(err, drive.ErrNotReady) {
		t.Errorf("busy for ever: %v", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := drive.WaitReady(canceled, d, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

type busyDevice struct{}

func (busyDevice) MaxTransfer() int  { return scsi.DefaultTransfer }
func (busyDevice) Clock() scsi.Clock { return scsi.SystemClock{} }

func (busyDevice) Execute(context.Context, *scsi.Command) (int, error) {
	return 0, &scsi.CheckCondition{Sense: scsi.Sense{Key: scsi.NotReady, ASC: 4, ASCQ: 1}}
}
