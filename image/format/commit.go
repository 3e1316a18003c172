package format

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"spindle/internal/atomicfile"
)

// commit gives all files their final names, or none: then what stood there before stays, also with Force.
func (o *Output) commit() error {
	if err := o.announce(); err != nil {
		return err
	}
	before, err := o.setAside()
	if err == nil {
		err = o.commitAll()
	}
	if err != nil {
		return errors.Join(err, o.withdraw(before))
	}
	o.res.Files = append(o.res.Files, o.paths...)
	if o.hash != nil {
		o.res.Whole, _ = o.hash.Sums()
	}
	var left []error // files that could not be removed: the image is in place nevertheless
	for _, a := range before {
		left = append(left, a.Forget())
	}
	return errors.Join(left...)
}

// announce tells which files are about to get their names.
func (o *Output) announce() error {
	if o.Naming == nil {
		return nil
	}
	var all []Pending
	for i, w := range o.written {
		all = append(all, Pending{w.Name(), o.paths[i]})
	}
	return o.Naming(all)
}

// setAside keeps the files that those of the image replace, by their paths. One file replaces another
// whole anyway.
func (o *Output) setAside() (map[string]*atomicfile.Aside, error) {
	before := make(map[string]*atomicfile.Aside)
	if !o.Force || len(o.written) == 1 {
		return before, nil
	}
	for _, path := range slices.Concat(o.paths, o.mapPaths()) {
		if before[path] != nil { // a map may be written, too
			continue
		}
		a, err := atomicfile.SetAside(path)
		if err != nil {
			return before, err
		}
		if a != nil {
			before[path] = a
		}
	}
	return before, nil
}

// commitAll gives the files their names. A damaged image never stands there without its map: the new
// map comes first, and one that no longer holds goes last.
func (o *Output) commitAll() error {
	files := len(o.written) - len(o.res.Maps)
	for n := range o.written {
		if err := o.commitFile((n + files) % len(o.written)); err != nil {
			return err
		}
	}
	for _, path := range o.mapPaths() {
		if !o.Force || slices.Contains(o.res.Maps, path) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// withdraw removes the files that have their names already, and brings those back that stood there.
func (o *Output) withdraw(before map[string]*atomicfile.Aside) error {
	var errs []error
	for _, a := range before {
		errs = append(errs, a.Restore())
	}
	for i, path := range o.paths {
		switch {
		case before[path] != nil: // it came back
		case o.written[i].Committed() && (!o.Force || len(o.written) > 1):
			errs = append(errs, os.Remove(path))
		}
	}
	return errors.Join(errs...)
}

// commitFile gives the i-th file its final name.
func (o *Output) commitFile(i int) error {
	commit := o.written[i].CommitNew
	if o.Force {
		commit = o.written[i].Commit
	}
	err := commit()
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s %w", o.paths[i], ErrExists)
	}
	return err
}
