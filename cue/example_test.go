package cue_test

import (
	"fmt"
	"strings"

	"spindle/cue"
)

func ExampleParse() {
	sheet, err := cue.Parse(strings.NewReader(`FILE "disc.bin" BINARY
  TRACK 01 AUDIO
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 00 03:00:00
    INDEX 01 03:02:00
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range sheet.Tracks {
		fmt.Println(t.Number, t.Type, len(t.Indexes))
	}
	// Output:
	// 1 AUDIO 1
	// 2 AUDIO 2
}
