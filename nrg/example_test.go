package nrg_test

import (
	"bytes"
	"fmt"

	"spindle/disc"
	"spindle/nrg"
)

// The table of a Nero image follows its sectors.
func ExampleFromLayout() {
	layout := &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{{
		Number: 1, LeadOut: 700,
		Tracks: []disc.Track{
			{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, Start: 0, End: 400},
			{Number: 2, Mode: disc.Audio, Start: 550, Pregap: 150, End: 700, ISRC: "GBAYE0000351"},
		},
	}}}
	table, places, err := nrg.FromLayout(layout, []nrg.Mode{nrg.Mode1User, nrg.Audio})
	if err != nil {
		fmt.Println(err)
		return
	}
	var file []byte
	for _, p := range places {
		sectors := p.Lead + p.Track.Sectors()
		fmt.Printf("track %d: %d sectors of %d bytes\n", p.Track.Number, sectors, p.Mode.SectorSize())
		file = append(file, make([]byte, sectors*p.Mode.SectorSize())...) // silence
	}
	file = append(file, table.Bytes()...)
	again, err := nrg.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d session, %d bytes of sectors\n", len(again.Sessions), again.Sectors())
	// Output:
	// track 1: 550 sectors of 2048 bytes
	// track 2: 300 sectors of 2352 bytes
	// 1 session, 1832000 bytes of sectors
}
