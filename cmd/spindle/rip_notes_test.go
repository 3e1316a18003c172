package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"spindle/rip"
)

// Every code has a sentence, and none prints what it was not given.
func TestRipNotes(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../../rip/notes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if v, ok := spec.Values[0].(*ast.BasicLit); ok && v.Kind == token.STRING {
			codes++
			code := rip.NoteCode(strings.Trim(v.Value, `"`))
			text := ripNote(rip.Note{Code: code, Err: errors.New("x")})
			if text == string(code) || strings.Contains(text, "%!") || !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q", code, text)
			}
		}
		return true
	})
	if codes != len(ripNotes) {
		t.Errorf("%d codes, %d sentences", codes, len(ripNotes))
	}
}
