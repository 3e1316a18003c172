package album

import (
	"slices"
	"strings"
)

// A Tag is a comment of a sound file: a name, by the conventions of Vorbis comments as
// MusicBrainz Picard writes them, and a value.
type Tag struct{ Name, Value string }

// Tags are comments in the order in which they are written. A name may come more than
// once; names are equal whatever their case.
type Tags []Tag

// Get returns the first value of a name, or "".
func (t Tags) Get(name string) string {
	for _, x := range t {
		if strings.EqualFold(x.Name, name) {
			return x.Value
		}
	}
	return ""
}

// Set replaces all values of a name by one, where the first of them stands, or by none
// for "".
func (t *Tags) Set(name, value string) {
	at := slices.IndexFunc(*t, func(x Tag) bool { return strings.EqualFold(x.Name, name) })
	if at < 0 {
		if value != "" {
			*t = append(*t, Tag{name, value})
		}
		return
	}
	rest := slices.DeleteFunc(slices.Clone((*t)[at:]), func(x Tag) bool { return strings.EqualFold(x.Name, name) })
	*t = (*t)[:at:at]
	if value != "" {
		*t = append(*t, Tag{name, value})
	}
	*t = append(*t, rest...)
}

// replace takes the tags of another set: all that it has of a name stands for what was
// there before.
func (t *Tags) replace(by Tags) {
	done := map[string]bool{}
	for _, x := range by {
		if name := strings.ToUpper(x.Name); !done[name] {
			done[name] = true
			t.Set(x.Name, "")
		}
		if x.Value != "" {
			*t = append(*t, x)
		}
	}
}

// pairs are tags as an encoder takes them.
func (t Tags) pairs() [][2]string {
	out := make([][2]string, 0, len(t))
	for _, x := range t {
		out = append(out, [2]string{x.Name, x.Value})
	}
	return out
}
