package iso

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sort"
	"strings"
	"sync"
)

// Limits on what is read of a file system, far above what discs hold: they end
// malformed ones.
const (
	maxEntries = 4 << 20  // in all directories
	maxDepth   = 256      // of directories
	maxDirSize = 64 << 20 // bytes of records in a directory
	maxLinks   = 40       // symbolic links in a path
	maxFaults  = 16       // unreadable blocks or bad records in a directory
)

// cached is how many entries are kept in memory, beside the directories on the way to
// the last one asked for.
const cached = 1 << 16

// ErrFileSystem is what errors about malformed directories wrap.
var ErrFileSystem = errors.New("malformed file system")

// FileSystem is the file system of a disc, as [fs.FS]. Of several, that one is taken
// that says most: ISO 9660 with Rock Ridge, UDF, ISO 9660 with Joliet, plain ISO 9660, HFS.
//
// Open, Stat and ReadDir follow symbolic links, but none that leads out of the file
// system. Sys of a FileInfo is a *[Entry].
//
// Names are brought into the form of [fs.ValidPath]. In a name, slash, backslash and the
// control characters of ASCII become "_"; a name that is empty, "." or ".." gets "_"
// before it; one that is not UTF-8 is taken for ISO 8859-1. Of several entries of one
// name in a directory, the first keeps it and the others are numbered: "a (2).txt". (A
// version number such as ";1" is no part of a name, so this shows older versions too.)
// Names that differ only in case are distinct.
//
// A damaged directory gives what can be read of it together with an error, and an entry
// of which only the name can be read fails when it is opened. Such errors, and those
// about structures that no sound disc has, wrap [ErrFileSystem].
//
// A FileSystem may be used by several goroutines at once.
type FileSystem struct {
	r    io.ReaderAt
	tree tree
	root *Entry

	mu    sync.Mutex
	dirs  map[ref]*directory // cache
	total int                // entries in dirs
	seen  int                // entries of all directories ever read
	owner map[ref]owner
	round uint64 // of lookups
}

// tree is one of the structures that hold files.
type tree interface {
	// list reads a directory. It returns the entries that it could read together with
	// an error. Their names are clean, not yet distinct.
	list(dir ref) ([]*Entry, error)
}

// directory is a directory that was read.
type directory struct {
	entries []*Entry // sorted by name
	err     error
	round   uint64 // when it was last used
}

// owner is the entry that a directory belongs to. A directory that is reached by two
// entries is malformed: walks over such a disc need not end.
type owner struct {
	parent ref
	entry  int
	read   bool
}

// A Kind is a kind of file system.
type Kind int

// The kinds.
const (
	Best Kind = iota // the one that says most
	ISO9660
	UDF
	HFS // or HFS Plus
)

// A Choice says which file system of several to open, and how.
type Choice struct {
	Kind Kind
	// ResourceForks shows the resource forks of HFS, and what the Finder keeps of files, as files of
	// AppleDouble: "._name" beside "name".
	ResourceForks bool
}

// OpenFiles opens the file system in r, whose byte 0 is that of block 0. It
// returns [ErrNoVolume] where there is none. blocks is how many blocks there are,
// or 0 when that is not known; it only helps to find UDF.
func OpenFiles(r io.ReaderAt, blocks int64) (*FileSystem, error) {
	return OpenSession(r, 0, blocks)
}

// OpenSession opens the file system of a session that starts at a block: all its
// addresses count from the start of the disc, which is byte 0 of r.
func OpenSession(r io.ReaderAt, start, blocks int64) (*FileSystem, error) {
	return Choice{}.Open(r, start, blocks)
}

// Open opens a file system as [OpenSession] does.
func (c Choice) Open(r io.ReaderAt, start, blocks int64) (*FileSystem, error) {
	t, err := openISO(r, start)
	if err == nil && c.wants(ISO9660) && (t.rock || c.Kind == ISO9660) {
		return newFileSystem(r, t, t.rootEntry()), nil
	}
	if start == 0 && c.wants(UDF) {
		if u := openUDF(r, blocks); u != nil {
			return newFileSystem(r, u, u.rootEntry()), nil
		}
	}
	if err == nil && c.wants(ISO9660) {
		return newFileSystem(r, t, t.rootEntry()), nil
	}
	if start == 0 && c.wants(HFS) {
		return c.openHFS(r)
	}
	return nil, ErrNoVolume
}

func (c Choice) wants(k Kind) bool { return c.Kind == Best || c.Kind == k }

func newFileSystem(r io.ReaderAt, t tree, root *Entry) *FileSystem {
	f := &FileSystem{r: r, tree: t, root: root, dirs: make(map[ref]*directory), owner: make(map[ref]owner)}
	root.Name = "."
	f.owner[key(root.dir)] = owner{entry: -1}
	return f
}

// key is what two references to one directory have in common.
func key(r ref) ref { return ref{block: r.block, part: r.part} }

// Kind returns which kind of file system it is.
func (f *FileSystem) Kind() Kind {
	switch f.tree.(type) {
	case *udfTree:
		return UDF
	case *hfsTree:
		return HFS
	}
	return ISO9660
}

// Root returns the block of the root directory, or 0 for UDF and HFS.
func (f *FileSystem) Root() int64 {
	if _, ok := f.tree.(*isoTree); ok {
		return f.root.dir.block
	}
	return 0
}

// read returns the entries of a directory.
func (f *FileSystem) read(e *Entry) (*directory, error) {
	if e.err != nil {
		return nil, e.err
	}
	if !e.IsDir() {
		return nil, errNotDir
	}
	k := key(e.dir)
	if d := f.dirs[k]; d != nil {
		d.round = f.round
		return d, nil
	}
	entries, err := f.tree.list(e.dir)
	if own := f.owner[k]; !own.read {
		if f.seen+len(entries) > maxEntries {
			return nil, fmt.Errorf("%w: more than %d entries", ErrFileSystem, maxEntries)
		}
		own.read = true
		f.seen += len(entries)
		f.owner[k] = own
	}
	f.claim(k, entries)
	distinguish(entries)
	d := &directory{entries, err, f.round}
	f.keep(k, d)
	return d, nil
}

// claim marks the directories among the entries of a directory that belong to others.
func (f *FileSystem) claim(parent ref, entries []*Entry) {
	for i, e := range entries {
		if !e.IsDir() || e.err != nil {
			continue
		}
		k, me := key(e.dir), owner{parent: parent, entry: i}
		own, ok := f.owner[k]
		switch {
		case !ok:
			f.owner[k] = me
		case own.parent != me.parent || own.entry != me.entry:
			e.err = fmt.Errorf("%w: directory %q is also another one, or leads back to itself", ErrFileSystem, e.Name)
		}
	}
}

// keep caches a directory. Those that are not on the way to it go when there are too
// many.
func (f *FileSystem) keep(k ref, d *directory) {
	f.dirs[k] = d
	if f.total += len(d.entries); f.total <= cached {
		return
	}
	for k, d := range f.dirs {
		if d.round != f.round {
			f.total -= len(d.entries)
			delete(f.dirs, k)
		}
	}
}

// find returns the entry of a name, or the error of its directory.
func (d *directory) find(name string) (*Entry, error) {
	i := sort.Search(len(d.entries), func(i int) bool { return d.entries[i].Name >= name })
	if i < len(d.entries) && d.entries[i].Name == name {
		return d.entries[i], nil
	}
	if d.err != nil {
		return nil, d.err
	}
	return nil, fs.ErrNotExist
}

var (
	errNotDir   = fmt.Errorf("not a directory: %w", fs.ErrInvalid)
	errOutside  = fmt.Errorf("the link leads out of the file system: %w", fs.ErrNotExist)
	errTooDeep  = fmt.Errorf("%w: too deep", ErrFileSystem)
	errManyLink = fmt.Errorf("%w: too many links", ErrFileSystem)
)

// lookup finds the entry at a path. Symbolic links on the way are followed, and one at
// its end with follow.
func (f *FileSystem) lookup(name string, follow bool) (*Entry, error) {
	way := []*Entry{f.root}
	rest := strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		elem := rest[0]
		rest = rest[1:]
		switch elem {
		case "", ".":
			continue
		case "..":
			if way = way[:len(way)-1]; len(way) == 0 {
				return nil, errOutside
			}
			continue
		}
		d, err := f.read(way[len(way)-1])
		if err != nil {
			return nil, err
		}
		e, err := d.find(elem)
		if err != nil {
			return nil, err
		}
		if e.Mode&fs.ModeSymlink == 0 || len(rest) == 0 && !follow {
			if way = append(way, e); len(way) > maxDepth {
				return nil, errTooDeep
			}
			continue
		}
		if links++; links > maxLinks {
			return nil, errManyLink
		}
		if path.IsAbs(e.Link) {
			return nil, errOutside
		}
		rest = append(strings.Split(e.Link, "/"), rest...)
	}
	return way[len(way)-1], nil
}

// stat finds an entry, and for a directory what is in it.
func (f *FileSystem) stat(op, name string, follow, list bool) (i info, d *directory, err error) {
	if !fs.ValidPath(name) {
		return i, nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.round++
	e, err := f.lookup(name, follow)
	if err == nil {
		err = e.err
	}
	if err == nil && list {
		d, err = f.read(e)
	}
	if err != nil {
		return i, nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return info{path.Base(name), e}, d, nil
}

// Stat implements [fs.StatFS].
func (f *FileSystem) Stat(name string) (fs.FileInfo, error) {
	i, _, err := f.stat("stat", name, true, false)
	if err != nil {
		return nil, err
	}
	return i, nil
}

// Lstat implements [fs.ReadLinkFS].
func (f *FileSystem) Lstat(name string) (fs.FileInfo, error) {
	i, _, err := f.stat("lstat", name, false, false)
	if err != nil {
		return nil, err
	}
	return i, nil
}

// ReadLink implements [fs.ReadLinkFS].
func (f *FileSystem) ReadLink(name string) (string, error) {
	i, _, err := f.stat("readlink", name, false, false)
	if err == nil && i.e.Mode&fs.ModeSymlink == 0 {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	return i.e.Link, nil
}

// ReadDir implements [fs.ReadDirFS]. Of a damaged directory it returns what can be read,
// and an error.
func (f *FileSystem) ReadDir(name string) ([]fs.DirEntry, error) {
	_, d, err := f.stat("readdir", name, true, true)
	if err != nil {
		return nil, err
	}
	return d.list(name)
}

// list returns the entries as [fs.ReadDir] does.
func (d *directory) list(name string) ([]fs.DirEntry, error) {
	list := make([]fs.DirEntry, len(d.entries))
	for i, e := range d.entries {
		list[i] = info{e.Name, e}
	}
	if d.err != nil {
		return list, &fs.PathError{Op: "readdir", Path: name, Err: d.err}
	}
	return list, nil
}

// Open implements [fs.FS]. Regular files implement [io.ReaderAt] and [io.Seeker].
// Devices, pipes and sockets open as empty files.
func (f *FileSystem) Open(name string) (fs.File, error) {
	i, _, err := f.stat("open", name, true, false)
	if err != nil {
		return nil, err
	}
	if !i.IsDir() {
		file, err := f.openFile(i)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return file, nil
	}
	_, d, err := f.stat("open", name, true, true)
	if err != nil {
		return nil, err
	}
	list, err := d.list(name)
	return &openDir{i, list, err}, nil
}
