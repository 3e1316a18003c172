package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A tally is what was counted in the sources. Each list has the largest first.
type tally struct {
	files      []value
	lines      []value // of functions
	complexity []value // of functions
	exported   []value // of packages
	boolFuncs  int     // functions with a parameter that is a bool
	code       int     // lines without tests
	tests      int     // lines of tests

	exportedBoolFuncs int // of importable packages
	constants         int // exported, of importable packages
}

// count reads the sources of all packages, those for other systems included.
func count(pkgs []pkg) (*tally, error) {
	t := new(tally)
	for _, p := range pkgs {
		names := make(map[string]bool)
		for _, f := range p.sources() {
			if err := t.file(p, f, names); err != nil {
				return nil, err
			}
		}
		if p.importable() {
			t.exported = append(t.exported, value{p.short(), len(names)})
		}
		for _, f := range p.tests() {
			b, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				return nil, err
			}
			t.tests += bytes.Count(b, []byte("\n"))
		}
	}
	for _, values := range [][]value{t.files, t.lines, t.complexity, t.exported} {
		largestFirst(values)
	}
	return t, nil
}

// file counts one file, and adds its exported top-level names to names.
func (t *tally) file(p pkg, name string, names map[string]bool) error {
	src, err := os.ReadFile(filepath.Join(p.Dir, name))
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	where := path.Join(p.short(), name)
	lines := bytes.Count(src, []byte("\n"))
	t.code += lines
	t.files = append(t.files, value{where, lines})
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			before := len(names)
			exportedSpecs(d, names)
			if d.Tok == token.CONST && p.importable() {
				t.constants += len(names) - before
			}
		case *ast.FuncDecl:
			long := fset.Position(d.End()).Line - fset.Position(d.Pos()).Line + 1
			t.lines = append(t.lines, value{where + " " + funcName(d), long})
			t.complexity = append(t.complexity, value{where + " " + funcName(d), complexity(d)})
			if hasBool(d.Type) {
				t.boolFuncs++
			}
			if !isExported(d) {
				continue
			}
			if d.Recv == nil {
				names[d.Name.Name] = true
			}
			if p.importable() && hasBool(d.Type) {
				t.exportedBoolFuncs++
			}
		}
	}
	return nil
}

// exportedSpecs adds the exported names of a declaration to names.
func exportedSpecs(d *ast.GenDecl, names map[string]bool) {
	add := func(id *ast.Ident) {
		if id.IsExported() {
			names[id.Name] = true
		}
	}
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			add(s.Name)
		case *ast.ValueSpec:
			for _, id := range s.Names {
				add(id)
			}
		}
	}
}

// receiver returns the name of the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	e := d.Recv.List[0].Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if generic, ok := e.(*ast.IndexExpr); ok {
		e = generic.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return "?"
}

func funcName(d *ast.FuncDecl) string {
	if r := receiver(d); r != "" {
		return r + "." + d.Name.Name
	}
	return d.Name.Name
}

// isExported reports whether other packages can call a function or method.
func isExported(d *ast.FuncDecl) bool {
	return d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d)))
}

// hasBool reports whether a parameter is a bool.
func hasBool(f *ast.FuncType) bool {
	for _, p := range f.Params.List {
		if id, ok := p.Type.(*ast.Ident); ok && id.Name == "bool" {
			return true
		}
	}
	return false
}

// complexity is the cyclomatic complexity as gocyclo counts it: 1, and 1 for each
// if, for, case, && and ||.
func complexity(d *ast.FuncDecl) int {
	n := 1
	ast.Inspect(d, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if node.List != nil {
				n++
			}
		case *ast.CommClause:
			if node.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if node.Op == token.LAND || node.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

// tools are the packages that only developers run, and the examples: they are not
// counted.
var tools = []string{"internal/arrows", "internal/corpus", "internal/measure", "internal/setmodule", "internal/testdisc", "examples", "testdata"}

// isTool reports whether the package with a short path is one of the tools.
func isTool(short string) bool {
	for _, t := range tools {
		if short == t || strings.HasPrefix(short, t+"/") {
			return true
		}
	}
	return false
}
