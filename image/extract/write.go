package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"spindle/internal/atomicfile"
)

// file writes a regular file.
func (x *extraction) file(name, local string, info fs.FileInfo) error {
	src, err := x.fsys.Open(name)
	if err != nil {
		x.skip(Skipped{Path: name, Reason: Unreadable, Err: err})
		return nil
	}
	defer src.Close()
	st, err := x.root.Lstat(local)
	if err == nil && (st.IsDir() || !x.o.Replace || x.made[strings.ToLower(local)]) {
		return x.taken(Skipped{Path: name}, local)
	}
	if reason, ok := refusal(err); ok {
		x.skip(Skipped{Path: name, Reason: reason, Err: err})
		return nil
	}
	if err := atomicfile.KeepSources([]string{filepath.Join(x.dir, local)}, x.o.Sources); x.o.Replace && err != nil {
		return err
	}
	w, temp, err := x.temp.Create(local)
	if err != nil {
		return x.temp.Error(err, local)
	}
	r := &reader{x: x, name: name, r: src}
	n, err := io.Copy(w, r)
	if err = errors.Join(err, w.Close()); err == nil && n < info.Size() {
		r.err = fmt.Errorf("%d of %d bytes: %w", n, info.Size(), io.ErrUnexpectedEOF)
	}
	if err == nil && r.err == nil {
		err = x.temp.Commit(temp, local, x.o.Replace)
	}
	if err != nil || r.err != nil {
		return x.failed(Skipped{Path: name, Err: r.err}, temp, local, err)
	}
	x.made[strings.ToLower(local)] = true
	x.res.Files++
	x.res.Bytes += n
	x.metas = append(x.metas, meta{local, info.Mode().Perm(), info.ModTime()})
	return nil
}

// failed removes half a file. An error of reading leaves the file out, and so does a name that
// the system refuses; one of writing ends the extraction.
func (x *extraction) failed(s Skipped, temp, local string, err error) error {
	if rerr := x.root.Remove(temp); rerr != nil {
		return fmt.Errorf("%s is incomplete and could not be removed: %w", filepath.Join(x.dir, temp), errors.Join(err, rerr))
	}
	reason, refused := refusal(err)
	switch {
	case x.ctx.Err() != nil:
		return x.ctx.Err()
	case errors.Is(s.Err, ErrTooMuch):
		return s.Err
	case s.Err != nil:
		s.Reason = Unreadable
	case refused:
		s.Reason, s.Err = reason, err
	case errors.Is(err, fs.ErrExist): // it came while this was written
		return x.taken(s, local)
	default:
		return fmt.Errorf("%s: %w", s.Path, x.temp.Error(err, filepath.Join(x.dir, local))) // the disk is full, perhaps
	}
	x.skip(s)
	return nil
}

// reader tells the errors of reading from those of writing, and ends with the context or
// at the limit.
type reader struct {
	x    *extraction
	name string
	r    io.Reader
	n    int64
	err  error
}

func (r *reader) Read(p []byte) (int, error) {
	if err := context.Cause(r.x.ctx); err != nil {
		r.err = err
		return 0, err
	}
	n, err := r.r.Read(p)
	r.n += int64(n)
	if r.n > r.x.o.MaxBytes-r.x.res.Bytes {
		err = fmt.Errorf("%w of %d", ErrTooMuch, r.x.o.MaxBytes)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	r.x.o.Observer.Progress(r.name, r.x.res.Bytes+r.n)
	return n, err
}

// link is a symbolic link to be made when all else is there.
type link struct {
	name, local, target string
}

func (x *extraction) link(name, local string) error {
	target, err := fs.ReadLink(x.fsys, name)
	if err != nil {
		x.skip(Skipped{Path: name, Reason: Unreadable, Err: err})
		return nil
	}
	if !within(name, target) {
		x.skip(Skipped{Path: name, Reason: LinkOutside, Target: target})
		return nil
	}
	x.links = append(x.links, link{name, local, target})
	return nil
}

// makeLinks makes the links, then takes away those that the system resolves to somewhere
// else: only now do all stand that a link may lead through.
func (x *extraction) makeLinks() error {
	var made []link
	var err error
	for _, l := range x.links {
		var ok bool
		if err = x.ctx.Err(); err == nil {
			ok, err = x.makeLink(l)
		}
		if err != nil {
			break
		}
		if ok {
			made = append(made, l)
		}
	}
	for _, l := range made {
		err = errors.Join(err, x.resolve(l))
	}
	return err
}

// resolve removes a link again that does not lead to somewhere in the folder. It may lead
// to nothing there.
func (x *extraction) resolve(l link) error {
	_, err := x.root.Stat(l.local)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		x.res.Links++
		return nil
	}
	if rerr := x.root.Remove(l.local); rerr != nil {
		return fmt.Errorf("the link %s leads to %q and could not be removed: %w", filepath.Join(x.dir, l.local), l.target, rerr)
	}
	reason := LinkOutside
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) {
		reason = LinkUnresolved
	}
	x.skip(Skipped{Path: l.name, Reason: reason, Target: l.target, Err: err})
	return nil
}

// makeLink makes a link, if the directories that it is in are real ones: from others, its
// target would count differently.
func (x *extraction) makeLink(l link) (bool, error) {
	skipped := Skipped{Path: l.name, Target: l.target}
	for dir := path.Dir(l.name); dir != "."; dir = path.Dir(dir) {
		st, err := x.root.Lstat(filepath.FromSlash(dir))
		if err != nil || !st.IsDir() {
			skipped.Reason, skipped.Err = LinkOutside, err
			x.skip(skipped)
			return false, nil
		}
	}
	if st, err := x.root.Lstat(l.local); err == nil {
		if !x.o.Replace || st.IsDir() || x.made[strings.ToLower(l.local)] {
			return false, x.taken(skipped, l.local)
		}
		if err := x.root.Remove(l.local); err != nil {
			return false, err
		}
	}
	if err := x.root.Symlink(filepath.FromSlash(l.target), l.local); err != nil {
		reason, ok := refusal(err)
		if !ok {
			reason = LinkRefused
		}
		skipped.Reason, skipped.Err = reason, err
		x.skip(skipped)
		return false, nil
	}
	x.made[strings.ToLower(l.local)] = true
	return true, nil
}
