// Command spindle rips, burns, converts and checks optical discs.
//
// The rules of its interface: results go to standard output; progress, notes and
// errors to standard error. An error says what happened, then in what state things
// are, then what to do next. The exit status is one of the constants below. No file
// is overwritten without --force.
//
// Each subcommand has a file of its own, cmd_NAME.go. What the user reads for each
// error and note is in messages.go, for each error of a burn in burn_senses.go.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNoDisc      = 3 // no drive, no medium, or the wrong one
	exitBadSectors  = 4 // ripped, with sectors that could not be read
	exitDifferent   = 5 // verification found a difference
	exitBurnFailed  = 6
	exitInterrupted = 130
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	ending := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		ending = append(ending, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ending...)
	defer stop()
	// A second Ctrl-C ends the program at once.
	go func() {
		<-ctx.Done()
		stop()
	}()
	// A pipe that is closed must not kill a burn: the write fails instead.
	signal.Ignore(syscall.SIGPIPE)
	return newApp(stdout, stderr).perform(ctx, args)
}

// perform executes a command line and returns the exit status.
func (a *app) perform(ctx context.Context, args []string) int {
	root := a.rootCommand()
	a.json = slices.Contains(args, "--json") // also where a flag before it is wrong
	root.SetArgs(args)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if cerr := a.close(); err == nil {
		err = cerr
	}
	return a.exit(err)
}

// An exitError ends the program with a status, after the result was shown.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }
