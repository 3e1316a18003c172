// Command spindle rips, burns, converts and checks optical discs.
//
// The rules of its interface: results go to standard output, progress, notes
// and errors to standard error. An error says what happened, then in what state
// things are, then what to do next. The exit status is one of the constants
// below. No file is overwritten without --force.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
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

// version is set by the linker in releases.
var version = "0.1.0-dev"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once.
	go func() {
		<-ctx.Done()
		stop()
	}()
	a := newApp(stdout, stderr)
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if cerr := a.close(); err == nil {
		err = cerr
	}
	return a.exit(err)
}

// An exitError ends the program with a status, after the message was printed
// elsewhere.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// A usageError is a wrong use of the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exit reports err and returns the exit status for it.
func (a *app) exit(err error) int {
	var silent exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &silent):
		return int(silent)
	}
	m := explain(err)
	a.printError(m)
	return m.status
}
