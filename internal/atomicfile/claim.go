package atomicfile

import (
	"errors"
	"fmt"
	"os"
)

// ErrClaimed is returned for a path that another process has claimed.
var ErrClaimed = errors.New("another process is writing it")

// lockSuffix is how the file that stands for a claim ends.
const lockSuffix = ".lock"

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
		f, err := openLock(path + lockSuffix)
		if err != nil {
			return nil, err
		}
		if err := hold(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", path, ErrClaimed)
		}
		if stands(f) {
			return &Claim{f}, nil
		}
		f.Close() // its last holder removed it after it was opened here
	}
	return nil, fmt.Errorf("%s: %w", path, ErrClaimed)
}

// Release ends the claim.
func (c *Claim) Release() {
	os.Remove(c.f.Name()) // while it is held, so that nobody else's is removed
	c.f.Close()
}
