package ccd_test

import (
	"fmt"
	"strings"

	"spindle/image/ccd"
)

func ExampleParse() {
	d, err := ccd.Parse(strings.NewReader(`[CloneCD]
Version=3
[Entry 0]
Session=1
Point=0xa2
PLBA=20000
[Entry 1]
Session=1
Point=0x01
Control=0x04
PLBA=0
[TRACK 1]
MODE=1
INDEX 1=0
`))
	if err != nil {
		panic(err)
	}
	l, err := d.Layout()
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Tracks()[0].Mode, l.End())
	// Output: mode 1 20000
}
