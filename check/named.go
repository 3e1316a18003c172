package check

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/internal/regular"
)

// NamedBeside returns the path of a checksum file beside a file that states its checksum, or "": one of those that [Beside]
// looks at, or of another name with a suffix of theirs.
func NamedBeside(path string) string {
	for _, list := range findSums(path) {
		if all, err := readSums(list); err == nil && len(sumsFor(all.sums, path)) > 0 || err == nil && isNamedFor(list, path) {
			return list
		}
	}
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return ""
	}
	for _, e := range entries {
		list := filepath.Join(dir, e.Name())
		if !slices.Contains(sumSuffixes, strings.ToLower(filepath.Ext(list))) || regular.Check(list) != nil {
			continue
		}
		all, err := readSums(list)
		if err == nil && slices.ContainsFunc(sumsFor(all.sums, path), func(s namedSum) bool { return s.Name != "" }) {
			return list
		}
	}
	return ""
}
