//go:build !linux

package realtime

// Prioritize does nothing on this system.
func Prioritize() (restore func()) { return func() {} }

// LockMemory does nothing on this system.
func LockMemory([]byte) {}

// UnlockMemory does nothing on this system.
func UnlockMemory([]byte) {}
