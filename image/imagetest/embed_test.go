package imagetest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// No struct of the module embeds a disc.Image: it would inherit the parts that it
// forgets. One that embeds disc.Plain is made around no other image: it would drop
// what that has.
func TestNothingEmbedsAnImage(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.StructType); ok {
				seen++
				for _, problem := range embeds(s, file.Name.Name) {
					t.Errorf("%s: %s", set.Position(s.Pos()), problem)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Errorf("only %d structs were looked at", seen)
	}
}

// embeds says what is wrong with the fields of a struct.
func embeds(s *ast.StructType, pkg string) []string {
	var problems []string
	plain, around := false, false
	for _, f := range s.Fields.List {
		name := nameOf(f.Type, pkg)
		embedded := len(f.Names) == 0
		if embedded && name == "disc.Image" {
			problems = append(problems, "it embeds disc.Image")
		}
		plain = plain || embedded && name == "disc.Plain"
		around = around || name == "disc.Image"
	}
	if plain && around {
		problems = append(problems, "it embeds disc.Plain and is made around a disc.Image")
	}
	return problems
}

// nameOf is a type's name with its package, for those of package disc also there.
func nameOf(x ast.Expr, pkg string) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return nameOf(x.X, pkg)
	case *ast.SelectorExpr:
		if p, ok := x.X.(*ast.Ident); ok {
			return p.Name + "." + x.Sel.Name
		}
	case *ast.Ident:
		if pkg == "disc" {
			return "disc." + x.Name
		}
	}
	return ""
}

func TestEmbedsIsSeen(t *testing.T) {
	for text, want := range map[string]int{
		"type x struct { disc.Image }":                                   1,
		"type x struct { disc.Plain; of disc.Image }":                    1,
		"type x struct { disc.Plain; l *disc.Layout }":                   0,
		"type x struct { img disc.Image }":                               0,
		"type x struct { *disc.Plain; one, two disc.Image; disc.Image }": 2,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package p\n"+text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.StructType); ok {
				if got := embeds(s, "p"); len(got) != want {
					t.Errorf("%s: %v", text, got)
				}
			}
			return true
		})
	}
}
