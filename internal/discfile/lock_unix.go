//go:build unix

package discfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock holds a file for this process, until it is closed.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}
