// Command timed runs a command three times, each in a new folder "out", and prints a row of a table: the
// shortest time, the least processor time (user and system), the bytes of the input for each second of that,
// and the largest memory. With -made, it also prints how large that file is beside the input.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	made := flag.String("made", "", "`file` that the command makes, the size of which counts")
	runs := flag.Int("runs", 3, "how often")
	flag.Parse()
	if flag.NArg() < 3 {
		fmt.Fprintln(os.Stderr, "usage: timed [-made FILE] NAME INPUT COMMAND...")
		os.Exit(2)
	}
	if err := row(flag.Arg(0), flag.Arg(1), *made, *runs, flag.Args()[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", flag.Arg(0), err)
		os.Exit(1)
	}
}

// row measures a command, and prints what it took.
func row(name, input, made string, runs int, command []string) error {
	in, err := os.Stat(input)
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		fmt.Printf("| %s | %s is not installed | | | |%s\n", name, command[0], map[bool]string{true: " |"}[made != ""])
		return nil
	}
	var wall, processors time.Duration
	var memory int64 // KiB
	for i := range runs {
		if err := errors.Join(os.RemoveAll("out"), os.Mkdir("out", 0o777)); err != nil {
			return err
		}
		c := exec.Command(command[0], command[1:]...)
		start := time.Now()
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		took, s := time.Since(start), c.ProcessState
		if i == 0 || took < wall {
			wall = took
		}
		if cpu := s.UserTime() + s.SystemTime(); i == 0 || cpu < processors {
			processors = cpu
		}
		if usage, ok := s.SysUsage().(*syscall.Rusage); ok {
			memory = max(memory, usage.Maxrss)
		}
	}
	fmt.Printf("| %s | %.2f s | %.2f s | %.0f MB/s | %d MiB |", name, wall.Seconds(), processors.Seconds(),
		float64(in.Size())/1e6/max(processors.Seconds(), 0.001), memory>>10)
	if made != "" {
		st, err := os.Stat(made)
		if err != nil {
			return err
		}
		fmt.Printf(" %.2f %% |", 100*float64(st.Size())/float64(in.Size()))
	}
	fmt.Println()
	return nil
}
