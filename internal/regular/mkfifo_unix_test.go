//go:build unix

package regular_test

import "syscall"

func mkfifo(path string) bool { return syscall.Mkfifo(path, 0o666) == nil }
