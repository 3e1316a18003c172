package main

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// defaultWidth is the width of --help where there is no terminal, and of a terminal
// that does not say how wide it is.
const defaultWidth = 80

// minWidth is the least width that text is wrapped at.
const minWidth = 20

// wrap breaks a line between words, into lines of at most width characters. A word
// that is longer stays whole, so that a name or a command can be copied.
func wrap(line string, width int) []string {
	width = max(width, minWidth)
	if utf8.RuneCountInString(line) <= width {
		return []string{line}
	}
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	var (
		lines []string
		now   strings.Builder
		used  int
	)
	for _, word := range strings.Fields(line) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
			now.WriteString(indent)
			used = len(indent)
		case used+1+n > width:
			lines = append(lines, now.String())
			now.Reset()
			now.WriteString(indent)
			used = len(indent)
		default:
			now.WriteByte(' ')
			used++
		}
		now.WriteString(word)
		used += n
	}
	return append(lines, now.String())
}

// sentence ends a text with a full stop where it has none.
func sentence(s string) string {
	if s == "" || strings.ContainsRune(".?!)", rune(s[len(s)-1])) {
		return s
	}
	return s + "."
}

// nameEnds are what stands behind the name of a file at the start of a text.
var nameEnds = regexp.MustCompile(`: | (is|has|was|cannot|could|already|does|belongs|holds|ends) `)

// suffixed is what ends with the suffix of a file.
var suffixed = regexp.MustCompile(`\.\w{1,8}$`)

// openers begin a text that is about a name, and do not belong to it.
var openers = []string{"the", "a", "an", "in", "of", "for", "no"}

// capital begins a text with a capital letter, unless it begins with a name, which may have spaces.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	start := s
	if at := nameEnds.FindStringIndex(s); at != nil {
		start = s[:at[0]]
	}
	word, _, _ := strings.Cut(s, " ")
	inName := suffixed.MatchString(start) && !slices.Contains(openers, word)
	if !unicode.IsLower(r) || strings.ContainsAny(word, "./:_\\") || inName {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
