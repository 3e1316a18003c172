package iso

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode/utf16"
)

// Limits of a walk, far above what discs hold; they end malformed directories.
const (
	maxEntries = 4 << 20
	maxDepth   = 256
	maxDirSize = 64 << 20
)

// ErrFileSystem is what errors about malformed directories wrap.
var ErrFileSystem = errors.New("malformed file system")

// An Entry is a file, a directory or a symbolic link.
type Entry struct {
	// Path is the name from the root on, with slashes, in UTF-8.
	Path    string
	Mode    fs.FileMode // type bits always; permissions where Rock Ridge states them
	Size    int64       // bytes
	ModTime time.Time
	Link    string // target of a symbolic link
	// HasMode reports whether permissions are stated.
	HasMode bool

	extents []run
	inline  []byte // the content of a UDF file that stands in its entry
}

// Extent is a run of bytes of a file.
type Extent struct {
	Block int64 // of 2048 bytes, where it begins
	Size  int64 // bytes
}

// Extents returns where the file lies on the disc. A small file of UDF may lie in
// its directory entry, and has none; holes, which are zeros, are left out.
func (e *Entry) Extents() []Extent {
	var all []Extent
	for _, r := range e.extents {
		if r.block >= 0 {
			all = append(all, Extent{r.block, r.size})
		}
	}
	return all
}

// IsDir reports whether the entry is a directory.
func (e *Entry) IsDir() bool { return e.Mode.IsDir() }

// run is a run of bytes of a file. Its block is -1 for a hole.
type run struct{ block, size int64 }

// FileSystem is the file system of a disc. Of several, that one is taken which says
// most: ISO 9660 with Rock Ridge, UDF, ISO 9660 with Joliet, plain ISO 9660. (The
// library kdomanski/iso9660 reads neither Joliet nor files of several extents, and
// panics on malformed directories: TestBeyondTheLibrary measures it.)
type FileSystem struct {
	r      io.ReaderAt
	udf    *udfTree // or:
	root   run
	joliet bool
	rock   bool
	skip   int // bytes before the first SUSP entry of a record
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
	f, err := openISO(r, start)
	if err == nil && f.rock {
		return f, nil
	}
	if u := openUDF(r, blocks); u != nil && start == 0 {
		return &FileSystem{r: r, udf: u}, nil
	}
	return f, err
}

// Root returns the block of the root directory, or 0 for UDF.
func (f *FileSystem) Root() int64 { return f.root.block }

// openISO opens an ISO 9660 file system.
func openISO(r io.ReaderAt, start int64) (*FileSystem, error) {
	f := &FileSystem{r: r}
	var joliet *run
	found := false
	for n := start + FirstDescriptor; n < start+FirstDescriptor+maxDescriptors; n++ {
		b, err := readBlock(r, n)
		if err != nil || string(b[1:6]) != "CD001" || b[0] == 255 {
			break
		}
		root := run{int64(binary.LittleEndian.Uint32(b[158:])), int64(binary.LittleEndian.Uint32(b[166:]))}
		switch esc := string(b[88:91]); {
		case b[0] == 1 && !found:
			f.root, found = root, true
		case b[0] == 2 && joliet == nil && (esc == "%/@" || esc == "%/C" || esc == "%/E"):
			joliet = &root
		}
	}
	if !found {
		return nil, ErrNoVolume
	}
	f.findRockRidge()
	if !f.rock && joliet != nil {
		f.root, f.joliet = *joliet, true
	}
	return f, nil
}

// findRockRidge looks at the root's own record for the SP entry of SUSP.
func (f *FileSystem) findRockRidge() {
	b, err := readBlock(f.r, f.root.block)
	if err != nil {
		return
	}
	rec, ok := parseRecord(b)
	if !ok {
		return
	}
	for e := range suspEntries(rec.use) {
		if e.is("SP") && len(e.data) >= 3 && e.data[0] == 0xBE && e.data[1] == 0xEF {
			f.rock, f.skip = true, int(e.data[2])
		}
	}
}

// record is a directory record (ECMA-119 9.1).
type record struct {
	block, size int64
	flags       byte
	name        []byte
	time        time.Time
	use         []byte // system use
	length      int
}

// Flags of a record.
const (
	flagDirectory   = 0x02
	flagMultiExtent = 0x80
)

func parseRecord(b []byte) (record, bool) {
	if len(b) < 34 || int(b[0]) < 34 || int(b[0]) > len(b) {
		return record{}, false
	}
	length, nameLen := int(b[0]), int(b[32])
	if 33+nameLen > length {
		return record{}, false
	}
	use := min(33+nameLen+(nameLen+1)%2, length)
	return record{
		block: int64(binary.LittleEndian.Uint32(b[2:])) + int64(b[1]), size: int64(binary.LittleEndian.Uint32(b[10:])),
		flags: b[25], name: b[33 : 33+nameLen], time: recordTime(b[18:25]), use: b[use:length], length: length,
	}, true
}

// recordTime reads a date and time of seven bytes (ECMA-119 9.1.5).
func recordTime(b []byte) time.Time {
	zone := time.FixedZone("", int(int8(b[6]))*15*60)
	return time.Date(1900+int(b[0]), time.Month(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), 0, zone)
}

// Walk calls do for each entry below the root, directories before what is in
// them. An error of do ends it. Malformed directories give an error that wraps
// [ErrFileSystem].
func (f *FileSystem) Walk(do func(*Entry) error) error {
	if f.udf != nil {
		return f.udf.walk(do)
	}
	w := walker{f: f, do: do, seen: make(map[int64]bool)}
	return w.dir(f.root, "", 0)
}

type walker struct {
	f     *FileSystem
	do    func(*Entry) error
	seen  map[int64]bool // blocks of directories on the way: no cycles
	count int
}

func (w *walker) dir(d run, at string, depth int) error {
	if w.seen[d.block] {
		return fmt.Errorf("%w: directory %q leads back to itself", ErrFileSystem, at)
	}
	if depth > maxDepth || d.size > maxDirSize {
		return fmt.Errorf("%w: directory %q is too deep or too large", ErrFileSystem, at)
	}
	w.seen[d.block] = true
	defer delete(w.seen, d.block)
	var pending *Entry // a file of several extents, not complete
	for n := range (d.size + BlockSize - 1) / BlockSize {
		b, err := readBlock(w.f.r, d.block+n)
		if err != nil {
			return fmt.Errorf("%w: directory %q: %w", ErrFileSystem, at, err)
		}
		for len(b) > 0 && b[0] != 0 {
			rec, ok := parseRecord(b)
			if !ok {
				return fmt.Errorf("%w: directory %q has a bad record in block %d", ErrFileSystem, at, d.block+n)
			}
			b = b[rec.length:]
			if len(rec.name) == 1 && rec.name[0] <= 1 {
				continue // itself, or its parent
			}
			if w.count++; w.count > maxEntries {
				return fmt.Errorf("%w: more than %d entries", ErrFileSystem, maxEntries)
			}
			e, child, hidden := w.f.entry(&rec, at)
			if hidden {
				continue
			}
			if pending != nil {
				pending.Size += e.Size
				pending.extents = append(pending.extents, e.extents...)
				e = pending
			}
			pending = nil
			if rec.flags&flagMultiExtent != 0 {
				pending = e
				continue
			}
			if err := w.do(e); err != nil {
				return err
			}
			if e.IsDir() {
				if err := w.dir(child, e.Path, depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// entry makes the entry of a record in the directory at. hidden is set for the
// place where Rock Ridge keeps directories that were moved.
func (f *FileSystem) entry(rec *record, at string) (e *Entry, child run, hidden bool) {
	e = &Entry{Size: rec.size, ModTime: rec.time}
	child = run{rec.block, rec.size}
	if rec.flags&flagDirectory != 0 {
		e.Mode = fs.ModeDir
		e.Size = 0
	} else {
		e.extents = []run{child}
	}
	name := f.name(rec)
	if f.rock {
		r := f.rockRidge(rec)
		if r.relocated {
			return nil, child, true
		}
		if r.name != "" {
			name = r.name
		}
		r.apply(e)
		if r.childAt > 0 { // a directory that was moved
			if b, err := readBlock(f.r, r.childAt); err == nil {
				if self, ok := parseRecord(b); ok {
					e.Mode = e.Mode&^fs.ModeType | fs.ModeDir
					e.Size, e.extents = 0, nil
					child = run{r.childAt, self.size}
				}
			}
		}
	}
	e.Path = path.Join(at, cleanName(name))
	return e, child, false
}

// cleanName makes sure that a name is one element of a path: what could lead
// elsewhere becomes an underscore.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' || r == 0x7F {
			return '_'
		}
		return r
	}, s)
	if s == "" || s == "." || s == ".." {
		return "_" + s
	}
	return s
}

// name is the name of a record without its version number.
func (f *FileSystem) name(rec *record) string {
	var s string
	if f.joliet {
		var u []uint16
		for b := rec.name; len(b) >= 2; b = b[2:] {
			u = append(u, binary.BigEndian.Uint16(b))
		}
		s = string(utf16.Decode(u))
	} else {
		var out []rune
		for _, c := range rec.name {
			out = append(out, rune(c))
		}
		s = string(out)
	}
	if i := strings.LastIndexByte(s, ';'); i > 0 && rec.flags&flagDirectory == 0 {
		s = s[:i]
	}
	if !f.joliet {
		s = strings.TrimSuffix(s, ".")
	}
	return s
}

// Open returns the content of a file.
func (f *FileSystem) Open(e *Entry) io.Reader { return openRuns(f.r, e) }

// Inline returns the content of a file that has no place of its own on the disc,
// and false for others.
func (e *Entry) Inline() ([]byte, bool) { return e.inline, e.inline != nil }

func openRuns(r io.ReaderAt, e *Entry) io.Reader {
	if e.inline != nil {
		return bytes.NewReader(e.inline)
	}
	var parts []io.Reader
	for _, x := range e.extents {
		if x.block < 0 {
			parts = append(parts, io.LimitReader(zeros{}, x.size))
			continue
		}
		parts = append(parts, io.NewSectionReader(r, x.block*BlockSize, x.size))
	}
	return io.MultiReader(parts...)
}

// zeros is a hole.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
