package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
)

// callers prints the exported top-level names that no other package mentions: not
// the command, not an example, not a test from outside. A name of a type may still be
// needed, for what functions return.
func callers(dir string) error {
	all, err := goList(dir, "./...")
	if err != nil {
		return err
	}
	used := make(map[string]bool) // import path and name
	for _, p := range all {
		for _, f := range slices.Concat(p.sources(), p.tests()) {
			if err := mentions(filepath.Join(p.Dir, f), used); err != nil {
				return err
			}
		}
	}
	for _, p := range all {
		if !p.importable() || isTool(p.short()) {
			continue
		}
		names, err := p.exportedNames()
		if err != nil {
			return err
		}
		for _, n := range names {
			if !used[p.ImportPath+"."+n] {
				fmt.Printf("%s.%s\n", p.short(), n)
			}
		}
	}
	return nil
}

// mentions adds the names of other packages that a file uses.
func mentions(name string, used map[string]bool) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	imports := make(map[string]string)
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		as := path.Base(p)
		if spec.Name != nil {
			as = spec.Name.Name
		}
		imports[as] = p
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && imports[x.Name] != "" {
				used[imports[x.Name]+"."+sel.Sel.Name] = true
			}
		}
		return true
	})
	return nil
}

// exportedNames returns the exported top-level names of a package, in order.
func (p *pkg) exportedNames() ([]string, error) {
	t, names := new(tally), make(map[string]bool)
	for _, f := range p.sources() {
		if err := t.file(*p, f, names); err != nil {
			return nil, err
		}
	}
	var list []string
	for n := range names {
		list = append(list, n)
	}
	slices.Sort(list)
	return list, nil
}
