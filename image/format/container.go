package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"spindle/internal/packed"
)

// A Container is a kind of file that holds one run of bytes: compressed, in blocks, or as the
// disk of a virtual machine. It registers itself with [RegisterContainer], and [OpenFile]
// looks through it as through compression: what is inside may be an image of any format, or
// a file of one.
type Container struct {
	Name string // as in "a CSO file"
	// Suffixes are those of its files, in lower case with the dot.
	Suffixes []string
	// Inner is the suffix of what is inside, which stands for the file's own. Where it is empty,
	// the file's is appended to one, as that of compression.
	Inner string
	// Exact says that the content is to the byte the file of which this was made.
	Exact bool
	// Match looks whether a file is one.
	Match func(*Probe) bool
	// Open opens one. The file is closed by others.
	Open func(context.Context, *File) (*Content, error)
}

// A Content is what a container holds.
type Content struct {
	io.ReaderAt       // for any number of goroutines
	Size        int64 // in bytes
	Stored      int64 // of all its files, where that is not the size of the first
	Cut         bool  // the file ends before its content does
	Damage      error // why what is there of a content that is cut may be wrong, or nil
	Codec       string
	Parts       []string    // names of the partitions of a disk
	Files       []string    // that are needed besides, as a parent is
	Split       bool        // these are its parts, and no parents
	Closers     []io.Closer // of these
	// Sums names what sums of its own the container has of its content, as "EDC"; Check
	// compares the content with them. The error wraps [packed.ErrDamaged] when it differs.
	Sums  string
	Check func(ctx context.Context, progress func(done, total int64)) error
	Blind bool // reading notices no damage: only Check does
}

// A Layer is a container or compression that a file was looked through.
type Layer struct {
	File   string // its path
	Name   string // of the container, or of the compression
	Codec  string // how the content is stored, where there are several ways
	Stored int64  // size of the file in bytes
	Size   int64  // of the content
	Parts  []string
	Inner  string // the name that the content has as a file
	// Content is what that file held, to the byte, and closed with the image. It is nil where that is not certain.
	Content io.ReaderAt
	Files   []string
	Split   bool
	Sums    string
	Check   func(ctx context.Context, progress func(done, total int64)) error
	Blind   bool // as of [Content]
	// Watch compares the sums with what is read from now on by others. The function that it
	// returns says what Check would, and whether all was read: if not, nothing is known. It is
	// nil where that cannot be done.
	Watch func() (result func() (all bool, err error))
}

// The register of containers; see [Register].
var containers struct {
	sync.Mutex
	all []Container
}

// RegisterContainer adds a container.
func RegisterContainer(c Container) {
	containers.Lock()
	defer containers.Unlock()
	containers.all = append(containers.all, c)
}

func registeredContainers() []Container {
	containers.Lock()
	defer containers.Unlock()
	return slices.Clone(containers.all)
}

// mostLayers bounds how many containers are inside one another.
const mostLayers = 4

// errNested is returned for a file in too many layers of containers.
var errNested = fmt.Errorf("%w: containers in containers in containers", ErrUnknown)

// unwrap looks through the containers of a file. On an error it stays open.
func (f *File) unwrap(ctx context.Context) error {
	for {
		p, err := NewProbe(f)
		if err != nil {
			return err
		}
		all := registeredContainers()
		i := slices.IndexFunc(all, func(c Container) bool { return c.Match(p) })
		switch {
		case i < 0:
			return nil
		case len(f.layers) == mostLayers:
			return fmt.Errorf("%s: %w", f.Path, errNested)
		}
		if err := f.lookThrough(ctx, &all[i]); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
}

// lookThrough makes the file its content.
func (f *File) lookThrough(ctx context.Context, c *Container) error {
	own := *f
	content, err := c.Open(ctx, &own)
	if err != nil {
		return err
	}
	f.name = c.innerName(f.innerName())
	f.layers = append(f.layers, Layer{
		File: f.Path, Name: c.Name, Codec: content.Codec, Stored: f.Size, Size: content.Size, Inner: f.name, Parts: content.Parts,
		Files: content.Files, Split: content.Split, Sums: content.Sums, Check: content.Check, Blind: content.Blind,
	})
	if c.Exact {
		f.layers[len(f.layers)-1].Content = content.ReaderAt
	}
	if content.Stored > 0 {
		f.layers[len(f.layers)-1].Stored = content.Stored
	}
	f.ReaderAt, f.Size, f.Cut = content.ReaderAt, content.Size, f.Cut || content.Cut
	if f.Damage == nil && content.Damage != nil {
		f.Damage = fmt.Errorf("%s: %w", f.Path, content.Damage)
	}
	f.others = append(f.others, content.Files...)
	f.closer = append(closers{f.closer}, content.Closers...)
	return nil
}

// innerName is the name of what a container with a name holds.
func (c *Container) innerName(name string) string {
	ext := filepath.Ext(name)
	if c.Inner == "" && !slices.Contains(c.Suffixes, strings.ToLower(ext)) {
		return name
	}
	return strings.TrimSuffix(name, ext) + c.Inner
}

// innerName is the name of what the file holds.
func (f *File) innerName() string {
	if f.name != "" {
		return f.name
	}
	return filepath.Base(packed.Inner(f.Path))
}

// Files returns the paths of the file, and of those that its content needs besides.
func (f *File) Files() []string { return append([]string{f.Path}, f.others...) }

// OpenCompanion opens a file that this one names, and reports to this one's observer the layers that
// it was opened through. It may be damaged, as one of [OpenDamaged]: a [Completer] makes flaws of that.
func (f *File) OpenCompanion(ctx context.Context, path string) (*File, error) {
	other, err := OpenDamaged(ctx, path)
	if err == nil {
		other.Observe(f.remark)
	}
	return other, err
}

// Partitions names those of the disk that the file holds, for an error that says why it cannot
// be opened; it is empty where none are known.
func (f *File) Partitions() string {
	for _, l := range f.layers {
		if len(l.Parts) > 0 {
			return fmt.Sprintf("; it is in %s %s with the partitions %s", article(l.Name), l.Name, strings.Join(quoted(l.Parts), ", "))
		}
	}
	return ""
}

// article is that of a name.
func article(name string) string {
	if strings.ContainsAny(name[:1], "AEIOUaeiou") {
		return "an"
	}
	return "a"
}

// quoted quotes names, of which a disk has few.
func quoted(names []string) []string {
	const most = 16
	var all []string
	for _, n := range names[:min(len(names), most)] {
		all = append(all, fmt.Sprintf("%q", n))
	}
	return all
}

// closers close what several files are.
type closers []io.Closer

// Close closes all of them.
func (c closers) Close() error {
	var errs []error
	for _, x := range c {
		errs = append(errs, x.Close())
	}
	return errors.Join(errs...)
}

// containerSuffixes are those that can be appended to the name of a file.
func containerSuffixes() []string {
	all := packed.Suffixes()
	for _, c := range registeredContainers() {
		if c.Inner == "" {
			all = append(all, c.Suffixes...)
		}
	}
	return all
}

// HasMagic matches files that begin with a signature.
func (p *Probe) HasMagic(magic string) bool { return bytes.HasPrefix(p.Head, []byte(magic)) }
