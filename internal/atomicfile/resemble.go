package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// Resemble closes the file, and gives it the mode, the time of change and, as far as that is permitted, the owner of the one
// whose place it is to take.
func (f *File) Resemble(was fs.FileInfo) error {
	setOwner(f.File, was)
	err := errors.Join(f.Chmod(was.Mode().Perm()), f.Close())
	if err == nil {
		err = os.Chtimes(f.Name(), time.Time{}, was.ModTime())
	}
	return named(err, f.path)
}
