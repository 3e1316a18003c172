// Package byname opens a drive by the name that a person gives it: /dev/sr0 or
// /dev/sg1, sim:FILE for a simulated drive, sim:trace=FILE for a recorded run that
// is played back, or nothing for the only drive there is.
//
// It is not part of package drive because simulated drives bring every image
// format with them: a program that only opens real ones uses scsi.Open, and links
// none of them.
package byname

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// simPrefix begins the names of simulated drives.
const simPrefix = "sim:"

// Is reports whether s names a drive and not a file: it begins with sim:, or with /dev/
// and no file or folder is there, as in /dev/shm.
func Is(s string) bool {
	if !strings.HasPrefix(s, "/dev/") {
		return strings.HasPrefix(s, simPrefix)
	}
	st, err := os.Stat(s)
	return err != nil || st.Mode()&fs.ModeDevice != 0
}

// Access is how a drive is shared with others.
type Access uint8

// The kinds of access.
const (
	// Shared is for reading: others may read too, and its disc may be mounted.
	Shared Access = iota
	// Exclusive is for what changes the disc: it must not be mounted, nor the
	// drive be held by another program.
	Exclusive
)

// Options say how to open a drive.
type Options struct {
	Access Access
}

// Open opens the drive that name means; an empty one means the only
// drive, else the only one with a disc. Errors are [*SpecError], [*DiscError], [ErrNoDrive],
// [*AmbiguousError], and the [*scsi.OpenError] of a device.
func Open(ctx context.Context, name string, o Options) (scsi.Conn, error) {
	if name == "" {
		var err error
		if name, err = only(ctx); err != nil {
			return nil, err
		}
	}
	if text, ok := strings.CutPrefix(name, simPrefix); ok {
		spec, err := parseSpec(text)
		if err != nil {
			return nil, err
		}
		return Simulate(ctx, spec)
	}
	if o.Access == Exclusive {
		return scsi.OpenExclusive(ctx, name)
	}
	return scsi.Open(ctx, name)
}

// ErrNoDrive is returned where no drive is named and there is none.
var ErrNoDrive = errors.New("no optical drive was found")

// An AmbiguousError says that there are several drives, and not just one of them
// has a disc in it.
type AmbiguousError struct {
	Drives []Candidate
}

// A Candidate is a drive that may be meant.
type Candidate struct {
	scsi.DriveInfo
	Loaded bool // there is a disc in it
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("there are several drives (%d)", len(e.Drives))
}

// probeLimit is how long a drive may take to say whether it has a disc.
const probeLimit = 15 * time.Second

// only names the drive that is meant where none is named: the only one, else the
// only one with a disc in it. The error is [ErrNoDrive] or an [*AmbiguousError].
func only(ctx context.Context) (string, error) {
	all, err := scsi.Drives()
	if err != nil {
		return "", err
	}
	return choose(all, func(path string) bool { return hasDisc(ctx, path) })
}

func choose(all []scsi.DriveInfo, loaded func(path string) bool) (string, error) {
	switch len(all) {
	case 0:
		return "", ErrNoDrive
	case 1:
		return all[0].Path, nil
	}
	e := new(AmbiguousError)
	n, name := 0, ""
	for _, d := range all {
		c := Candidate{d, loaded(d.Path)}
		if c.Loaded {
			n, name = n+1, d.Path
		}
		e.Drives = append(e.Drives, c)
	}
	if n == 1 {
		return name, nil
	}
	return "", e
}

func hasDisc(ctx context.Context, path string) bool {
	c, err := scsi.Open(ctx, path)
	if err != nil {
		return false
	}
	defer c.Close()
	return drive.WaitReady(ctx, mmc.New(c), probeLimit) == nil
}
