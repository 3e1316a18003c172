package rip_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"spindle/disc"
	"spindle/rip"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A CD with one silent track is ripped on a simulated drive. A real one is opened
// with scsi.Open.
func ExampleRip() {
	layout := &disc.Layout{Sessions: []disc.Session{{Number: 1, LeadOut: 300,
		Tracks: []disc.Track{{Number: 1, Mode: disc.Audio, End: 300}}}}}
	cd, err := disc.NewExtentImage(layout, []disc.Extent{{Count: 300}})
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "rip")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	drive := mmc.New(sim.New(sim.Config{Image: cd}))
	res, err := rip.Rip(context.Background(), drive, rip.Options{
		Output: filepath.Join(dir, "silence.cue"), Format: rip.CueBin,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Sectors, len(res.Bad), res.Whole.CRC32)
	// Output: 300 0 02864c0e
}
