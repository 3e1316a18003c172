//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"

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

// setOwner gives a file the owner and the group of another one, as far as that is permitted.
func setOwner(f *os.File, of fs.FileInfo) {
	if st, ok := of.Sys().(*syscall.Stat_t); ok && f.Chown(int(st.Uid), int(st.Gid)) != nil {
		_ = f.Chown(-1, int(st.Gid))
	}
}
