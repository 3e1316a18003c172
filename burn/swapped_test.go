package burn

import (
	"context"
	"errors"
	"testing"

	"spindle/drive"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A disc that came into the drive after the burn was planned is left alone.
func TestSwappedBeforeBurning(t *testing.T) {
	for _, m := range few {
		t.Run(m, func(t *testing.T) {
			dev := sim.New(sim.Config{Disc: blank(t, m, 50000)})
			d := mmc.New(dev)
			src := sourceFor(t, m, 400)
			medium, plan := planned(t, d, src, Options{})
			other := blank(t, m, 50000)
			dev.Insert(nil, other, "")
			res := Run(context.Background(), src, &Job{Drive: d, Medium: medium, Plan: plan})[0]
			var e *Error
			if !errors.As(res.Err, &e) || drive.Classify(res.Err) != drive.Changed || res.State != Untouched {
				t.Errorf("%v, %v", res.Err, res.State)
			}
			if other.Layout() != nil {
				t.Error("the other disc was written")
			}
		})
	}
	held := blank(t, "dvd+rw", 50000)
	if _, res, err := burnOn(t, recorder(held), sourceFor(t, "dvd+rw", 400), Options{}); err != nil || res.Err != nil {
		t.Fatal(err, res.Err)
	}
	dev := sim.New(sim.Config{Disc: blank(t, "dvd+rw", 50000)})
	d := mmc.New(dev)
	medium, err := Survey(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	dev.Insert(nil, held, "")
	plan := &Plan{Profile: medium.Profile, Steps: []Step{FormatStep{Request: mmc.FormatRequest{Type: mmc.FormatPlusRW, Blocks: 0xFFFFFFFF}}}}
	var e *Error
	if err := Execute(context.Background(), d, medium, plan, nil); !errors.As(err, &e) || drive.Classify(err) != drive.Changed || e.State != Untouched {
		t.Errorf("formatting: %v", err)
	}
}
