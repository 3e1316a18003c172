package main

import (
	"context"
	"fmt"
	"os"
)

func Example() {
	if err := files(context.Background(), os.Stdout, "../../testdata/demo/demo.cue"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// e446ada8bf5ffb99  1058444  Track 02.wav
	// f0fc1b90af8bc725   705644  Track 03.wav
	// 60ca767d880385d1     8890  docs/numbers.txt
	// e9d1aa089e1c98c6       51  readme.txt
}
