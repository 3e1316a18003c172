package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

func Example() {
	dir, err := os.MkdirTemp("", "convert")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := convert(context.Background(), os.Stdout, "../../testdata/demo/demo.cue", filepath.Join(dir, "demo.ccd")); err != nil {
		fmt.Println(err)
	}
	// Output:
	// demo.img
	// demo.sub
	// demo.ccd
	// CRC-32 813529b2
}
