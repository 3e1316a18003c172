// Command mkdisc makes test discs: mkdisc DIR NAME...
package main

import (
	"fmt"
	"os"

	"spindle/internal/testdisc"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: mkdisc DIR NAME...")
		os.Exit(2)
	}
	for _, name := range os.Args[2:] {
		path, err := testdisc.Make(os.Args[1], name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "mkdisc:", err)
			os.Exit(1)
		}
		fmt.Println(path)
	}
}
