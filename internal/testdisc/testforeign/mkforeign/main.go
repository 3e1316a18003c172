// Command mkforeign makes an ISO file into images as other programs make them: mkforeign ISO DIR.
package main

import (
	"fmt"
	"os"

	"spindle/internal/testdisc/testforeign"
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "mkforeign:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	const want = 3
	if len(args) != want {
		return fmt.Errorf("usage: mkforeign ISO DIR")
	}
	content, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	for name, files := range testforeign.ISOs() {
		path, err := files(name, content).Write(args[2])
		if err != nil {
			return err
		}
		fmt.Println(path)
	}
	return nil
}
