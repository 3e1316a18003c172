// Command race serves the race of testdata/vm/race, in which spindle and other programs read the same damaged discs in
// attached simulated drives.
//
//	race make DIR            writes the discs
//	race attach SPEC FILE    a drive until SIGTERM; what was read between SIGUSR1 and then is counted in FILE
//	race judge [flags] ...   compares what a program wrote with the source, and prints a row
//	race table LOG...        puts the rows into the pages
//	race check LOG...        says where spindle is behind, and fails if there is such a place
package main

import (
	"fmt"
	"os"
)

func main() {
	commands := map[string]func([]string) error{
		"make": makeDiscs, "attach": attach, "judge": judge, "table": tables, "check": checkRows,
	}
	var run func([]string) error
	if len(os.Args) > 1 {
		run = commands[os.Args[1]]
	}
	if run == nil {
		fmt.Fprintln(os.Stderr, "usage: race make|attach|judge|table|check ...")
		os.Exit(2)
	}
	if err := run(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "race:", err)
		os.Exit(1)
	}
}
