package check

import (
	"context"
	"errors"
	"slices"
)

// A SumResult is how one line of a checksum file came out.
type SumResult struct {
	File      string    `json:"file"`
	From      string    `json:"from"` // the checksum file
	Algorithm Algorithm `json:"algorithm"`
	Right     bool      `json:"right"`
	Stated    string    `json:"-"` // in hexadecimal
	Found     string    `json:"-"`
}

// SumProgress returns, before a file is hashed, the function to report how many of its
// bytes are done. It may be nil.
type SumProgress func(a Algorithm) func(done, total int64)

// Beside checks files against the checksum files that lie beside them: of disc.iso,
// disc.iso.sha256, disc.sha256 and SHA256SUMS, and those of other hashes. Of these, unusable are those that hold no checksums.
func Beside(ctx context.Context, files []string, progress SumProgress) (results []SumResult, unusable []string, err error) {
	var lists []string
	for _, f := range files {
		lists = append(lists, findSums(f)...)
	}
	slices.Sort(lists)
	for _, list := range slices.Compact(lists) { // one for the folder is found for each file
		r, err := Against(ctx, files, list, progress)
		switch {
		case errors.Is(err, ErrNoSums):
			unusable = append(unusable, list)
		case err != nil:
			return nil, nil, err
		}
		results = append(results, r...)
	}
	return results, unusable, nil
}

// HoldsSums reports whether a file holds checksums, by its content: of one with CRC-32 only,
// which other texts resemble, that is not certain.
func HoldsSums(path string) bool {
	all, err := readSums(path)
	return err == nil && slices.ContainsFunc(all, func(s namedSum) bool { return s.Algorithm != CRC32 })
}

// Against checks files against one checksum file, which need not name all of them.
// The error wraps [ErrNoSums] for a file that holds no checksums.
func Against(ctx context.Context, files []string, list string, progress SumProgress) ([]SumResult, error) {
	all, err := readSums(list)
	if err != nil {
		return nil, err
	}
	var results []SumResult
	for _, f := range files {
		for _, s := range sumsFor(all, f) {
			var report func(done, total int64)
			if progress != nil {
				report = progress(s.Algorithm)
			}
			found, err := HashFile(ctx, f, s.Algorithm, report)
			if err != nil {
				return nil, err
			}
			results = append(results, SumResult{f, list, s.Algorithm, found == s.Hex, s.Hex, found})
		}
	}
	return results, nil
}
