package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// evidenceFiles finds what databases said of a disc: in files that were given, or that lie in
// a folder of the disc or beside it, or by asking.
type evidenceFiles struct {
	a       *app
	lookup  bool     // ask for what is in no file
	paths   []string // of the files that were taken
	found   []string // names of files that are there
	answers []answer // that are in no file yet
}

// An answer is what a database said.
type answer struct {
	name    string // of its file
	content []byte
}

// A source is where a part of the evidence comes from.
type source struct {
	question        // ask is nil where nobody can be asked
	given    string // the file that the user named
	most     int64  // bytes
	parse    func(path string, content []byte) error
}

// seek takes evidence from files, in the folders or beside them, and asks for what is in none.
func (e *evidenceFiles) seek(ctx context.Context, dirs []string, sources ...source) error {
	for _, dir := range slices.Clone(dirs) {
		dirs = append(dirs, filepath.Dir(filepath.Clean(dir)))
	}
	var missing []source
	var questions []question
	for _, s := range sources {
		found, err := e.take(s, dirs)
		if err != nil {
			return err
		}
		if !found && e.lookup && s.ask != nil {
			missing, questions = append(missing, s), append(questions, s.question)
		}
	}
	for i, b := range e.a.lookUp(ctx, questions) {
		if b == nil {
			continue
		}
		if err := missing[i].parse(missing[i].file, b); err != nil {
			return err // it was read before
		}
		e.answers = append(e.answers, answer{missing[i].file, b})
	}
	return ctx.Err()
}

// take takes evidence from a file. One that is there but of no use is not replaced by asking.
func (e *evidenceFiles) take(s source, dirs []string) (found bool, err error) {
	read := func(path string) error {
		b, err := readSmall(path, s.most)
		if err != nil {
			return err
		}
		if err := s.parse(path, b); err != nil {
			return err
		}
		e.paths = append(e.paths, path)
		return nil
	}
	if s.given != "" {
		var at *fs.PathError
		if err := read(s.given); errors.As(err, &at) {
			return true, err
		} else if err != nil {
			return true, fmt.Errorf("%s: %w", s.given, err)
		}
		return true, nil
	}
	if slices.Contains(e.found, s.file) {
		return true, nil
	}
	for i, dir := range dirs {
		if slices.Contains(dirs[:i], dir) {
			continue
		}
		path := filepath.Join(dir, s.file)
		err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if !found {
			found, e.found = true, append(e.found, s.file)
		}
		if err == nil {
			break
		}
		e.a.note(fmt.Sprintf("%s is not used: %s.", path, fileWords(err)) + removing(e.lookup))
	}
	return found, nil
}

// removing says, with --lookup, how to get another file.
func removing(lookup bool) string {
	if !lookup {
		return ""
	}
	return " Remove it, and --lookup asks again."
}

// keep keeps the answers in a folder.
func (e *evidenceFiles) keep(dir string) {
	for _, x := range e.answers {
		if path := e.a.keepAnswer(dir, x.name, x.content); path != "" {
			e.paths = append(e.paths, path)
		}
	}
	e.answers = nil
}
