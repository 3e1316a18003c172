package iso

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// cleanName makes a name one element of a path that [fs.ValidPath] takes.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' || r == 0x7F {
			return '_'
		}
		return r
	}, validText(s))
	if s == "" || s == "." || s == ".." {
		return "_" + s
	}
	return s
}

// validText takes text that is not UTF-8 for ISO 8859-1, as discs of the nineties have
// it.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return latin1([]byte(s))
}

// latin1 decodes ISO 8859-1.
func latin1(b []byte) string {
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}

// distinguish makes the names in a directory distinct and sorts the entries by them.
// The first of several entries of one name keeps it (an associated file only where it
// is alone); the others get the first free of " (2)", " (3)"... before their suffix.
func distinguish(entries []*Entry) {
	used := make(map[string]int, len(entries)) // the number to try next
	var again []*Entry
	take := func(associated bool) {
		for _, e := range entries {
			if e.Associated != associated {
				continue
			}
			if used[e.Name] > 0 {
				again = append(again, e)
				continue
			}
			used[e.Name] = 2
		}
	}
	take(false)
	take(true)
	for _, e := range again {
		wanted := e.Name
		ext := path.Ext(wanted)
		stem := strings.TrimSuffix(wanted, ext)
		if stem == "" {
			stem, ext = wanted, ""
		}
		for used[e.Name] > 0 {
			e.Name = stem + " (" + strconv.Itoa(used[wanted]) + ")" + ext
			used[wanted]++
		}
		used[e.Name] = 2
	}
	slices.SortFunc(entries, func(a, b *Entry) int { return cmp.Compare(a.Name, b.Name) })
}
