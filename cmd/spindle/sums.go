package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"spindle/check"
)

// sumProgress shows how far the hashing of a file is.
func sumProgress(bar *progress) check.SumProgress {
	return func(a check.Algorithm) func(done, total int64) {
		bar.stop()
		return bar.step("checking " + string(a))
	}
}

// sumSuffixes are the suffixes of checksum files.
var sumSuffixes = []string{".md5", ".sha1", ".sha256", ".sha512", ".sfv", ".md5sum", ".sha1sum", ".sha256sum", ".sha512sum"}

// wrongSumText says that a checksum does not match.
func wrongSumText(r check.SumResult) string {
	return fmt.Sprintf("the %s of %s does not match %s", r.Algorithm, filepath.Base(r.File), filepath.Base(r.From))
}

// noteUnusable says that checksum files beside an image hold none.
func noteUnusable(a *app, lists []string) {
	for _, list := range lists {
		a.note(list + " is named like a checksum file, but no checksum is in it (is it empty, or cut off?): it was not used.")
	}
}

// isSumFile tells checksum files from the other things that --with takes, by
// their names, or by their content.
func isSumFile(path string) bool {
	if isDriveName(path) {
		return false
	}
	name := strings.ToLower(filepath.Base(path))
	if slices.Contains(sumSuffixes, filepath.Ext(name)) {
		return true
	}
	return strings.HasSuffix(name, "sums") || strings.HasSuffix(name, "sum.txt") || strings.HasSuffix(name, "sums.txt") ||
		strings.HasSuffix(name, "checksum") || !isDATFile(path) && check.HoldsSums(path)
}
