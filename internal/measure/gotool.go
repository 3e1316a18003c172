package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A pkg is a package as go list describes it.
type pkg struct {
	ImportPath string
	Dir        string
	Name       string
	Standard   bool
	Module     *struct{ Path string }

	GoFiles, CgoFiles, IgnoredGoFiles []string
	TestGoFiles, XTestGoFiles         []string
}

// sources returns the files without tests, those for other systems included.
func (p *pkg) sources() []string {
	var files []string
	for _, list := range [][]string{p.GoFiles, p.CgoFiles, p.IgnoredGoFiles} {
		for _, f := range list {
			if !strings.HasSuffix(f, "_test.go") {
				files = append(files, f)
			}
		}
	}
	return files
}

// tests returns the files of tests for this system.
func (p *pkg) tests() []string {
	return append(append([]string(nil), p.TestGoFiles...), p.XTestGoFiles...)
}

// short is the path below the module's.
func (p *pkg) short() string {
	if p.Module == nil {
		return p.ImportPath
	}
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, p.Module.Path), "/")
}

// importable reports whether another module can import the package.
func (p *pkg) importable() bool {
	return p.Name != "main" && !strings.Contains("/"+p.ImportPath+"/", "/internal/")
}

// list returns the packages of the module without its tools.
func list(dir string) ([]pkg, error) {
	all, err := goList(dir, "./...")
	var pkgs []pkg
	for _, p := range all {
		if !isTool(p.short()) {
			pkgs = append(pkgs, p)
		}
	}
	return pkgs, err
}

// goList runs go list.
func goList(dir string, args ...string) ([]pkg, error) {
	out, err := run(dir, append([]string{"list", "-json"}, args...)...)
	if err != nil {
		return nil, err
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return pkgs, nil
		case err != nil:
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
}

// run runs the go command in dir and returns what it prints.
func run(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}

// linked is what a program consists of.
type linked struct {
	packages int // outside the standard library
	lines    int
	bytes    int64
}

// cueOnly builds a program that uses the package cue and nothing else.
func cueOnly(dir string) (*linked, error) {
	tmp, err := os.MkdirTemp("", "measure")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	root, err := run(dir, "list", "-m", "-f", "{{.Dir}}\t{{.Path}}")
	if err != nil {
		return nil, err
	}
	base, module, _ := strings.Cut(strings.TrimSpace(string(root)), "\t")
	src := filepath.Join(tmp, "main.go")
	program := fmt.Sprintf("package main\n\nimport (\n\t\"os\"\n\n\t%q\n)\n\nfunc main() {\n\tif s, err := cue.Parse(os.Stdin); err == nil {\n\t\tprintln(len(s.Files))\n\t}\n}\n", module+"/cue")
	// The program lies in the module by an overlay only.
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(base, "internal", "cueonly", "main.go"): src}})
	if err != nil {
		return nil, err
	}
	overlayFile := filepath.Join(tmp, "overlay.json")
	if err := errors.Join(os.WriteFile(src, []byte(program), 0o666), os.WriteFile(overlayFile, overlay, 0o666)); err != nil {
		return nil, err
	}
	bin := filepath.Join(tmp, "program")
	if _, err := run(base, "build", "-overlay", overlayFile, "-trimpath", "-ldflags=-s -w", "-o", bin, "./internal/cueonly"); err != nil {
		return nil, err
	}
	info, err := os.Stat(bin)
	if err != nil {
		return nil, err
	}
	pkgs, err := goList(base, "-deps", "./cue")
	if err != nil {
		return nil, err
	}
	l := &linked{bytes: info.Size()}
	for _, p := range pkgs {
		if p.Standard {
			continue
		}
		l.packages++
		for _, f := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				return nil, err
			}
			l.lines += bytes.Count(b, []byte("\n"))
		}
	}
	return l, nil
}

// coverage prints what go test says of each package.
func coverage(dir string) error {
	out, err := run(dir, "test", "-short", "-cover", "./...")
	fmt.Print("\n| package | coverage |\n|---|---|\n")
	for line := range strings.Lines(string(out)) {
		name, rest, ok := strings.Cut(line, "coverage: ")
		if !ok {
			continue
		}
		fields := strings.Fields(name)
		if percent, _, ok := strings.Cut(rest, " of "); ok && len(fields) > 0 && fields[0] == "ok" {
			_, short, _ := strings.Cut(fields[1], "/")
			fmt.Printf("| %s | %s |\n", short, percent)
		}
	}
	return err
}
