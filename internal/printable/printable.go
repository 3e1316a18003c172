// Package printable makes text that came from a disc or a file harmless on a terminal and
// in a line of output: names, labels, CD-TEXT, quoted input.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns text as one line. What a terminal would obey, or would not show, becomes an
// escape as in Go and JSON: control characters of ASCII and of ISO 8859-1 (`\n`, `\x1b`,
// `\u009b`), separators of lines and paragraphs, bidirectional and other invisible format
// characters (`\u202e`), and bytes that are not UTF-8 (`\xff`). Joiners, which scripts
// need, stay.
func Line(s string) string { return escape(s, isHarmful) }

// Text is Line, but for line feeds and tabs, which stay.
func Text(s string) string {
	return escape(s, func(r rune) bool { return r != '\n' && r != '\t' && isHarmful(r) })
}

// JSON escapes in encoded JSON what [encoding/json] leaves and [Line] does not: a text
// that is decoded again is the same.
func JSON(b []byte) []byte {
	s := string(b) // valid UTF-8, without control characters of ASCII in it
	if strings.IndexFunc(s, isHarmful) < 0 {
		return b
	}
	var out strings.Builder
	for _, r := range s {
		if !isHarmful(r) || r == '\n' {
			out.WriteRune(r)
			continue
		}
		writeUTF16(&out, r)
	}
	return []byte(out.String())
}

func escape(s string, harmful func(rune) bool) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, harmful) < 0 {
		return s
	}
	var out strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&out, `\x%02x`, s[0])
		case !harmful(r):
			out.WriteString(s[:n])
		default:
			out.WriteString(escaped(r))
		}
		s = s[n:]
	}
	return out.String()
}

func escaped(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r > 0xFFFF:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// writeUTF16 writes a character as JSON escapes it.
func writeUTF16(out *strings.Builder, r rune) {
	const first, high, low = 0x10000, 0xD800, 0xDC00
	if r < first {
		fmt.Fprintf(out, `\u%04x`, r)
		return
	}
	r -= first
	fmt.Fprintf(out, `\u%04x\u%04x`, high+r>>10, low+r&0x3FF)
}

// isHarmful reports whether a character moves, hides or reorders others.
func isHarmful(r rune) bool {
	const nonJoiner, joiner = 0x200C, 0x200D
	switch r {
	case nonJoiner, joiner:
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
