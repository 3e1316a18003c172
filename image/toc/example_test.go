package toc_test

import (
	"fmt"
	"strings"

	"spindle/image/toc"
)

func ExampleParse() {
	f, err := toc.Parse(strings.NewReader(`CD_DA
TRACK AUDIO
ISRC "DEA122600001"
FILE "disc.bin" 0 03:00:00
START 00:02:00
`))
	if err != nil {
		panic(err)
	}
	t := f.Tracks[0]
	fmt.Println(f.Type, t.Mode, t.ISRC, "pregap of", t.Start, "sectors in", t.Pieces[0].Name)
	// Output: CD_DA AUDIO DEA122600001 pregap of 150 sectors in disc.bin
}
