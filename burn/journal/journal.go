// Package journal keeps what a burn did in a file, so that a burn that failed can
// be resumed, also after a crash or a power cut.
//
// A journal is a text file of one JSON object a line. The first line says what is
// to be done and carries the version of the format; the others say how far the burn
// came, and how it ended. [Create] begins one and gives a [Writer], which is the Log
// of a [burn.Job]; [Read] reads one, and [Journal.Attempt] is what [burn.Compare] and
// [burn.PlanResume] need of it.
//
// The package has its own types for what is on the disk. Version 1 was written by
// spindle before its journals had a version; it is read, and never written.
package journal

import (
	"errors"
	"fmt"
	"time"

	"spindle/burn"
)

// Version is that of the journals that this package writes.
const Version = 2

// Suffix is that of the files in a folder of journals.
const Suffix = ".burn.jsonl"

var (
	// ErrMalformed means that a journal cannot be understood. It is what every
	// [*Error] is.
	ErrMalformed = errors.New("malformed journal")
	// errEmpty means that there is nothing in the journal. It is a case of
	// ErrMalformed.
	errEmpty = fmt.Errorf("%w: it is empty", ErrMalformed)
	// ErrVersion means that a journal is of another version than this package knows.
	// It is a case of ErrMalformed.
	ErrVersion = fmt.Errorf("%w: unknown version", ErrMalformed)
	// ErrNone means that there is no failed burn.
	ErrNone = errors.New("there is no failed burn")
)

// An Error is a journal that cannot be understood.
type Error struct {
	Path    string
	Line    int    // from 1 on; 0: the file as a whole
	Field   string // of the line, or empty
	Version int    // of an unknown version
	Err     error  // ErrMalformed or one of its cases, or what it wraps
}

func (e *Error) Error() string {
	s := ErrMalformed.Error()
	if e.Path != "" {
		s = fmt.Sprintf("%s: %s", e.Path, s)
	}
	if e.Line > 0 {
		s += fmt.Sprintf(": line %d", e.Line)
	}
	if e.Field != "" {
		s += fmt.Sprintf(": %q", e.Field)
	}
	switch {
	case errors.Is(e.Err, ErrVersion):
		return s + fmt.Sprintf(": version %d is not known", e.Version)
	case errors.Is(e.Err, errEmpty):
		return s + ": it is empty"
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns ErrMalformed and the cause.
func (e *Error) Unwrap() []error { return []error{ErrMalformed, e.Err} }

// Begin is what is to be done.
type Begin struct {
	Image    Identity
	Options  burn.Options
	Device   string // as [Device] gives it
	Drive    string // vendor, model, revision
	Profile  string // of the disc, in words
	MediumID string
	Plan     *burn.Plan
	Verify   bool
	Retry    string // the journal of the burn that this one resumes
	Damaged  int    // sectors of the image that were known to be wrong
}

// Reason is why a burn failed.
type Reason string

// The reasons.
const (
	Broken      Reason = ""            // it did not say: a crash, a power cut
	Stopped     Reason = "error"       // an error; Text and Sense say which
	Interrupted Reason = "interrupted" // by the user
	Different   Reason = "different"   // the disc does not hold the image
	Unverified  Reason = "unverified"  // the burn went well, and comparing failed
)

// A Failure is how a burn failed.
type Failure struct {
	Reason Reason
	Text   string // of the error; empty after an interruption
	Sense  string // key, code and qualifier, as in "3/0C/00"; or empty
	State  burn.DiscState
}

// A Journal is what is known of a burn.
type Journal struct {
	Path    string
	Version int
	Begin
	Time    time.Time // of the last line
	At      burn.Position
	Done    bool
	Failure Failure
	// Later: a burn onto a disc of the same make succeeded since. [Read] leaves it out;
	// [Failures] and [Find] know it.
	Later bool
}

// Attempt is what resuming the burn needs to know.
func (j *Journal) Attempt() *burn.Attempt {
	return &burn.Attempt{Plan: j.Plan, MediumID: j.MediumID, At: j.At, Failed: j.Failure.Reason != Broken, Later: j.Later}
}
