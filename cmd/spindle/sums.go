package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"spindle/check"
)

// sumResult is how one line of a checksum file came out.
type sumResult struct {
	File      string          `json:"file"`
	From      string          `json:"from"` // the checksum file
	Algorithm check.Algorithm `json:"algorithm"`
	Right     bool            `json:"right"`

	stated, found string
}

// sumsBeside lists the checksum files beside files.
func sumsBeside(files []string) []string {
	var lists []string
	for _, f := range files {
		lists = append(lists, check.FindSums(f)...)
	}
	slices.Sort(lists)
	return slices.Compact(lists) // one for the folder is found for each file
}

// checkSums checks the files of an image against checksum files. A file
// without checksums is an error only when it was asked for.
func checkSums(ctx context.Context, files, lists []string, asked bool, bar *progress) ([]sumResult, error) {
	var results []sumResult
	for _, list := range lists {
		all, err := check.ReadSums(list)
		if errors.Is(err, check.ErrNoSums) && !asked {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			for _, s := range check.For(all, f) {
				have, err := check.HashFile(ctx, f, s.Algorithm, bar.step("checking "+string(s.Algorithm)))
				if err != nil {
					return nil, err
				}
				bar.stop()
				results = append(results, sumResult{f, list, s.Algorithm, have == s.Hex, s.Hex, have})
			}
		}
	}
	return results, nil
}

// sumSuffixes are the suffixes of checksum files.
var sumSuffixes = []string{".md5", ".sha1", ".sha256", ".sha512", ".sfv", ".md5sum", ".sha1sum", ".sha256sum", ".sha512sum"}

// isSumFile tells checksum files from the other things that --with takes, by
// their names.
func isSumFile(path string) bool {
	if isDriveName(path) {
		return false
	}
	name := strings.ToLower(filepath.Base(path))
	if slices.Contains(sumSuffixes, filepath.Ext(name)) {
		return true
	}
	return strings.HasSuffix(name, "sums") || strings.HasSuffix(name, "sum.txt") || strings.HasSuffix(name, "sums.txt") ||
		strings.HasSuffix(name, "checksum")
}
