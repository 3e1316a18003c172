// Package attached lets other processes control a drive that this one serves with
// package tcmu: ask what it is, change its disc, end it. Each served drive has a
// Unix socket in a [Folder], named as the drive is in the kernel; a request and its
// answer are one JSON object each, and one connection carries one request.
package attached

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"spindle/scsi/tcmu"
)

// A Folder holds the sockets of the drives that are served on this machine.
type Folder string

// DefaultFolder is where all processes of a machine look.
const DefaultFolder Folder = "/run/spindle"

// limit is how long a request may take: a drive that is asked to end answers when
// the kernel has let go of it.
const limit = 30 * time.Second

// Errors of the package.
var (
	// ErrNone is returned when no served drive fits.
	ErrNone = errors.New("control: no attached drive")
	// ErrFull is returned when every name for a drive is taken.
	ErrFull = errors.New("control: too many attached drives")
	// ErrNoAnswer is returned when the process that serves a drive does not
	// answer, or answers nonsense.
	ErrNoAnswer = errors.New("control: no answer")
)

// An AmbiguousError is returned when several drives are served and none was named.
type AmbiguousError struct {
	Devices []string // /dev/srN
}

func (e *AmbiguousError) Error() string {
	return "control: several attached drives: " + strings.Join(e.Devices, ", ")
}

// A RefusedError is what the process that serves a drive made of a request: its
// words.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// Status is what a served drive is.
type Status struct {
	Device string `json:"device"` // /dev/srN
	File   string `json:"file"`   // of the disc in it, or empty
}

// verb is what is asked of a drive.
type verb string

const (
	doStatus verb = "status"
	doLoad   verb = "load"
	doDetach verb = "detach"
)

// request is what a client sends.
type request struct {
	Do   verb   `json:"do"`
	Spec string `json:"spec,omitempty"` // load: the disc
	Dir  string `json:"dir,omitempty"`  // load: what a relative name in Spec is relative to
}

// reply is what the server answers.
type reply struct {
	Status
	Error string `json:"error,omitempty"`
}

// prefix begins the name of every drive.
const prefix = "drive"

// mostDrives bounds the names that are tried.
const mostDrives = 64

func (f Folder) socket(name string) string { return filepath.Join(string(f), name) }

// sockets lists the sockets there are, of living and of killed processes.
func (f Folder) sockets() ([]string, error) {
	return filepath.Glob(f.socket(prefix + "*"))
}

// alive reports whether a process serves the drive of this name.
func (f Folder) alive(name string) bool {
	conn, err := net.Dial("unix", f.socket(name))
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// Clean removes sockets and kernel drives whose process was killed, and returns how
// many drives there were. It needs the rights to remove drives only if there are
// any.
func (f Folder) Clean() (int, error) {
	paths, err := f.sockets()
	if err != nil {
		return 0, err
	}
	for _, p := range paths {
		if !f.alive(filepath.Base(p)) {
			if err := os.Remove(p); err != nil {
				return 0, err
			}
		}
	}
	n := 0
	for _, name := range tcmu.Names() {
		if f.alive(name) {
			continue
		}
		if err := errors.Join(tcmu.Abandon(name), tcmu.Remove(name)); err != nil {
			return n, fmt.Errorf("control: removing %s: %w", name, err)
		}
		n++
	}
	return n, nil
}
