//go:build !unix

package regular_test

func mkfifo(string) bool { return false }
