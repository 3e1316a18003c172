package known

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// Names of the user's files.
const (
	tableName   = "drives.json"
	offsetsName = "DriveOffsets.bin"
)

// A Library is all that is known.
type Library struct {
	builtIn, user *table
	offsets       offsetList
	memory        string // folder
}

// Open reads what is known: from config, the folder of the user's settings, drives.json
// and AccurateRip's DriveOffsets.bin, as far as they are there; from memory, a folder,
// what [Remember] put there, when it is asked for. Files that are not what they should
// be are ignored, and the errors say so: the library can be used.
func Open(config, memory string) (*Library, error) {
	l := &Library{memory: memory, user: &table{}}
	t, err := builtIn()
	if err != nil {
		return nil, err // the program is broken
	}
	l.builtIn = t
	var errs []error
	if config == "" {
		return l, nil
	}
	switch t, err := readTable(filepath.Join(config, tableName)); {
	case err == nil:
		l.user = t
	case !absent(err):
		errs = append(errs, err)
	}
	switch o, err := readOffsets(filepath.Join(config, offsetsName)); {
	case err == nil:
		l.offsets = o
	case !absent(err):
		errs = append(errs, err)
	}
	return l, errors.Join(errs...)
}

// Of returns what is known of a drive. An error says that what is remembered of it was
// ignored; the facts are the others.
func (l *Library) Of(id ID) (Facts, error) {
	all := l.user.find(id, User)
	if !l.user.Replace {
		all.merge(l.builtIn.find(id, BuiltIn))
	}
	if offset, ok := l.offsets.find(id); ok {
		all.Offset = all.Offset.or(Fact[int]{Value: offset, From: AccurateRip})
	}
	if l.memory == "" {
		return all, nil
	}
	path := l.File(id)
	t, err := readTable(path)
	switch {
	case absent(err):
		return all, nil
	case err != nil:
		return all, err
	case !t.only(id):
		return all, fmt.Errorf("%s: %w: it is of another drive", path, ErrFile)
	}
	all.merge(t.Drives[0].facts(Remembered))
	return all, nil
}

// absent: there is no such file, nor such a folder.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
