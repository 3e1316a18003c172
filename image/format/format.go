// Package format is the register of the formats of disc image files, and what
// their packages share: files looked through their compression, companion files,
// and the writing of new images that leaves nothing half-done behind.
//
// A format is a package that registers itself:
//
//	func init() {
//		format.Register(format.Format{
//			Name: "CUE sheet", Suffixes: []string{".cue"}, Match: match, Open: open, Create: Create,
//		})
//	}
//
// Package image opens and creates files of all formats that are linked in.
package format

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"spindle/disc"
)

// A Score says how sure a format is that a file is one of its own.
type Score int

// The scores. Between formats of the same score the suffix of the file decides.
const (
	No     Score = iota
	Guess        // nothing speaks against it
	Likely       // its structure is that of the format
	Sure         // a signature that nothing else has
)

// A Format is one kind of image file. What a format cannot do is left nil.
type Format struct {
	Name string // as in "a CUE sheet": it follows an article
	// Suffixes are those of its files, in lower case with the dot. A new file
	// with one of them is made in this format.
	Suffixes []string
	// Match looks whether a file has this format.
	Match func(*Probe) Score
	// Open opens a file that Match found to be one. It takes the file over, and
	// closes it when it fails or does not need it any longer. Opening ends with the
	// context; the image does not.
	Open func(context.Context, *File) (disc.Image, error)
	// Salvages says that Open takes a file with [File.Damage], and makes a flaw of each
	// of its sectors. Others do not receive one.
	Salvages bool
	// Create writes an image.
	Create func(*Output) error
	// Refusal says, for a format that is only recognised, what helps instead.
	Refusal string
}

// The register: formats add themselves to it before main begins, as those of the
// standard library's package image do.
var register struct {
	sync.Mutex
	formats []Format
}

// Register adds a format. It panics when a suffix is taken, for that is a mistake
// in the program.
func Register(f Format) {
	register.Lock()
	defer register.Unlock()
	if f.Create != nil {
		for _, other := range register.formats {
			for _, s := range f.Suffixes {
				if other.Create != nil && slices.Contains(other.Suffixes, s) {
					panic(fmt.Sprintf("format: %s and %s both make %s files", f.Name, other.Name, s))
				}
			}
		}
	}
	register.formats = append(register.formats, f)
	slices.SortFunc(register.formats, func(a, b Format) int { return cmp.Compare(a.Name, b.Name) })
}

// registered returns the registered formats, by name.
func registered() []Format {
	register.Lock()
	defer register.Unlock()
	return slices.Clone(register.formats)
}

// ErrUnknown is returned for a file that is no image of a format that can be
// opened, or made.
var ErrUnknown = errors.New("not a disc image that spindle knows")

// Find returns the format of a file, by its content.
func Find(p *Probe) (Format, bool) {
	var best Format
	var score Score
	for _, f := range registered() {
		if f.Match == nil {
			continue
		}
		s := f.Match(p)
		if s > score || s == score && s != No && f.hasSuffix(p.Name) && !best.hasSuffix(p.Name) {
			best, score = f, s
		}
	}
	return best, score != No
}

// A SuffixError says that no format makes files with a suffix. It wraps [ErrUnknown].
type SuffixError struct {
	Suffix string   // as it was given, or empty
	Known  []string // those that are made, sorted
}

func (e *SuffixError) Error() string { return fmt.Sprintf("no format makes %q files", e.Suffix) }

func (e *SuffixError) Unwrap() error { return ErrUnknown }

// ForSuffix returns the format that makes files with a suffix, given with its dot. The
// error is a [*SuffixError].
func ForSuffix(suffix string) (Format, error) {
	var known []string
	for _, f := range registered() {
		if f.Create == nil {
			continue
		}
		if slices.Contains(f.Suffixes, strings.ToLower(suffix)) {
			return f, nil
		}
		known = append(known, f.Suffixes...)
	}
	slices.Sort(known)
	return Format{}, &SuffixError{suffix, known}
}

func (f *Format) hasSuffix(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(f.Suffixes, func(s string) bool { return strings.HasSuffix(name, s) })
}
