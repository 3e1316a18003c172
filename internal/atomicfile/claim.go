package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrClaimed is returned for a path that another process has claimed.
var ErrClaimed = errors.New("another process is writing it")

// lockSuffix is how the file that stands for a claim ends.
const lockSuffix = ".lock"

// lockMark is what a lock file holds. A file of that name with anything else in it is
// somebody's own: it is locked as well, and stays.
const lockMark = "spindle is writing the file beside this one\n"

// A Claim keeps other processes from writing the same output for as long as it
// takes to make it, over several runs of this process's steps and renames.
type Claim struct {
	f   *os.File
	own bool // made by spindle
}

// ClaimPath claims path, by a locked file beside it. The claim ends with
// [Claim.Release], or with the process: what a killed one left is no claim. The
// error is [ErrClaimed] when another process holds it. On systems without flock
// there is no such claim.
func ClaimPath(path string) (*Claim, error) {
	const tries = 10
	for range tries {
		f, err := openLock(path + lockSuffix)
		if err != nil {
			return nil, err
		}
		if err := hold(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", path, ErrClaimed)
		}
		if stands(f) {
			return &Claim{f, marked(f)}, nil
		}
		f.Close() // its last holder removed it after it was opened here
	}
	return nil, fmt.Errorf("%s: %w", path, ErrClaimed)
}

// Release ends the claim.
func (c *Claim) Release() {
	if c.own && stands(c.f) {
		os.Remove(c.f.Name()) // while it is held, so that nobody else's is removed
	}
	c.f.Close()
}

// openLock opens the file that stands for a claim, and makes it where there is none.
func openLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			f, err = os.OpenFile(path, os.O_RDONLY|careful, 0)
		}
		return f, err
	}
	if _, err := f.WriteString(lockMark); err != nil {
		f.Close()
		os.Remove(path)
		return nil, err
	}
	return f, nil
}

// marked reports whether a lock file is one that spindle made.
func marked(f *os.File) bool {
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() != int64(len(lockMark)) {
		return false
	}
	b := make([]byte, len(lockMark))
	_, err = f.ReadAt(b, 0)
	return err == nil && string(b) == lockMark
}
