package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
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
type Claim struct{ f *os.File }

// ClaimPath claims path, by a locked file beside it. The claim ends with
// [Claim.Release], or with the process: what a killed one left is no claim. The
// error is [ErrClaimed] when another process holds it. On systems without flock
// there is no such claim.
func ClaimPath(path string) (*Claim, error) {
	const tries = 10
	for range tries {
		f, made, err := openLock(path + lockSuffix)
		if err != nil {
			return nil, err
		}
		c, err := take(f, made)
		if c != nil || err != nil {
			return c, err
		}
	}
	return nil, fmt.Errorf("%s: %w", path, ErrClaimed)
}

// take claims by an open lock file. A file that this process made gets its mark
// whoever holds it: another one may have been faster. There is no claim where the last
// holder has removed the file since it was opened.
func take(f *os.File, made bool) (*Claim, error) {
	held := hold(f) == nil
	var err error
	if made {
		_, err = f.WriteString(lockMark)
	}
	switch {
	case !held:
		f.Close()
		return nil, fmt.Errorf("%s: %w", strings.TrimSuffix(f.Name(), lockSuffix), ErrClaimed)
	case err != nil: // the disk is full, perhaps
		os.Remove(f.Name())
		f.Close()
		return nil, err
	case !stands(f):
		f.Close()
		return nil, nil
	}
	return &Claim{f}, nil
}

// Release ends the claim.
func (c *Claim) Release() {
	if marked(c.f) && stands(c.f) {
		os.Remove(c.f.Name()) // while it is held, so that no other process's is removed
	}
	c.f.Close()
}

// openLock opens the file that stands for a claim, and makes it where there is none.
// It is opened for writing where that is allowed: NFS locks nothing else alone
// (flock(2)).
func openLock(path string) (f *os.File, made bool, err error) {
	f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if !errors.Is(err, fs.ErrExist) {
		return f, err == nil, err
	}
	f, err = os.OpenFile(path, os.O_RDWR|careful, 0)
	if errors.Is(err, fs.ErrPermission) {
		f, err = os.OpenFile(path, os.O_RDONLY|careful, 0)
	}
	return f, false, err
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
