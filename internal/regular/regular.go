// Package regular opens files that must be regular ones, and never waits for the other
// end of a pipe or for a device.
package regular

import (
	"errors"
	"io/fs"
	"os"
)

// ErrNotRegular is what errors about folders, pipes, sockets and devices wrap.
var ErrNotRegular = errors.New("not a regular file")

// Open opens a file for reading.
func Open(path string) (*os.File, error) {
	if err := Check(path); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// Check makes sure that path, where something is, leads to a regular file. The error is a
// [*fs.PathError].
func Check(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	return nil
}

// OpenOwn opens a file for reading and writing that stands at path itself: no symbolic
// link is followed. The error is a [*fs.PathError].
func OpenOwn(path string) (*os.File, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	refused := &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	if !st.Mode().IsRegular() {
		return nil, refused
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if now, err := f.Stat(); err != nil || !os.SameFile(st, now) { // something else was put there just now
		f.Close()
		return nil, refused
	}
	return f, nil
}
