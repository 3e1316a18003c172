package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"spindle/burn"
	"spindle/rip"
)

// Every code has a sentence, and none prints what it was not given.
func TestNotes(t *testing.T) {
	for _, test := range []struct {
		file, end string
		sentences int
		words     func(code string) string
	}{
		{"../../rip/notes.go", ".", len(ripNotes), func(code string) string {
			return ripNote(rip.Note{Code: rip.NoteCode(code), Err: errors.New("x")})
		}},
		{"../../burn/note.go", "", len(burnNotes), func(code string) string { return noteWords(burn.Note{Code: burn.NoteCode(code)}) }},
	} {
		codes := constantStrings(t, test.file)
		for _, code := range codes {
			if text := test.words(code); text == code || strings.Contains(text, "%!") || !strings.HasSuffix(text, test.end) {
				t.Errorf("%s: %q", code, text)
			}
		}
		if len(codes) != test.sentences {
			t.Errorf("%s: %d codes, %d sentences", test.file, len(codes), test.sentences)
		}
	}
}

// constantStrings returns the strings that a source file gives names to.
func constantStrings(t *testing.T, name string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if v, ok := spec.Values[0].(*ast.BasicLit); ok && v.Kind == token.STRING {
			found = append(found, strings.Trim(v.Value, `"`))
		}
		return true
	})
	return found
}
