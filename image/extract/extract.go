// Package extract copies files out of a file system that is not to be trusted, such as
// that of a disc image, into a folder.
//
// Nothing is written outside of the folder, through no link that is there already, and
// no link is left in it that leads out. All file names go through an [os.Root]. Symbolic
// links are made when everything else is written, and only if their target is relative,
// goes up at its beginning only, and stays below the folder; then each is resolved once
// more, as the system does it, and removed again where that leads out.
package extract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"spindle/internal/atomicfile"
)

// Options say what to extract. The zero value extracts everything.
type Options struct {
	// Paths are the files and directories to extract, in the form of [fs.ValidPath];
	// none means all.
	Paths []string
	// Replace replaces existing files and links.
	Replace bool
	// Sources are files that are never replaced: those that are read. One that stands in
	// the way is an error that wraps [ErrSource].
	Sources []string
	// MaxBytes bounds what is written; a small image can claim any amount. 0 is no
	// bound.
	MaxBytes int64
	// Observer may be nil.
	Observer Observer
}

// Observer follows the work.
type Observer interface {
	// Progress is called as content is written, with all bytes so far.
	Progress(path string, bytes int64)
	// Skipped is called for each entry that is left out.
	Skipped(Skipped)
}

// Result is what was done.
type Result struct {
	Files       int // regular files
	Directories int
	Links       int
	Bytes       int64 // in regular files
	Skipped     []Skipped
}

// Skipped is an entry that was left out.
type Skipped struct {
	Path   string
	Reason Reason
	Target string // of a link
	Err    error  // where there is one
}

// Reason is why an entry was left out.
type Reason int

// The reasons.
const (
	_              Reason = iota
	Unreadable            // its content could not be read
	Incomplete            // a damaged directory: what could be read of it was extracted
	LinkOutside           // a link leads out of the folder, or could be made to
	LinkUnresolved        // the system does not resolve a link
	LinkRefused           // the system makes no such links
	Special               // a device, a pipe or a socket
	NameRefused           // the system has no such names
	NameTaken             // a file where a directory is, or two names that are one to the system
)

var reasons = [...]string{
	Unreadable: "unreadable", Incomplete: "incomplete", LinkOutside: "link-outside", LinkUnresolved: "link-unresolved", LinkRefused: "link-refused",
	Special: "special", NameRefused: "name-refused", NameTaken: "name-taken",
}

// String returns the reason as a stable code.
func (r Reason) String() string {
	if r > 0 && int(r) < len(reasons) {
		return reasons[r]
	}
	return fmt.Sprintf("reason %d", int(r))
}

// The errors that end an extraction. What was extracted before stays.
var (
	ErrNotFound = errors.New("extract: no such file")
	ErrExists   = errors.New("already exists")
	ErrSource   = atomicfile.ErrSource
	ErrTooMuch  = errors.New("extract: more bytes than the limit")
)

// Run extracts files of fsys to the folder dir, which is made if need be. A file that
// cannot be read whole is removed again and listed in the result. The error wraps
// [ErrNotFound] (nothing was extracted), [ErrExists], [ErrTooMuch], an error of the
// system where it writes, or that of ctx; the result then says what was done before.
func Run(ctx context.Context, dir string, fsys fs.FS, o Options) (*Result, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = math.MaxInt64
	}
	if o.Observer == nil {
		o.Observer = silent{}
	}
	x := &extraction{ctx: ctx, fsys: fsys, dir: dir, o: o, made: make(map[string]bool)}
	paths, err := x.wanted()
	if err != nil {
		return &x.res, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return &x.res, err
	}
	if x.root, err = os.OpenRoot(dir); err != nil {
		return &x.res, err
	}
	defer x.root.Close()
	x.temp = atomicfile.In(x.root)
	return &x.res, x.placed(x.run(paths))
}

// placed gives an error about a file below the folder, which an [os.Root] names as from there,
// the path that the caller knows.
func (x *extraction) placed(err error) error {
	if p, ok := err.(*fs.PathError); ok { //nolint:errorlint // one that wraps it has said where
		return &fs.PathError{Op: p.Op, Path: filepath.Join(x.dir, p.Path), Err: p.Err}
	}
	return err
}

type silent struct{}

func (silent) Progress(string, int64) {}
func (silent) Skipped(Skipped)        {}

// extraction is one run.
type extraction struct {
	ctx   context.Context
	fsys  fs.FS
	dir   string
	o     Options
	root  *os.Root
	temp  *atomicfile.Folder
	res   Result
	made  map[string]bool // what this run made, in lower case
	links []link
	metas []meta
}

// meta is what to set when everything is written, for writing changes it.
type meta struct {
	local   string
	mode    fs.FileMode
	modTime time.Time
}

// wanted returns the paths to walk, none below another.
func (x *extraction) wanted() ([]string, error) {
	if len(x.o.Paths) == 0 {
		return []string{"."}, nil
	}
	paths := slices.Clone(x.o.Paths)
	slices.Sort(paths)
	var all []string
	for _, p := range paths {
		if _, err := fs.Lstat(x.fsys, p); err != nil {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
				return nil, fmt.Errorf("%w: %q", ErrNotFound, p)
			}
			return nil, err
		}
		if !slices.ContainsFunc(all, func(a string) bool { return a == "." || p == a || strings.HasPrefix(p, a+"/") }) {
			all = append(all, p)
		}
	}
	return all, nil
}

func (x *extraction) run(paths []string) error {
	for _, p := range paths {
		if err := fs.WalkDir(x.fsys, p, x.visit); err != nil {
			return err
		}
	}
	if err := x.makeLinks(); err != nil {
		return err
	}
	x.setMetas()
	return nil
}

// visit is a [fs.WalkDirFunc].
func (x *extraction) visit(name string, d fs.DirEntry, err error) error {
	if cerr := x.ctx.Err(); cerr != nil {
		return cerr
	}
	if err != nil { // of a directory: what could be read of it follows
		x.skip(Skipped{Path: name, Reason: Incomplete, Err: err})
		return nil
	}
	local, err := filepath.Localize(name)
	if err != nil {
		return x.leave(Skipped{Path: name, Reason: NameRefused}, d)
	}
	info, err := d.Info()
	if err != nil {
		return x.leave(Skipped{Path: name, Reason: Unreadable, Err: err}, d)
	}
	if err := x.parents(local); err != nil {
		if reason, ok := refusal(err); ok {
			return x.leave(Skipped{Path: name, Reason: reason, Err: err}, d)
		}
		return err
	}
	switch info.Mode().Type() {
	case fs.ModeDir:
		return x.directory(name, local, info)
	case fs.ModeSymlink:
		return x.link(name, local)
	case 0:
		return x.file(name, local, info)
	}
	return x.leave(Skipped{Path: name, Reason: Special}, d)
}

func (x *extraction) skip(s Skipped) {
	x.res.Skipped = append(x.res.Skipped, s)
	x.o.Observer.Skipped(s)
}

// leave leaves out an entry, and all that is in it.
func (x *extraction) leave(s Skipped, d fs.DirEntry) error {
	x.skip(s)
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// refusal recognises the errors of a system that does not take a name.
func refusal(err error) (Reason, bool) {
	switch {
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EILSEQ):
		return NameRefused, true
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return NameTaken, true
	}
	return 0, false
}

// parents makes the directories that a path asked for lies in.
func (x *extraction) parents(local string) error {
	dir := filepath.Dir(local)
	if dir == "." || x.made[strings.ToLower(dir)] {
		return nil
	}
	if err := x.root.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	x.made[strings.ToLower(dir)] = true
	return nil
}

func (x *extraction) directory(name, local string, info fs.FileInfo) error {
	if local == "." {
		return nil
	}
	if err := x.root.Mkdir(local, 0o777); err != nil {
		st, serr := x.root.Stat(local)
		if reason, ok := refusal(err); ok || serr == nil && !st.IsDir() && x.made[strings.ToLower(local)] {
			if !ok {
				reason = NameTaken
			}
			x.skip(Skipped{Path: name, Reason: reason, Err: err})
			return fs.SkipDir
		}
		if errors.Is(err, fs.ErrExist) && serr == nil && !st.IsDir() {
			return x.exists(local)
		}
		if !errors.Is(err, fs.ErrExist) || serr != nil {
			return errors.Join(err, serr)
		}
	}
	x.made[strings.ToLower(local)] = true
	x.res.Directories++
	x.metas = append(x.metas, meta{local, info.Mode().Perm() | 0o700, info.ModTime()})
	return nil
}

func (x *extraction) exists(local string) error {
	return fmt.Errorf("%s %w", filepath.Join(x.dir, local), ErrExists)
}

// taken decides what it means that a file exists where another is to be written.
func (x *extraction) taken(s Skipped, local string) error {
	if x.o.Replace || x.made[strings.ToLower(local)] {
		s.Reason = NameTaken
		x.skip(s)
		return nil
	}
	return x.exists(local)
}

// setMetas sets permissions and times, of what is in a folder before those of the
// folder. File systems without either have none to lose.
func (x *extraction) setMetas() {
	for _, m := range slices.Backward(x.metas) {
		_ = x.root.Chmod(m.local, m.mode|0o200) // a disc's files are read-only, copies need not be
		if !m.modTime.IsZero() {
			_ = x.root.Chtimes(m.local, m.modTime, m.modTime)
		}
	}
}

// Size returns how many bytes the files have that [Run] would extract.
func Size(ctx context.Context, fsys fs.FS, o Options) (int64, error) {
	x := &extraction{fsys: fsys, o: o}
	paths, err := x.wanted()
	var total int64
	for _, p := range paths {
		if err == nil {
			err = fs.WalkDir(fsys, p, func(_ string, d fs.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return ctx.Err()
				}
				if info, err := d.Info(); err == nil {
					total += info.Size()
				}
				return ctx.Err()
			})
		}
	}
	return total, err
}

// within reports whether a link at name, with slashes, stays below the root whatever the
// names in its target are: it goes up at its beginning only, and not too far.
func within(name, target string) bool {
	if target == "" || path.IsAbs(target) || strings.ContainsAny(target, "\\\x00") || !filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(name), target))) {
		return false
	}
	down := false
	for elem := range strings.SplitSeq(target, "/") {
		switch elem {
		case "", ".":
		case "..":
			if down {
				return false
			}
		default:
			down = true
		}
	}
	return true
}
