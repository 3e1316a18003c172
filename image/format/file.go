package format

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"spindle/disc"
	"spindle/internal/packed"
	"spindle/internal/regular"
)

// A File is an opened file of an image. One that is compressed, or a [Container], is looked
// through: its content is what it holds.
type File struct {
	io.ReaderAt // the *os.File itself where nothing is between
	Path        string
	Size        int64  // of the content, in bytes
	Packed      string // how it is compressed, or empty
	Cut         bool   // it ends before its content does, which nothing else may show
	// Damage is why what could be unpacked may be wrong, or nil; see [OpenDamaged].
	Damage error
	closer io.Closer
	remark func(Remark)
	layers []Layer  // that it was looked through, the outermost first
	name   string   // of the content, where containers hold it
	others []string // that it needs besides
}

// Close closes the file.
func (f *File) Close() error { return f.closer.Close() }

// OpenFile opens a file of an image. It must be a regular one. Opening, which reads
// through some compressed files, ends with ctx.
func OpenFile(ctx context.Context, path string) (*File, error) {
	f, err := OpenDamaged(ctx, path)
	if err == nil && f.Damage != nil {
		f.Close()
		return nil, f.Damage
	}
	return f, err
}

// OpenDamaged opens a file as OpenFile does, also one that is compressed, and damaged as is
// found when it is read through. It has what could be unpacked.
func OpenDamaged(ctx context.Context, path string) (*File, error) {
	f, err := OpenStored(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := f.unwrap(ctx); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// OpenStored opens a file as [OpenFile] does, but does not look through containers.
func OpenStored(ctx context.Context, path string) (*File, error) {
	f, err := regular.Open(path)
	if errors.Is(err, regular.ErrNotRegular) {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrUnknown, errors.Unwrap(err))
	}
	if err != nil {
		return nil, err
	}
	r, err := packed.Open(ctx, f)
	switch {
	case err == nil && splitPacked(path):
		r.Close()
		stem := filepath.Base(strings.TrimSuffix(path, firstPart))
		return nil, fmt.Errorf("%s: %w (%s): join its parts first, as in cat %s.* > %s", path, ErrSplitPacked, r.Method(), stem, stem)
	case err == nil:
		file := &File{ReaderAt: r, Path: path, Size: r.Size(), Packed: r.Method(), Cut: r.Cut(), closer: r}
		if st, err := f.Stat(); err == nil {
			file.layers = []Layer{{File: path, Name: r.Method(), Stored: st.Size(), Size: r.Size(), Inner: file.innerName(), Content: r}}
		}
		if d := r.Damage(); d != nil {
			file.Damage = d
		}
		return file, nil
	case !errors.Is(err, packed.ErrNotPacked):
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{ReaderAt: f, Path: path, Size: st.Size(), closer: f}, nil
}

// ErrSplitPacked means that a file was compressed as a whole, and split into parts then: the
// parts alone cannot be unpacked.
var ErrSplitPacked = errors.New("the first part of a file that was compressed before it was split")

// The suffixes of the first two parts of a file; see package image/parts.
const firstPart, secondPart = ".001", ".002"

// splitPacked reports whether a file, which is compressed, is the first of several parts.
func splitPacked(path string) bool {
	stem, ok := strings.CutSuffix(path, firstPart)
	return ok && isFile(stem+secondPart)
}

// OpenPath opens a file as what a format takes it for, whatever its content is.
func OpenPath(ctx context.Context, path string, open func(context.Context, *File) (disc.Image, error)) (disc.Image, error) {
	f, err := OpenDamaged(ctx, path)
	if err != nil {
		return nil, err
	}
	return open(ctx, f)
}

// Padded returns what r holds up to the byte end, and zeros behind it: the last
// sector of a file is rarely full.
func Padded(r io.ReaderAt, end int64) io.ReaderAt { return padded{r, end} }

type padded struct {
	r   io.ReaderAt
	end int64
}

func (p padded) ReadAt(b []byte, at int64) (int, error) {
	inside := int(max(0, min(p.end-at, int64(len(b)))))
	n, err := p.r.ReadAt(b[:inside], at)
	if n < inside {
		return n, err
	}
	clear(b[inside:])
	return len(b), nil
}

// A Probe is a file that is being recognised.
type Probe struct {
	Name string // of the file, without the suffix of its compression
	Head []byte // how the file begins: up to [HeadSize] bytes
	Size int64
	R    io.ReaderAt
	// Damage is why parts of Head cannot be unpacked, which are zeros, or nil.
	Damage error
}

// HeadSize is how much of a file's start a [Probe] holds: up to and with the first
// volume descriptor of an image with whole sectors and sub-channels.
const HeadSize = 17 * 2448

// NewProbe reads the start of a file.
func NewProbe(f *File) (*Probe, error) {
	head := make([]byte, HeadSize)
	p := &Probe{Name: f.innerName(), Head: head, Size: f.Size, R: f}
	n, err := f.ReadAt(head, 0)
	if errors.Is(err, packed.ErrDamaged) {
		var damaged *packed.DamagedError
		if p.Damage = err; !errors.As(err, &damaged) { // which names the file
			p.Damage = fmt.Errorf("%s: %w", f.Path, err)
		}
		n, err = readAround(f, head)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	p.Head = head[:n]
	return p, nil
}

// readAround reads the start of a file of which parts cannot be unpacked. These become zeros; the
// number is up to where something could be.
func readAround(r io.ReaderAt, head []byte) (n int, err error) {
	clear(head)
	const piece = 2048
	for at := 0; at < len(head); at += piece {
		b := head[at:min(len(head), at+piece)]
		k, err := r.ReadAt(b, int64(at))
		switch {
		case errors.Is(err, packed.ErrDamaged):
			clear(b)
		case errors.Is(err, io.EOF):
			return at + k, nil
		case err != nil:
			return 0, err
		default:
			n = at + k
		}
	}
	return n, nil
}

// Tail returns the last n bytes of the file, or nil when it has less.
func (p *Probe) Tail(n int) []byte {
	b := make([]byte, n)
	if p.Size < int64(n) {
		return nil
	}
	if _, err := p.R.ReadAt(b, p.Size-int64(n)); err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return b
}

// FindCompanion returns the path of a file that an image descriptor in dir names.
// Descriptors come from other machines: letter case is forgiven, and of a path
// with folders (also Windows ones) only the file's name counts when the path
// does not lead to a file below dir. A file that was compressed since is found
// too. The result is always below dir.
func FindCompanion(dir, name string) (string, error) {
	name = strings.ReplaceAll(name, `\`, "/")
	if local := filepath.FromSlash(name); filepath.IsLocal(local) {
		if p := filepath.Join(dir, local); isFile(p) {
			return p, nil
		}
	}
	base := name[strings.LastIndexByte(name, '/')+1:]
	if base != "" && filepath.IsLocal(base) {
		if p := filepath.Join(dir, base); isFile(p) {
			return p, nil
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, suffix := range append([]string{""}, containerSuffixes()...) {
		for _, e := range entries {
			if p := filepath.Join(dir, e.Name()); strings.EqualFold(e.Name(), base+suffix) && isFile(p) {
				return p, nil
			}
		}
	}
	local := filepath.FromSlash(name)
	return "", &missingCompanion{name, dir, isFile(local) && filepath.IsAbs(local) || isFile(filepath.Join(dir, local))}
}

// missingCompanion is the [os.ErrNotExist] of a file that a descriptor names.
type missingCompanion struct {
	name, dir string
	outside   bool // it is there, and not below dir
}

func (e *missingCompanion) Error() string {
	if e.outside {
		return fmt.Sprintf("the file %q lies outside of the folder %q, and is not read: it belongs beside the file that names it", e.name, e.dir)
	}
	return fmt.Sprintf("there is no file %q in the folder %q", e.name, e.dir)
}

func (e *missingCompanion) Unwrap() error { return os.ErrNotExist }

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// Stem is a path without the suffix of its compression and its own.
func Stem(path string) string {
	path = packed.Inner(path)
	return strings.TrimSuffix(path, filepath.Ext(path))
}
