//go:build unix

package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// hold marks a file as being written, until it is closed or its process ends.
func hold(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// removeUnheld removes a file that no process holds.
func removeUnheld(path string) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if hold(f) == nil && stands(f) {
		os.Remove(path)
	}
}

// openLock opens the file that stands for a claim, and makes it where there is none.
func openLock(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o666)
}
