package nrg_test

import (
	"bytes"
	"fmt"

	"spindle/nrg"
)

func ExampleDetect() {
	// The footer of a Nero image of version 2, whose chunks begin at byte 4.
	file := []byte("dataEND!\x00\x00\x00\x00NER5\x00\x00\x00\x00\x00\x00\x00\x04")
	fmt.Println(nrg.Detect(bytes.NewReader(file), int64(len(file))))
	// Output: true
}
