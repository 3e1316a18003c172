// Package regular opens files that must be regular ones, and never waits for the other
// end of a pipe or for a device.
package regular

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// ErrNotRegular is what errors about folders, pipes, sockets and devices wrap.
var ErrNotRegular = errors.New("not a regular file")

// ErrFolder is the ErrNotRegular of a folder.
var ErrFolder = fmt.Errorf("%w: it is a folder", ErrNotRegular)

// Open opens a file for reading. What is opened is what was looked at: nothing can take
// its place in between. The error is a [*fs.PathError].
func Open(path string) (*os.File, error) {
	// With O_NONBLOCK, opening does not wait; for regular files it changes nothing.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) { // a socket
		return nil, &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil {
		err = kind(path, st)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Check makes sure that path, where something is, leads to a regular file, for those who
// open it in another way than [Open]. The error is a [*fs.PathError].
func Check(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	return kind(path, st)
}

func kind(path string, st fs.FileInfo) error {
	switch {
	case st.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: ErrFolder}
	case !st.Mode().IsRegular():
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
