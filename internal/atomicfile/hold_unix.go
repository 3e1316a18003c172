//go:build unix

package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// holdsWhileRenaming: an open file can be renamed, and is held until it is.
const holdsWhileRenaming = true

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

// Flags of opening what others may have put in a place: links are not followed, and
// pipes not waited for.
const careful = unix.O_NOFOLLOW | unix.O_NONBLOCK
