package realtime

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Prioritize locks the calling goroutine to its thread and gives that thread
// real-time priority (SCHED_RR) if the user is allowed to. Without permission
// only the goroutine is locked. restore undoes both and must run on the same
// goroutine.
func Prioritize() (restore func()) {
	runtime.LockOSThread()
	const thisThread = 0
	old, err := unix.SchedGetAttr(thisThread, 0)
	if err == nil {
		err = unix.SchedSetAttr(thisThread, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 10}, 0)
	}
	return func() {
		if err == nil {
			// The thread returns to the scheduler's pool as it was; if that
			// fails, it is merely quick.
			_ = unix.SchedSetAttr(thisThread, old, 0)
		}
		runtime.UnlockOSThread()
	}
}

// LockMemory keeps p from being swapped out, if the user is allowed to.
func LockMemory(p []byte) { _ = unix.Mlock(p) }

// UnlockMemory undoes LockMemory.
func UnlockMemory(p []byte) { _ = unix.Munlock(p) }
