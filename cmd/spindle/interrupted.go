package main

import (
	"context"
	"errors"
)

// interruptions are what commands leave when they are interrupted, and what to do next, where nothing else says it.
var interruptions = map[string]struct{ left, next string }{
	"convert": {"nothing was made", "Run the same command to start over."},
	"make":    {"nothing was made", "Run the same command to start over."},
	"merge":   {"nothing was made", "Run the same command to start over."},
	"extract": {"files that were extracted so far are whole, and kept", "The same command with --force extracts all of them again."},
	"verify":  {"the check is not complete; nothing was changed", "Run the same command to start over."},
	"rip":     {"what was read is kept", "The same command without --force resumes from there."},
	"reburn":  {"nothing was written", "\"spindle reburn\" resumes, as far as the disc allows."},
}

// unread is said of a rip that had not begun.
const unread, unreadNext = "nothing was read yet, and nothing was changed", "Run the same command to start over."

// interrupted says of a command what it leaves when it is interrupted.
func interrupted(command string, err error) error {
	if x, ok := interruptions[command]; ok {
		return interruptedAt(err, x.left, x.next)
	}
	return err
}

// interruptedAt says what is left when an error is that of an interruption, unless it says so itself.
func interruptedAt(err error, left, next string) error {
	var said refusal
	if !errors.Is(err, context.Canceled) || errors.As(err, &said) {
		return err
	}
	return refusal{errors.New("interrupted: " + left), exitInterrupted, next}
}
