package rip

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"spindle/internal/atomicfile"
	"spindle/internal/regular"
)

// partSuffix marks files that are not finished.
const partSuffix = ".part"

// An outFile is one file of the image.
type outFile struct {
	path string // final name
	f    *os.File
	pos  int64 // of its first byte in the image
	size int64
	part bool // still has partSuffix

	dirty atomic.Bool // written to since the last sync
}

// output is the files of an image under one run of positions, and the
// sub-channel beside it.
type output struct {
	files []*outFile
	sub   *outFile // nil: none
}

// newOutput names the files of a plan; open opens them.
func newOutput(p *plan) *output {
	o := new(output)
	for _, f := range p.files {
		o.files = append(o.files, &outFile{path: f.path, pos: f.pos, size: f.size})
	}
	if p.sub != nil {
		o.sub = &outFile{path: p.sub.path, size: p.sub.size}
	}
	return o
}

// openMode is how the files of an image are opened.
type openMode uint8

const (
	createNew openMode = iota // as parts
	openOld                   // of an earlier run, under their final name or as parts
	openAny                   // of an earlier run that may not have come to making them
	openParts                 // of an earlier run, that replace others
)

// open opens the file. None that another program put in its place is followed or
// truncated: a new one is created, and an old one must be a regular file.
func (f *outFile) open(mode openMode) error {
	if mode != createNew {
		for _, name := range [...]string{f.path + partSuffix, f.path} {
			last := mode == openParts || name == f.path
			file, err := regular.OpenOwn(name)
			if err == nil {
				f.f, f.part = file, name != f.path
				return nil
			}
			if !errors.Is(err, fs.ErrNotExist) || mode != openAny && last {
				return err
			}
		}
	}
	// What may be replaced is removed, and not emptied: the name may be one of several.
	if err := os.Remove(f.path + partSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(f.path+partSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	f.f, f.part = file, true
	return err
}

func (o *output) all() []*outFile {
	if o.sub != nil {
		return append(append([]*outFile(nil), o.files...), o.sub)
	}
	return o.files
}

func (o *output) open(mode openMode) error {
	for _, f := range o.all() {
		if err := f.open(mode); err != nil {
			o.close()
			return err
		}
	}
	return nil
}

func (o *output) close() error {
	var errs []error
	for _, f := range o.all() {
		if f.f != nil {
			errs = append(errs, f.f.Close())
			f.f = nil
		}
	}
	return errors.Join(errs...)
}

// span calls do for each file that the bytes from pos on touch.
func (o *output) span(p []byte, pos int64, do func(f *outFile, p []byte, at int64) error) error {
	for _, f := range o.files {
		if pos >= f.pos+f.size || len(p) == 0 {
			continue
		}
		n := int(min(int64(len(p)), f.pos+f.size-pos))
		if err := do(f, p[:n], pos-f.pos); err != nil {
			return err
		}
		p, pos = p[n:], pos+int64(n)
	}
	if len(p) > 0 {
		return fmt.Errorf("%d bytes lie behind the end of the image", len(p))
	}
	return nil
}

func (o *output) writeAt(p []byte, pos int64) error {
	return o.span(p, pos, func(f *outFile, p []byte, at int64) error {
		return f.writeAt(p, at)
	})
}

func (f *outFile) writeAt(p []byte, at int64) error {
	f.dirty.Store(true)
	_, err := f.f.WriteAt(p, at)
	return err
}

func (o *output) readAt(p []byte, pos int64) error {
	return o.span(p, pos, func(f *outFile, p []byte, at int64) error {
		_, err := f.f.ReadAt(p, at)
		return err
	})
}

// sync brings all that was written to the disk.
func (o *output) sync() error {
	for _, f := range o.all() {
		if !f.dirty.Swap(false) {
			continue
		}
		if err := f.f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// truncate gives the files their full size.
func (o *output) truncate() error {
	for _, f := range o.all() {
		if err := f.f.Truncate(f.size); err != nil {
			return err
		}
	}
	return nil
}

// settle gives the files their full size, and brings them to the disk.
func (o *output) settle() error {
	if err := o.truncate(); err != nil {
		return err
	}
	for _, f := range o.all() {
		if err := f.f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// name gives the files their final names.
func (o *output) name() error {
	for _, f := range o.all() {
		if !f.part {
			continue
		}
		if err := os.Rename(f.path+partSuffix, f.path); err != nil {
			return err
		}
		f.part = false
		atomicfile.SyncDir(filepath.Dir(f.path))
	}
	return nil
}

// exists reports whether a path is taken.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
