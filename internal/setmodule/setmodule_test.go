package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// home is the module's path in the test.
const home = "example.org/someone/spindle"

// importer is a program of another module.
const importer = `package main

import (
	"context"
	"fmt"
	"strings"

	"example.org/someone/spindle/cue"
	"example.org/someone/spindle/scsi/mmc"
)

func main() {
	sheet, err := cue.Parse(strings.NewReader("FILE a.bin BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n"))
	fmt.Println(len(sheet.Files), err)
	_ = func(ctx context.Context, d *mmc.Drive) error { return d.TestUnitReady(ctx) }
}
`

// TestImporters shows that under a path of its own other modules can use the
// packages.
func TestImporters(t *testing.T) {
	if os.Getenv("SPINDLE_CAMPAIGN") != "all" {
		t.Skip("it builds a copy of the module, which takes a while; SPINDLE_CAMPAIGN=all runs it")
	}
	dir := t.TempDir()
	moved := filepath.Join(dir, "spindle")
	copySources(t, filepath.Join("..", ".."), moved)
	n, err := setModule(moved, home)
	if err != nil {
		t.Fatal(err)
	}
	if n < 50 {
		t.Errorf("only %d files were changed", n)
	}
	run(t, moved, "go", "build", "./...")
	run(t, moved, "go", "test", "./internal/arrows")
	if out := run(t, moved, "gofmt", "-l", "."); out != "" {
		t.Errorf("these files are not formatted any more: %s", out)
	}

	foreign := filepath.Join(dir, "foreign")
	write(t, filepath.Join(foreign, "main.go"), importer)
	write(t, filepath.Join(foreign, "go.mod"), "module example.com/foreign\n\ngo 1.26.0\n\nrequire "+home+" v0.0.0\n\nreplace "+home+" => ../spindle\n")
	sums, err := os.ReadFile(filepath.Join(moved, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(foreign, "go.sum"), string(sums))
	if out := run(t, foreign, "go", "run", "-mod=mod", "."); out != "1 <nil>" {
		t.Errorf("the importing program prints %q", out)
	}
}

func TestGoFile(t *testing.T) {
	const src = `// Package a uses [spindle/cue].
package a

import (
	"fmt"

	"spindle/cue"
	c "spindle/disc"
)

var _ = fmt.Sprint("spindle/cue", cue.Parse, c.LBA(0))
`
	want := strings.NewReplacer(`[spindle/cue]`, `[x.org/s/cue]`, `	"spindle/cue"`, `	"x.org/s/cue"`, `c "spindle/disc"`, `c "x.org/s/disc"`).Replace(src)
	got, err := goFile([]byte(src), "spindle", "x.org/s")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// copySources copies the tree without its history and its test data.
func copySources(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == ".git" || e.Name() == "testdata"):
			return fs.SkipDir
		case !e.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		write(t, filepath.Join(to, rel), string(b))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// run runs a command in dir and returns its output.
func run(t *testing.T, dir string, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(command, " "), err, out, &stderr)
	}
	return strings.TrimSpace(string(out))
}
