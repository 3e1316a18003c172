// Package riplog reads and writes the log of an album: a text that says how its songs were
// made, how each is proven, and which of their sectors are not right.
package riplog

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// title begins every log; the number is the version of its form.
const title = "spindle rip log, version 1"

// sealName is the name of the last line, which holds the SHA-256 of all before it. It shows
// accidents, not forgeries: whoever changes a log can compute it anew.
const sealName = "SHA-256 of this log: "

// Lines of the first section that a later run reads, which adds songs to an album.
const (
	CatalogueLine = "catalogue number"
	OffsetLine    = "read offset correction" // in samples
	AbsentLine    = "songs not asked for"
	SheetLine     = "CRC-32 of the sheet"
)

// Suffix is that of the name of a log.
const Suffix = ".log"

// A Log says how an album was made, and how each song is proven. It is a text of lines
// "name: value" in sections "[name]".
type Log struct {
	Sections []Section
}

// A Section is a part of a log. The first has no name.
type Section struct {
	Name  string
	Lines []Line
}

// A Line is one statement.
type Line struct{ Name, Value string }

// Add appends a line to a section; a value of "" adds nothing.
func (s *Section) Add(name, value string) {
	if value != "" {
		s.Lines = append(s.Lines, Line{name, value})
	}
}

// Get returns the value of a line, or "".
func (s *Section) Get(name string) string {
	for _, l := range s.Lines {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

// Bytes returns the text of the log, with its checksum at the end.
func (l *Log) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(title + "\n")
	for _, s := range l.Sections {
		if s.Name != "" {
			fmt.Fprintf(&b, "\n[%s]\n", clean(s.Name))
		}
		for _, x := range s.Lines {
			fmt.Fprintf(&b, "%s: %s\n", clean(x.Name), clean(x.Value))
		}
	}
	b.WriteString("\n")
	fmt.Fprintf(&b, "%s%x\n", sealName, sha256.Sum256(b.Bytes()))
	return b.Bytes()
}

// clean keeps a text of a disc or a drive from making lines of its own.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// The errors of [Parse].
var (
	ErrSyntax  = errors.New("not a log of a rip by spindle")
	ErrVersion = fmt.Errorf("%w of this version", ErrSyntax)
	ErrChanged = errors.New("the log was changed: its checksum is another")
)

// MaxSize bounds a log, in bytes.
const MaxSize = 4 << 20

// Is reports whether a text begins as a log does, of any version.
func Is(head []byte) bool {
	start, _, _ := strings.Cut(title, ", version")
	return bytes.HasPrefix(head, []byte(start))
}

// Parse reads a log. The error is [ErrChanged] when the log is none that Bytes made, and
// comes with what it says then.
func Parse(b []byte) (*Log, error) {
	if len(b) > MaxSize || !Is(b) {
		return nil, ErrSyntax
	}
	body, seal := b, ""
	if at := bytes.LastIndex(b, []byte("\n"+sealName)); at >= 0 {
		body, seal = b[:at+1], strings.TrimSpace(string(b[at+1+len(sealName):]))
	}
	l := &Log{Sections: []Section{{}}}
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, MaxSize)
	lines.Scan()
	if lines.Text() != title {
		return nil, ErrVersion
	}
	for n := 2; lines.Scan(); n++ {
		line := lines.Text()
		name, value, ok := strings.Cut(line, ": ")
		last := &l.Sections[len(l.Sections)-1]
		switch {
		case line == "":
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			l.Sections = append(l.Sections, Section{Name: line[1 : len(line)-1]})
		case ok:
			last.Lines = append(last.Lines, Line{name, value})
		default:
			return nil, fmt.Errorf("%w: line %d", ErrSyntax, n)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(body); seal != hex.EncodeToString(sum[:]) {
		return l, ErrChanged
	}
	return l, nil
}

// Section returns the section of a name, or nil.
func (l *Log) Section(name string) *Section {
	if i := slices.IndexFunc(l.Sections, func(s Section) bool { return s.Name == name }); i >= 0 {
		return &l.Sections[i]
	}
	return nil
}
