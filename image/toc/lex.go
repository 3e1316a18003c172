package toc

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A ParseError says what is wrong with a TOC file and where.
type ParseError struct {
	Line int // from 1
	Msg  string
}

func (e *ParseError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

// tokenKind is what a token is.
type tokenKind uint8

const (
	end tokenKind = iota
	word
	number
	text // in quotation marks
	mark // one of { } : , #
)

type token struct {
	kind tokenKind
	text string // of a text: without the marks, its escapes resolved
	raw  bool   // a text with bytes that were written as \ooo: in the disc's character code
	line int
}

func (t token) String() string {
	switch t.kind {
	case end:
		return "the end of the file"
	case text:
		return strconv.Quote(t.text)
	}
	return strconv.Quote(t.text)
}

// lexer splits a TOC file into tokens.
type lexer struct {
	in   string
	line int
}

// next returns the next token.
func (l *lexer) next() (token, error) {
	for {
		l.in = strings.TrimLeft(l.in, " \t\r\v\f")
		switch {
		case l.in == "":
			return token{kind: end, line: l.line}, nil
		case l.in[0] == '\n':
			l.line++
			l.in = l.in[1:]
		case strings.HasPrefix(l.in, "//"):
			if i := strings.IndexByte(l.in, '\n'); i >= 0 {
				l.in = l.in[i:]
			} else {
				l.in = ""
			}
		case l.in[0] == '"':
			return l.text()
		case strings.IndexByte("{}:,#", l.in[0]) >= 0:
			return l.take(mark, 1), nil
		default:
			if n := span(l.in, isDigit); n > 0 {
				return l.take(number, n), nil
			}
			if n := span(l.in, isWord); n > 0 {
				return l.take(word, n), nil
			}
			r, _ := utf8.DecodeRuneInString(l.in)
			return token{}, &ParseError{Line: l.line, Msg: fmt.Sprintf("%q has no meaning here", r)}
		}
	}
}

func (l *lexer) take(k tokenKind, n int) token {
	t := token{kind: k, text: l.in[:n], line: l.line}
	l.in = l.in[n:]
	return t
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || isDigit(c)
}

func span(s string, is func(byte) bool) int {
	n := 0
	for n < len(s) && is(s[n]) {
		n++
	}
	return n
}

// text reads a text in quotation marks: \" and \\ stand for themselves, \ooo for a
// byte, in octal.
func (l *lexer) text() (token, error) {
	t := token{kind: text, line: l.line}
	var b []byte
	for i := 1; i < len(l.in); i++ {
		switch c := l.in[i]; {
		case c == '"':
			l.in = l.in[i+1:]
			t.text = string(b)
			return t, nil
		case c == '\n':
			return t, &ParseError{Line: l.line, Msg: "a quotation mark is missing"}
		case c == '\\' && i+3 < len(l.in) && isDigit(l.in[i+1]) && isDigit(l.in[i+2]) && isDigit(l.in[i+3]):
			v, err := strconv.ParseUint(l.in[i+1:i+4], 8, 8)
			if err != nil {
				return t, &ParseError{Line: l.line, Msg: fmt.Sprintf("\\%s is no byte in octal", l.in[i+1:i+4])}
			}
			b = append(b, byte(v))
			t.raw = t.raw || v >= 0x80
			i += 3
		case c == '\\' && i+1 < len(l.in) && (l.in[i+1] == '"' || l.in[i+1] == '\\'):
			i++
			b = append(b, l.in[i])
		default:
			b = append(b, c)
		}
	}
	return t, &ParseError{Line: l.line, Msg: "a quotation mark is missing"}
}
