package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Folder makes temporary files below a root, for whoever renames them there.
type Folder struct {
	root *os.Root
	left map[string][]string // of each folder: what killed runs may have left in it
}

// In makes files below root.
func In(root *os.Root) *Folder { return &Folder{root, make(map[string][]string)} }

// Create makes the temporary file of path, and removes what killed runs left of the
// same. Its name is relative to the root, unlike that of the file.
func (d *Folder) Create(path string) (f *os.File, name string, err error) {
	d.removeLeft(path)
	const tries = 10
	for range tries {
		name = tempName(path, rand.Text())
		f, err = d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, name, err
		}
		if hold(f) == nil && d.stands(f, name) {
			return f, name, nil
		}
		f.Close() // another process took it for one that was left
	}
	return nil, name, fmt.Errorf("create %s: no temporary name is free", path)
}

// Commit gives a temporary file, which is closed, the name path. With replace, it takes the place of
// another file; else the error wraps [fs.ErrExist] where there is one.
func (d *Folder) Commit(temp, path string, replace bool) error {
	if replace {
		return d.root.Rename(temp, path)
	}
	return nameNew(d.root, temp, path, d.root.Link)
}

// Error puts the name of a file into an error of writing it.
func (d *Folder) Error(err error, path string) error { return named(err, path) }

// stands is [stands] for a file below the root.
func (d *Folder) stands(f *os.File, name string) bool {
	own, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := d.root.Lstat(name)
	return err == nil && os.SameFile(own, now)
}

// removeLeft removes temporary files of path that no process writes any more. A folder
// is read once.
func (d *Folder) removeLeft(path string) {
	dir := filepath.Dir(path)
	left, ok := d.left[dir]
	if !ok {
		left = d.list(dir)
		d.left[dir] = left
	}
	for _, name := range left {
		if isTempOf(name, path) {
			d.removeUnheld(filepath.Join(dir, name))
		}
	}
}

// list lists the temporary files in a folder.
func (d *Folder) list(dir string) []string {
	f, err := d.root.Open(dir)
	if err != nil {
		return nil // creating the file will say why
	}
	defer f.Close()
	entries, _ := f.ReadDir(-1)
	var list []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), Suffix) {
			list = append(list, e.Name())
		}
	}
	return list
}

// removeUnheld removes a file that no process holds.
func (d *Folder) removeUnheld(name string) {
	f, err := d.root.OpenFile(name, os.O_RDONLY|careful, 0)
	if err != nil {
		return
	}
	defer f.Close()
	unheld := hold(f) == nil && d.stands(f, name)
	if !holdsWhileRenaming {
		f.Close()
	}
	if unheld {
		_ = d.root.Remove(name)
	}
}
