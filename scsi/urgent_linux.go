package scsi

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Urgent gives the calling goroutine a thread of its own, and that thread real-time
// priority where the user may have it: for whoever feeds a recorder. Where it is
// not allowed, nothing changes. The function returned undoes it.
func Urgent() (release func()) {
	runtime.LockOSThread()
	const thisThread = 0
	old, err := unix.SchedGetAttr(thisThread, 0)
	if err == nil {
		err = unix.SchedSetAttr(thisThread, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 10}, 0)
	}
	return func() {
		if err == nil {
			// The thread goes back to the pool as it was; failing that, it is
			// merely quick.
			_ = unix.SchedSetAttr(thisThread, old, 0)
		}
		runtime.UnlockOSThread()
	}
}

// KeepInMemory keeps a buffer from being swapped out, where the user may do so.
func KeepInMemory(p []byte) { _ = unix.Mlock(p) }

// Forget undoes KeepInMemory.
func Forget(p []byte) { _ = unix.Munlock(p) }
