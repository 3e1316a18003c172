package main

import (
	"fmt"
	"os"
	"path/filepath"

	"spindle/album"
)

// standing are files as they were before a disc was read: nil for those that were not there. Reading takes long, and what
// somebody puts there meanwhile is not replaced.
type standing map[string]os.FileInfo

// beforeReading looks at the files that an album will have in a folder, and at others that it replaces.
func beforeReading(dir string, x *album.Album, o album.Options, own []string) (standing, error) {
	names, err := x.Files(o)
	if err != nil {
		return nil, err
	}
	u := standing{}
	for _, name := range names {
		u.add(filepath.Join(dir, name))
	}
	for _, path := range own {
		u.add(path)
	}
	return u, nil
}

func (u standing) add(path string) {
	u[path], _ = os.Lstat(path) //nolint:errcheck // nil: it is not there
}

// check is the error where a file is not as it was.
func (u standing) check() error {
	for path, was := range u {
		is, err := os.Lstat(path)
		switch {
		case err != nil && was == nil, err == nil && was != nil && os.SameFile(is, was) && is.Size() == was.Size() && is.ModTime().Equal(was.ModTime()):
		case err != nil:
			// Nothing of it is left to replace.
		default:
			what := "was changed"
			if was == nil {
				what = "was made"
			}
			return refusal{fmt.Errorf("%s %s while the disc was read, and is not replaced", path, what), exitFailed,
				"The disc is read, and kept. Move that file away, and run the same command to make the songs."}
		}
	}
	return nil
}
