package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"spindle/burn"
	"spindle/disc"
)

// An Identity is what the files of an image were when it was burned, to recognise
// them by.
type Identity struct {
	Path  string   // of the image
	Files []FileID // the first one is the image itself
}

// A FileID is one file of an image.
type FileID struct {
	Name    string // relative to the folder of the image; empty: the image itself
	Size    int64  // bytes
	ModTime time.Time
	SHA256  string // of a small file, such as a cue sheet, in hexadecimal; or empty
}

// smallFile is the largest file whose content is a part of its identity.
const smallFile = 1 << 20

// Identify looks at the files of an image. Errors wrap [burn.ErrSource].
func Identify(img disc.Image) (Identity, error) {
	var id Identity
	for i, file := range img.Files() {
		f, err := identifyFile(file)
		if err == nil {
			file, err = filepath.Abs(file)
		}
		if err != nil {
			return id, fmt.Errorf("%w: %w", burn.ErrSource, err)
		}
		if i == 0 {
			id.Path = file
		} else {
			f.Name = file
			if rel, err := filepath.Rel(filepath.Dir(id.Path), file); err == nil {
				f.Name = filepath.ToSlash(rel)
			}
		}
		id.Files = append(id.Files, f)
	}
	return id, nil
}

func identifyFile(path string) (FileID, error) {
	st, err := os.Stat(path)
	if err != nil {
		return FileID{}, err
	}
	id := FileID{Size: st.Size(), ModTime: st.ModTime()}
	if st.Size() > smallFile || !st.Mode().IsRegular() {
		return id, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return id, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, smallFile)); err != nil {
		return id, err
	}
	id.SHA256 = hex.EncodeToString(h.Sum(nil))
	return id, nil
}

// name is the file's name for a person.
func (id Identity) name(f FileID) string {
	if f.Name == "" {
		return filepath.Base(id.Path)
	}
	return f.Name
}

// find returns the file of a name, or nil.
func (id Identity) find(name string) *FileID {
	for i := range id.Files {
		if id.Files[i].Name == name {
			return &id.Files[i]
		}
	}
	return nil
}

// Same compares what the files were, as a journal of a version has it, with what
// they are now. The error is a [*burn.ImageChangedError]. Version 1 knows the first
// file only.
func (id Identity) Same(now Identity, version int) error {
	var touched error
	for _, was := range id.Files {
		is := now.find(was.Name)
		if is == nil {
			return &burn.ImageChangedError{File: id.name(was), Change: burn.FileRemoved}
		}
		if err := compareFile(id.name(was), was, *is); err != nil {
			if !onlyTouched(err) {
				return err
			}
			if touched == nil {
				touched = err
			}
		}
	}
	for _, is := range now.Files {
		if version > 1 && id.find(is.Name) == nil {
			return &burn.ImageChangedError{File: id.name(is), Change: burn.FileAdded}
		}
	}
	return touched
}

// compareFile compares a file with what it was. One whose content is known may have
// been touched.
func compareFile(name string, was, is FileID) error {
	switch {
	case was.Size != is.Size:
		return &burn.ImageChangedError{File: name, Change: burn.SizeChanged, OldSize: was.Size, NewSize: is.Size}
	case was.SHA256 != "" && is.SHA256 != "":
		if was.SHA256 != is.SHA256 {
			return &burn.ImageChangedError{File: name, Change: burn.ContentChanged}
		}
	case !was.ModTime.Equal(is.ModTime):
		return &burn.ImageChangedError{File: name, Change: burn.Touched, ModTime: is.ModTime}
	}
	return nil
}

// CheckImage makes sure that an image, which is what now says, is still the one that was burned: its files
// by name, size, time and, of small ones, content; and what the drive took of it, by
// the sum in the journal. Of an image that was only touched, what the drive took counts:
// what follows that comes from the image as it is now. Errors are those of
// [Identity.Same] and [burn.CheckSent].
func (j *Journal) CheckImage(ctx context.Context, now Identity, src *burn.Source, o burn.Observer) error {
	err := j.Image.Same(now, j.Version)
	if err != nil && (!onlyTouched(err) || j.At.Sent.Bytes == 0) {
		return err
	}
	return burn.CheckSent(ctx, src, j.Attempt(), o)
}

// onlyTouched reports whether an error of [Identity.Same] says no more than that a file
// was written to since.
func onlyTouched(err error) bool {
	var c *burn.ImageChangedError
	return errors.As(err, &c) && c.Change == burn.Touched
}
