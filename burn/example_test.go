package burn_test

import (
	"context"
	"fmt"

	"spindle/burn"
	"spindle/disc"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// zeros is an endless file.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

func Example() {
	ctx := context.Background()
	drive := mmc.New(sim.New(sim.Config{Blank: true, Media: "dvd+r"}))
	layout := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: 1000, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 1000}}}}}
	image, err := disc.NewExtentImage(layout, []disc.Extent{{Count: 1000, Source: zeros{}, Form: disc.FormBlock}})
	if err != nil {
		fmt.Println(err)
		return
	}
	src := burn.ImageSource("empty.iso", image)
	medium, err := burn.Survey(ctx, drive)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := burn.MakePlan(ctx, medium, src, burn.Options{Speed: 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(plan)
	result := burn.Run(ctx, src, &burn.Job{Drive: drive, Medium: medium, Plan: plan, Verify: true})[0]
	fmt.Println(result.Err, result.Verification.OK())
	// Output:
	// DVD+R, sequential, 11080 kB/s
	//   expect the next writable address 0
	//   write 0 to 1007, 2048 bytes each: the image's from 0 on, the last 8 zeros
	//   synchronize
	//   close, function 1, track 1
	//   close, function 6, track 0
	// <nil> true
}
