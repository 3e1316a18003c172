package format

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrChanged means that a file of the image changed while it was read. What was made of it
// is neither what it was nor what it is.
var ErrChanged = errors.New("changed while it was read")

func changed(file string) error { return fmt.Errorf("%s %w", file, ErrChanged) }

// states are files as they are before they are read.
type states map[string]fs.FileInfo

func statesOf(files []string) states {
	s := make(states)
	for _, f := range files {
		if st, err := os.Stat(f); err == nil {
			s[f] = st
		}
	}
	return s
}

// same makes sure that no file is another one, or has another size or time. The error is a
// [ErrChanged].
func (s states) same() error {
	for f, was := range s {
		is, err := os.Stat(f)
		if err != nil || !os.SameFile(was, is) || is.Size() != was.Size() || !is.ModTime().Equal(was.ModTime()) {
			return changed(f)
		}
	}
	return nil
}
