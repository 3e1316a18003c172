package readme

import (
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// update rewrites the sessions with what the commands print:
//
//	go test ./internal/readme -update
var update = flag.Bool("update", false, "rewrite the sessions in the pages")

// root is the folder of the module.
var root = filepath.Join("..", "..")

// pages returns the pages that users read.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatalf("no pages in docs: %v", err)
	}
	return append(docs, filepath.Join(root, "README.md"))
}

// session matches a block of commands with what they print.
var session = regexp.MustCompile("(?s)```console\n(.*?)```")

// TestSessions runs the sessions of each page, one after the other in one folder,
// and compares what is printed. A line that begins with "$ " is a command; "..."
// stands for any lines.
func TestSessions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the sessions are those of a POSIX shell")
	}
	program := build(t)
	total := 0
	for _, page := range pages(t) {
		t.Run(filepath.Base(page), func(t *testing.T) {
			src, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			dir := demo(t)
			out := session.ReplaceAllStringFunc(string(src), func(block string) string {
				text := session.FindStringSubmatch(block)[1]
				var b strings.Builder
				for line := range strings.Lines(text) {
					if command, ok := strings.CutPrefix(line, "$ "); ok {
						b.WriteString(line + run(t, dir, program, command))
						total++
					}
				}
				if !like(b.String(), text) {
					if !*update {
						t.Errorf("the session is\n%s\nand the page has\n%s\n\"go test ./internal/readme -update\" rewrites it", b.String(), text)
					}
					return "```console\n" + b.String() + "```"
				}
				return block
			})
			if *update && out != string(src) {
				if err := os.WriteFile(page, []byte(out), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if total < 5 {
		t.Errorf("only %d commands were run", total)
	}
}

// frame matches a block of what a terminal shows.
var frame = regexp.MustCompile("(?s)```text\n(.*?)```")

// TestFrames finds what the pages show of a terminal among the frames that are compared with what the program draws.
// "..." stands for any lines.
func TestFrames(t *testing.T) {
	frames, err := os.ReadFile(filepath.Join(root, "cmd", "spindle", "testdata", "frames.golden"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, page := range pages(t) {
		src, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range frame.FindAllStringSubmatch(string(src), -1) {
			seen++
			for part := range strings.SplitSeq(block[1], "...\n") {
				if !strings.Contains(string(frames), part) {
					t.Errorf("%s: no terminal shows\n%s", filepath.Base(page), part)
				}
			}
		}
	}
	if seen < 2 {
		t.Errorf("only %d frames were found", seen)
	}
}

// varies matches what differs from run to run: the time of day.
var varies = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

// like reports whether got is what a page has.
func like(got, want string) bool {
	pattern := regexp.QuoteMeta(varies.ReplaceAllString(want, "TIME"))
	pattern = strings.ReplaceAll(pattern, regexp.QuoteMeta("...\n"), `(?:.*\n)*`)
	return regexp.MustCompile("^" + pattern + "$").MatchString(varies.ReplaceAllString(got, "TIME"))
}

// TestFlags looks up each command and flag in the pages in the program's own help.
func TestFlags(t *testing.T) {
	program := build(t)
	help := make(map[string]string)
	seen := 0
	for _, page := range pages(t) {
		src, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range use.FindAllStringSubmatch(string(src), -1) {
			command, args := m[1], m[2]
			if _, ok := help[command]; !ok {
				out, err := exec.CommandContext(t.Context(), program, command, "--help").CombinedOutput()
				if err != nil || !strings.Contains(string(out), "spindle "+command) {
					t.Errorf("%s: there is no command %q", filepath.Base(page), command)
				}
				help[command] = string(out)
			}
			for _, f := range long.FindAllString(args, -1) {
				seen++
				if !strings.Contains(help[command], f+" ") {
					t.Errorf("%s: spindle %s has no flag %s", filepath.Base(page), command, f)
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d flags were found", seen)
	}
}

var (
	// use matches a command line in a block or between back quotes.
	use = regexp.MustCompile("(?m)(?:^ {4}|^\\$ |^    \\$ |`|sudo |\\| )(?:\\$ )?spindle ([a-z]+)([^`|\n]*)")
	// long matches the long flags in it.
	long = regexp.MustCompile(`--[a-z][a-z0-9-]*`)
)

// TestLinks follows the links between the pages.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):#]+)(#[^)]*)?\)`)
	more, err := filepath.Glob(filepath.Join(root, "docs", "decisions", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(append(pages(t), more...), filepath.Join(root, "CONTRIBUTING.md")) {
		src, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(src), -1) {
			target := filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1]))
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", filepath.Base(page), err)
				continue
			}
			if m[2] != "" && !hasHeading(t, target, m[2][1:]) {
				t.Errorf("%s: %s has no heading %s", filepath.Base(page), m[1], m[2])
			}
		}
	}
}

// TestQuotes looks for the messages that the pages quote (**"like this"**) in the
// sources.
func TestQuotes(t *testing.T) {
	sources := goSources(t)
	quote := regexp.MustCompile(`\*\*(?:attach: )?"([^"]+)"`)
	seen := 0
	for _, page := range pages(t) {
		src, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quote.FindAllStringSubmatch(string(src), -1) {
			seen++
			if !strings.Contains(sources, m[1]) {
				t.Errorf("%s: spindle never says %q", filepath.Base(page), m[1])
			}
		}
	}
	if seen == 0 {
		t.Error("no quotes were found")
	}
}

// TestPaths shows that the files and packages that CONTRIBUTING names exist.
func TestPaths(t *testing.T) {
	src, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	path := regexp.MustCompile("`((?:[a-z0-9_.-]+/)+[A-Za-z0-9_.-]+)`")
	seen := 0
	for _, m := range path.FindAllStringSubmatch(string(src), -1) {
		seen++
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(m[1]))); err != nil {
			t.Errorf("CONTRIBUTING.md: %v", err)
		}
	}
	if seen < 20 {
		t.Errorf("only %d paths were found", seen)
	}
}

// goSources returns all Go files of the module, one after the other.
func goSources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "internal" || e.Name() == ".git"):
			return fs.SkipDir
		case filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		b, err := os.ReadFile(name)
		all.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// hasHeading reports whether a page has the heading that an anchor names.
func hasHeading(t *testing.T, page, anchor string) bool {
	t.Helper()
	src, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(src)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			if strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "-") == anchor {
				return true
			}
		}
	}
	return false
}

// build builds the program and returns its path.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "spindle")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/spindle")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// demo returns a folder with the demo disc, and a folder photos.
func demo(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "testdata", "demo"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "photos"), 0o777); err != nil {
		t.Fatal(err)
	}
	noise := rand.NewChaCha8([32]byte{})
	for _, name := range []string{"beach.jpg", "harbour.jpg", "island.jpg"} {
		b := make([]byte, 900_000)
		noise.Read(b)
		if err := os.WriteFile(filepath.Join(dir, "photos", name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// run runs a command line and returns what it prints, whether or not it fails.
func run(t *testing.T, dir, program, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"), "HOME="+dir, "NO_COLOR=1",
		"XDG_STATE_HOME="+filepath.Join(dir, ".state"), "XDG_CONFIG_HOME="+filepath.Join(dir, ".config"), "SOURCE_DATE_EPOCH=1735689600", "TZ=UTC")
	out, _ := cmd.CombinedOutput()
	return string(out)
}
