package main

import (
	"context"
	"fmt"
	"os"
)

func Example() {
	if err := tracks(context.Background(), os.Stdout, "sim:../../testdata/demo/demo.cue"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 01  mode 1  from      0  6s
	// 02  audio   from    450  4s
	// 03  audio   from    750  4s
}
