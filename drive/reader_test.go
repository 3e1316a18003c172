package drive_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

func TestReader(t *testing.T) {
	ctx := context.Background()
	audio, data, dvd := pressed(t, disc.CD, disc.Audio, 400), pressed(t, disc.CD, disc.Mode1, 400), pressed(t, disc.DVD, disc.Mode1, 400)
	for name, test := range map[string]struct {
		conf   sim.Config
		coding drive.Coding
		raw    bool
		c2     bool
	}{
		"audio":          {sim.Config{Image: audio}, drive.Audio, true, true},
		"audio, no C2":   {sim.Config{Image: audio, NoC2: true}, drive.Audio, true, false},
		"data":           {sim.Config{Image: data}, drive.Data, true, true},
		"no READ CD":     {sim.Config{Image: data, Faults: faults(t, "be:1:5/20/00")}, drive.Data, false, false},
		"DVD":            {sim.Config{Image: dvd}, drive.Data, false, false},
		"damage at once": {sim.Config{Image: data, Faults: faults(t, "be:1:3/11/05")}, drive.Data, true, true},
	} {
		d := mmc.New(sim.New(test.conf))
		m, err := drive.Survey(ctx, d, drive.ForReading)
		if err != nil {
			t.Fatal(err)
		}
		r, err := drive.NewReader(ctx, d, m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Caps.Raw != test.raw || (r.Caps.C2 != mmc.NoC2) != test.c2 {
			t.Errorf("%s: %+v", name, r.Caps)
		}
		if !r.Try(ctx, r.Caps, 100, test.coding) {
			t.Errorf("%s: what the drive can do does not work", name)
		}
		buf := make([]byte, 5*r.Caps.Stride(test.coding))
		if err := r.Read(ctx, buf, 100, 5, test.coding); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var sector [cdsector.Size]byte
		if err := r.ReadRaw(ctx, &sector, 100, mmc.AnySector); (err == nil) != test.raw || !test.raw && !errors.Is(err, drive.ErrNotRaw) {
			t.Errorf("%s: %v", name, err)
		}
		var none *cdsector.NoBlockError
		if err := r.ReadUser(ctx, make([]byte, 2048), 100); (err == nil) == (test.coding == drive.Audio) || err != nil && !errors.As(err, &none) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A short transfer is an error, and a recovered error is none.
func TestReadIsWholeOrNot(t *testing.T) {
	ctx := context.Background()
	img := pressed(t, disc.DVD, disc.Mode1, 400)
	for _, test := range []struct {
		fault string
		want  error
	}{{"28:1:short", io.ErrUnexpectedEOF}, {"28:1:timeout", scsi.ErrTimeout}} {
		r := drive.Reader{Drive: mmc.New(sim.New(sim.Config{Image: img, Faults: faults(t, "00:1:6/29/00", test.fault)}))}
		if err := drive.WaitReady(ctx, r.Drive, drive.ReadyLimit); err != nil {
			t.Fatal(err)
		}
		if err := r.Read(ctx, make([]byte, 8*2048), 10, 8, drive.Data); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.fault, err, test.want)
		}
	}
}

// What follows a sector is found in either order.
func TestSplit(t *testing.T) {
	caps := drive.ReadCaps{Raw: true, C2: mmc.C2Bits, Sub: mmc.RawSub}
	b := make([]byte, caps.Stride(drive.Audio))
	b[cdsector.Size] = 1
	if c2, sub := caps.Split(b, drive.Audio); c2[0] != 1 || len(c2) != 294 || len(sub) != 96 {
		t.Error("error pointers first")
	}
	caps.SubFirst = true
	if c2, sub := caps.Split(b, drive.Audio); sub[0] != 1 || len(c2) != 294 || len(sub) != 96 {
		t.Error("sub-channel first")
	}
	if c2, sub := caps.Split(b[:caps.Stride(drive.Data)], drive.Data); len(c2) != 0 || len(sub) != 96 {
		t.Error("data has no error pointers")
	}
}

func TestRetry(t *testing.T) {
	ctx := context.Background()
	dev := sim.New(sim.Config{})
	d := mmc.New(dev)
	sense := func(key scsi.SenseKey, asc, ascq uint8) error {
		return &scsi.CheckCondition{Sense: scsi.Sense{Key: key, ASC: asc, ASCQ: ascq}}
	}
	busy, news, reset := sense(scsi.NotReady, 4, 8), sense(scsi.UnitAttention, 0x2A, 1), sense(scsi.UnitAttention, 0x29, 0)
	for name, test := range map[string]struct {
		answers []error // the last one again and again
		calls   int
		want    error
	}{
		"at once":     {[]error{nil}, 1, nil},
		"busy, news":  {[]error{busy, busy, news, nil}, 4, nil},
		"recovered":   {[]error{sense(scsi.RecoveredError, 0x17, 0)}, 1, nil},
		"reset":       {[]error{reset}, 1, reset},
		"always news": {[]error{news}, 9, news},
		"gone":        {[]error{busy, scsi.ErrGone}, 2, scsi.ErrGone},
	} {
		calls := 0
		err := drive.Retry(ctx, d, func() error {
			calls++
			return test.answers[min(calls, len(test.answers))-1]
		})
		if calls != test.calls || !errors.Is(err, test.want) {
			t.Errorf("%s: %d calls, %v", name, calls, err)
		}
	}
	before := dev.Clock().Now()
	if err := drive.Retry(ctx, d, func() error { return busy }); !errors.Is(err, busy) {
		t.Errorf("always busy: %v", err)
	}
	if took := dev.Clock().Now().Sub(before); took < drive.BusyLimit || took > 2*drive.BusyLimit {
		t.Errorf("waited for %s", took)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := drive.Retry(canceled, d, func() error { return busy }); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
