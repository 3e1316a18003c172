//go:build !linux

package scsi

// Urgent does nothing on this system.
func Urgent() (release func()) { return func() {} }

// KeepInMemory does nothing on this system.
func KeepInMemory([]byte) {}

// Forget does nothing on this system.
func Forget([]byte) {}
