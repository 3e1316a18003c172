//go:build !linux

package scsi

// Drives returns no drives: finding them is written for Linux.
func Drives() ([]DriveInfo, error) { return nil, nil }
