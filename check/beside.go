package check

import (
	"context"
	"errors"
	"io"
	"slices"

	"spindle/internal/packed"
)

// A File is what a checksum may be of.
type File struct {
	Path string
	// Content is what the file holds, of so many bytes, where it is stored otherwise: compressed, or in parts.
	Content io.ReaderAt
	Size    int64
}

// Plain are files that are stored as they are.
func Plain(paths ...string) []File {
	var all []File
	for _, p := range paths {
		all = append(all, File{Path: p})
	}
	return all
}

// hash computes a hash of the file.
func (f *File) hash(ctx context.Context, a Algorithm, progress func(done, total int64)) (string, error) {
	if f.Content == nil {
		return HashFile(ctx, f.Path, a, progress)
	}
	return hashAll(ctx, io.NewSectionReader(f.Content, 0, f.Size), f.Size, a, progress)
}

// A SumResult is how one line of a checksum file came out.
type SumResult struct {
	File      string    `json:"file"`
	From      string    `json:"from"` // the checksum file
	Algorithm Algorithm `json:"algorithm"`
	Right     bool      `json:"right"`
	Names     string    `json:"names,omitempty"` // the file that the line names, which is another
	Stated    string    `json:"-"`               // in hexadecimal
	Found     string    `json:"-"`

	// Changed: From is the map that a rip left beside File, which has been changed since.
	Changed bool `json:"changed,omitempty"`
}

// Unusable is what looks like a checksum, and is none.
type Unusable struct {
	From string // the checksum file
	Line int    // from 1; 0: no line of it states one, for File or for any
	File string // that the line names, or that the checksum file does
}

// SumProgress returns, before a file is hashed, the function to report how many of its
// bytes are done. It may be nil.
type SumProgress func(a Algorithm) func(done, total int64)

// Beside checks files against the checksum files that lie beside them: of disc.iso,
// disc.iso.sha256, disc.sha256 and SHA256SUMS, and those of other hashes. What of these states
// no checksum is unusable.
func Beside(ctx context.Context, files []File, progress SumProgress) (results []SumResult, unusable []Unusable, err error) {
	var lists []string
	for _, f := range files {
		lists = append(lists, findSums(f.Path)...)
	}
	slices.Sort(lists)
	for _, list := range slices.Compact(lists) { // one for the folder is found for each file
		r, lines, err := Against(ctx, files, list, progress)
		switch {
		case errors.Is(err, ErrNoSums):
			unusable = append(unusable, Unusable{From: list})
		case err != nil:
			return nil, nil, err
		}
		results, unusable = append(results, r...), append(unusable, lines...)
	}
	return results, unusable, nil
}

// HoldsSums reports whether a file holds checksums, by its content: of one with CRC-32 only,
// which other texts resemble, that is not certain.
func HoldsSums(path string) bool {
	all, err := readSums(path)
	return err == nil && slices.ContainsFunc(all.sums, func(s namedSum) bool { return s.Algorithm != CRC32 })
}

// Against checks files against one checksum file, which need not name all of them.
// The lines that name one of them and state no checksum are unusable. The only line of a
// checksum file that is named for the only file counts, whatever it names. The error wraps
// [ErrNoSums] for a file that holds no checksums.
func Against(ctx context.Context, files []File, list string, progress SumProgress) (results []SumResult, unusable []Unusable, err error) {
	all, err := readSums(list)
	if err != nil {
		return nil, nil, err
	}
	of := slices.IndexFunc(files, func(f File) bool { return isNamedFor(list, f.Path) })
	for i, f := range files {
		for _, n := range all.mention(f.Path) {
			unusable = append(unusable, Unusable{list, n, f.Path})
		}
		sums, names := sumsFor(all.sums, f.Path), ""
		if alone := len(all.sums) == 1 && (len(files) == 1 || f.Content != nil); len(sums) == 0 && alone && i == of {
			sums, names = all.sums, all.sums[0].Name
		}
		if of >= 0 && i != of {
			sums = slices.DeleteFunc(slices.Clone(sums), func(s namedSum) bool { return s.Name == "" })
		}
		for _, s := range sums {
			var report func(done, total int64)
			if progress != nil {
				report = progress(s.Algorithm)
			}
			found, err := f.hash(ctx, s.Algorithm, report)
			if f.Content != nil && errors.Is(err, packed.ErrDamaged) {
				break // it is found, and reported, where sectors are read
			}
			if err != nil {
				return nil, nil, err
			}
			results = append(results, SumResult{File: f.Path, From: list, Algorithm: s.Algorithm, Right: found == s.Hex, Names: names, Stated: s.Hex, Found: found})
		}
	}
	if of >= 0 && len(results)+len(unusable) == 0 {
		unusable = append(unusable, Unusable{From: list, File: files[of].Path})
	}
	return ofOne(results, all.sums), unusable, nil
}

// ofOne leaves out, of a lone sum without a name, what it is not of, if it is right of another file.
func ofOne(results []SumResult, sums []namedSum) []SumResult {
	right := func(r SumResult) bool { return r.Right }
	if len(sums) != 1 || sums[0].Name != "" || !slices.ContainsFunc(results, right) {
		return results
	}
	return slices.DeleteFunc(results, func(r SumResult) bool { return !r.Right })
}
