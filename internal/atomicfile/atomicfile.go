// Package atomicfile writes files that are there whole or not at all: under a
// temporary name beside the final one, which they get when all of them is on the
// disk.
//
// The temporary name is the final one, then a random part and ".spindle-tmp". It is
// created exclusively, so that nothing that stands in its place is overwritten or followed.
// What a process that was killed left of the same file is removed by the next one
// that writes it.
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

// Suffix is how temporary names end.
const Suffix = ".spindle-tmp"

// ErrNoFolder means that the folder of a file to be made is not there. It is an
// [fs.ErrNotExist].
var ErrNoFolder = fmt.Errorf("no such folder (%w)", fs.ErrNotExist)

// A File is a file that is being written.
type File struct {
	*os.File
	path      string // final
	closed    bool
	done      bool
	committed bool
}

// Create begins a file. It is for the caller to end it with [File.Commit],
// [File.CommitNew] or [File.Discard].
func Create(path string) (*File, error) {
	removeLeft(path)
	const tries = 10
	for range tries {
		f, err := os.OpenFile(tempName(path, rand.Text()), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &fs.PathError{Op: "create", Path: filepath.Dir(path), Err: ErrNoFolder}
		}
		if err != nil {
			return nil, named(err, path)
		}
		if hold(f) == nil && stands(f) {
			return &File{File: f, path: path}, nil
		}
		f.Close() // another process took it for one that was left
		os.Remove(f.Name())
	}
	return nil, fmt.Errorf("create %s: no temporary name is free", path)
}

// tempName puts the random part into a name, which it shortens where that would be
// too long for a file system.
func tempName(path, random string) string { return withRandom(path, random, Suffix) }

func withRandom(path, random, suffix string) string {
	const most = 255
	dir, base := filepath.Split(path)
	if room := most - len(random) - len(suffix) - 1; len(base) > room {
		base = strings.ToValidUTF8(base[:room], "")
	}
	return dir + base + "." + random + suffix
}

// stands reports whether an open file is still in its place.
func stands(f *os.File) bool {
	own, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(own, now)
}

// removeLeft removes temporary files of path that no process writes any more.
func removeLeft(path string) {
	dir, _ := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // creating the file will say why
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), Suffix) && isTempOf(e.Name(), path) {
			removeUnheld(filepath.Join(dir, e.Name()))
		}
	}
}

// isTempOf reports whether a name can be that of a temporary file of path.
func isTempOf(name, path string) bool {
	random := rand.Text()
	sample := filepath.Base(tempName(path, random))
	prefix := sample[:len(sample)-len(Suffix)-len(random)]
	return len(name) == len(sample) && strings.HasPrefix(name, prefix) && strings.HasSuffix(name, Suffix)
}

// Close brings the file to the disk. It keeps its temporary name, and stays this
// process's, until it is committed or discarded.
func (f *File) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	err := f.File.Sync()
	if !holdsWhileRenaming {
		err = errors.Join(err, f.File.Close())
	}
	return named(err, f.path)
}

// Commit closes the file and gives it its name, replacing another file of that name.
// When the name is a symbolic link, the link is replaced, not what it points to. On
// an error the file is discarded.
func (f *File) Commit() error { return f.commit(os.Rename) }

// CommitNew is Commit for a name that must not be taken: the error wraps
// [fs.ErrExist] when it is.
func (f *File) CommitNew() error { return f.commitNew(os.Link) }

func (f *File) commitNew(link func(temp, path string) error) error {
	return f.commit(func(temp, path string) error { return nameNew(system{}, temp, path, link) })
}

// folders are what names are given in: all of the system, or an [os.Root].
type folders interface {
	OpenFile(name string, flag int, perm os.FileMode) (*os.File, error)
	Rename(from, to string) error
	Remove(name string) error
}

type system struct{}

func (system) OpenFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}
func (system) Rename(from, to string) error { return os.Rename(from, to) }
func (system) Remove(name string) error     { return os.Remove(name) }

// nameNew gives a file a name that must not be taken.
func nameNew(in folders, temp, path string, link func(temp, path string) error) error {
	err := link(temp, path)
	switch {
	case err == nil:
		return in.Remove(temp)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	// The file system has no hard links: an empty file keeps the name until the
	// whole one takes its place.
	reserved, err := in.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	reserved.Close()
	if err := in.Rename(temp, path); err != nil {
		_ = in.Remove(path)
		return err
	}
	return nil
}

func (f *File) commit(name func(temp, path string) error) error {
	err := f.Close()
	if err == nil {
		err = name(f.Name(), f.path)
	}
	if err != nil {
		f.Discard()
		return named(err, f.path)
	}
	f.done, f.committed = true, true
	f.File.Close() // all of it is on the disk; where it was closed before, this does nothing
	SyncDir(filepath.Dir(f.path))
	return nil
}

// Committed reports whether the file has its name.
func (f *File) Committed() bool { return f.committed }

// SyncDir brings the names in a folder to the disk, so that they survive a power cut;
// not all systems can.
func SyncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// Discard removes the file, unless it was committed.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done, f.closed = true, true
	if !holdsWhileRenaming {
		f.File.Close()
	}
	os.Remove(f.Name())
	f.File.Close()
}

// Write writes a file by calling fill, and replaces another one of that name. On an
// error nothing is changed; it names path, not the temporary file.
func Write(path string, fill func(*os.File) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := fill(f.File); err != nil {
		return named(err, path)
	}
	return f.Commit()
}

// WriteBytes writes a file that is at hand, as [Write] does.
func WriteBytes(path string, b []byte) error {
	return Write(path, func(f *os.File) error {
		_, err := f.Write(b)
		return err
	})
}

// named puts the final name into errors about the temporary one.
func named(err error, path string) error {
	var p *fs.PathError
	if errors.As(err, &p) && strings.HasSuffix(p.Path, Suffix) {
		p.Path = path
	}
	var l *os.LinkError
	if errors.As(err, &l) && strings.HasSuffix(l.Old, Suffix) {
		return &fs.PathError{Op: "create", Path: path, Err: l.Err}
	}
	return err
}

// Error puts the name of the file into an error of writing it.
func (f *File) Error(err error) error { return named(err, f.path) }
