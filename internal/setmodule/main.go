// Command setmodule gives the module another path, for a home of its own:
//
//	go run ./internal/setmodule github.com/OWNER/spindle
//
// It rewrites go.mod, the imports of every Go file, and the import paths in
// documentation and in the linter's configuration, below the current folder.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 2 || !strings.Contains(strings.Split(os.Args[1], "/")[0], ".") {
		fmt.Fprintln(os.Stderr, "usage: setmodule PATH, where PATH begins with a domain, such as github.com/OWNER/spindle")
		os.Exit(2)
	}
	n, err := setModule(".", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "setmodule:", err)
		os.Exit(1)
	}
	fmt.Printf("%d files changed; run \"go mod tidy\" and .ci/fast\n", n)
}

// moduleLine matches the first line of go.mod.
var moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)

// setModule changes the path of the module in dir and returns how many files it
// changed.
func setModule(dir, path string) (int, error) {
	gomod := filepath.Join(dir, "go.mod")
	b, err := os.ReadFile(gomod)
	if err != nil {
		return 0, err
	}
	m := moduleLine.FindSubmatch(b)
	if m == nil {
		return 0, errors.New("go.mod has no module line")
	}
	old := string(m[1])
	changed := 0
	err = filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if e.Name() == ".git" || e.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !e.Type().IsRegular() {
			return nil
		}
		did, err := rewrite(name, old, path)
		if did {
			changed++
		}
		return err
	})
	if err != nil {
		return changed, err
	}
	// go.mod last: as long as it names the old path, the command can be run again.
	return changed + 1, os.WriteFile(gomod, moduleLine.ReplaceAll(b, []byte("module "+path)), 0o666)
}

// rewrite changes one file and reports whether it did.
func rewrite(name, old, path string) (bool, error) {
	var change func(src []byte, old, path string) ([]byte, error)
	switch ext := filepath.Ext(name); {
	case ext == ".go":
		change = goFile
	case ext == ".md":
		change = markdown
	case filepath.Base(name) == ".golangci.yml":
		change = linter
	default:
		return false, nil
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return false, err
	}
	out, err := change(src, old, path)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if bytes.Equal(src, out) {
		return false, nil
	}
	return true, os.WriteFile(name, out, 0o666)
}

// goFile changes the imports of a Go file, and the links to packages in comments.
func goFile(src []byte, old, path string) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(src)
	for _, spec := range slices.Backward(file.Imports) {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if rest, ok := strings.CutPrefix(p, old+"/"); ok {
			from, to := fset.Position(spec.Path.Pos()).Offset, fset.Position(spec.Path.End()).Offset
			out = slices.Replace(out, from, to, []byte(strconv.Quote(path+"/"+rest))...)
		}
	}
	if bytes.Equal(src, out) {
		return src, nil
	}
	return format.Source(bytes.ReplaceAll(out, []byte("["+old+"/"), []byte("["+path+"/")))
}

// markdown changes quoted import paths in documentation.
func markdown(src []byte, old, path string) ([]byte, error) {
	return bytes.ReplaceAll(src, []byte(`"`+old+"/"), []byte(`"`+path+"/")), nil
}

// linter changes the prefix by which imports are grouped.
func linter(src []byte, old, path string) ([]byte, error) {
	return bytes.ReplaceAll(src, []byte("- "+old+"\n"), []byte("- "+path+"\n")), nil
}
