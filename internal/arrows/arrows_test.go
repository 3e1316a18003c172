package arrows

import (
	"fmt"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A rule says what some packages reach. Packages of the module are named by their
// path in it, all others by their import path; "a/..." is a and all below it.
type rule struct {
	name  string
	who   []string
	only  []string // beside themselves and the standard library: nothing else
	never []string // also of the standard library

	// directly limits the rule to what the packages import themselves; otherwise it
	// holds for what they reach through others, too.
	directly bool
}

// files are the packages of the standard library with which a program reaches files.
var files = []string{"os", "os/...", "path/filepath", "io/ioutil", "net/..."}

var rules = []rule{
	{
		name: "addresses are the bottom",
		who:  []string{"addr"},
		only: []string{},
	},
	{
		name:  "the model knows no file and no drive",
		who:   []string{"disc/..."},
		only:  []string{"addr", "disc/...", "golang.org/x/text/..."},
		never: files,
	},
	{
		name:  "a codec is bytes or text to model and back",
		who:   []string{"cue", "hfs", "iso", "nrg"},
		only:  []string{"addr", "disc/...", "hfs", "internal/lzfse", "golang.org/x/text/..."},
		never: files,
	},
	{
		name:  "an image knows no drive",
		who:   []string{"image/...", "hfs", "iso/...", "album/...", "merge"},
		never: []string{"scsi/...", "drive/...", "rip/...", "burn/..."},
	},
	{
		name: "commands know no disc",
		who:  []string{"scsi", "scsi/mmc"},
		only: []string{"addr", "scsi", "golang.org/x/sys/..."},
	},
	{
		name:  "client and simulator cannot share a mistake",
		who:   []string{"scsi/sim/..."},
		never: []string{"scsi/mmc"},
	},
	{
		name:     "the simulator is reached by name only",
		who:      []string{"rip/...", "burn/...", "check/...", "image/...", "merge", "scan"},
		never:    []string{"scsi/sim/...", "scsi/tcmu"},
		directly: true,
	},
	{
		name:  "ripping and burning do not need each other",
		who:   []string{"rip/...", "scan"},
		never: []string{"burn/..."},
	},
	{
		name:  "burning and ripping do not need each other",
		who:   []string{"burn/..."},
		never: []string{"rip/..."},
	},
	{
		name:  "a drive does not know what it is used for",
		who:   []string{"drive/..."},
		never: []string{"rip/...", "burn/...", "check/..."},
	},
	{
		name: "one package reaches the network",
		who: []string{"addr", "album/...", "burn/...", "check/...", "cue", "disc/...", "drive/...", "hfs", "image/...", "iso/...", "merge", "nrg",
			"rip/...", "scan", "scsi/...", "internal/..."},
		never: []string{"net/http", "net/http/...", "lookup"},
	},
	{
		name:     "the command asks by way of it",
		who:      []string{"cmd/..."},
		never:    []string{"net", "net/..."},
		directly: true,
	},
	{
		name:  "a look-up knows no drive",
		who:   []string{"lookup"},
		never: []string{"scsi/...", "drive/...", "rip/...", "burn/..."},
	},
	{
		name: "no library needs the command",
		who: []string{"addr", "album/...", "burn/...", "check/...", "cue", "disc/...", "drive/...", "hfs", "image/...", "iso/...", "lookup", "merge", "nrg",
			"rip/...", "scan", "scsi/...", "internal/..."},
		never: []string{"cmd/...", "github.com/spf13/...", "github.com/fatih/color", "github.com/cheggaaa/pb/...",
			"golang.org/x/term"},
	},
}

// An exception lets a package break a rule, with the reason for which it stands.
type exception struct{ rule, who, why string }

// exceptions ought to be empty. One that is no longer needed fails the test.
var exceptions = []exception{}

// systems are the packages whose files may be for one operating system, or ask which
// it is.
var systems = []string{"scsi/...", "internal/..."}

func TestArrows(t *testing.T) {
	tree := load(t)
	used := make([]bool, len(exceptions))
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, who := range slices.Sorted(maps.Keys(tree.imports)) {
				if !matches(r.who, who) {
					continue
				}
				found := tree.breaks(r, who)
				for _, reached := range slices.Sorted(maps.Keys(found)) {
					i := slices.IndexFunc(exceptions, func(e exception) bool { return e.rule == r.name && e.who == who })
					if i >= 0 {
						used[i] = true
						continue
					}
					t.Errorf("%s reaches %s (%s)", who, reached, found[reached])
				}
			}
			for _, pattern := range r.who {
				if strings.HasSuffix(pattern, "/...") || tree.imports[pattern] != nil {
					continue
				}
				t.Errorf("there is no package %s", pattern)
			}
		})
	}
	for i, e := range exceptions {
		if !used[i] {
			t.Errorf("%s keeps the rule %q: delete the exception (%s)", e.who, e.rule, e.why)
		}
	}
}

// TestRules shows that a rule can be broken.
func TestRules(t *testing.T) {
	tree := &tree{imports: map[string][]string{
		"cue": {"io", "disc"}, "disc": {"addr", "os"}, "addr": {}, "scsi/sim": {"helper"}, "helper": {"scsi/mmc"}, "scsi/mmc": {"fmt"},
	}}
	for _, test := range []struct {
		r    rule
		who  string
		want string
	}{
		{rule{only: []string{"disc/...", "addr"}}, "cue", ""},
		{rule{only: []string{"disc/..."}}, "cue", "addr by way of disc"},
		{rule{only: []string{"disc/..."}, directly: true}, "cue", ""},
		{rule{never: files}, "cue", "os by way of disc"},
		{rule{never: []string{"scsi/mmc"}}, "scsi/sim", "scsi/mmc by way of helper"},
		{rule{never: []string{"scsi/mmc"}, directly: true}, "scsi/sim", ""},
	} {
		var got []string
		for reached, by := range tree.breaks(test.r, test.who) {
			got = append(got, reached+" "+by)
		}
		if s := strings.Join(got, ", "); s != test.want {
			t.Errorf("%+v, %s: %q, want %q", test.r, test.who, s, test.want)
		}
	}
}

func TestSystems(t *testing.T) {
	for _, f := range load(t).sources {
		if matches(systems, f.pkg) {
			continue
		}
		if f.system != "" {
			t.Errorf("%s: %s: only packages below scsi and internal name an operating system", f.name, f.system)
		}
	}
}

// A tree is what the sources of the module import.
type tree struct {
	imports map[string][]string // of each package
	sources []source
}

// A source is one file without tests.
type source struct {
	pkg, name string
	system    string // how it names an operating system
}

// breaks returns the packages that who reaches against a rule, and how.
func (t *tree) breaks(r rule, who string) map[string]string {
	found := make(map[string]string)
	seen := map[string]bool{who: true}
	var walk func(p, by string)
	walk = func(p, by string) {
		for _, q := range t.imports[p] {
			if seen[q] {
				continue
			}
			seen[q] = true
			_, inside := t.imports[q]
			foreign := inside || strings.Contains(strings.Split(q, "/")[0], ".")
			if matches(r.never, q) || r.only != nil && foreign && !matches(r.only, q) && !matches(r.who, q) {
				found[q] = by
			}
			if inside && !r.directly {
				walk(q, "by way of "+q)
			}
		}
	}
	walk(who, "directly")
	return found
}

// matches reports whether a package is among patterns.
func matches(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		base, below := strings.CutSuffix(pattern, "/...")
		return p == base || below && strings.HasPrefix(p, base+"/")
	})
}

// load parses the imports of all files of the module, for every operating system.
func load(t *testing.T) *tree {
	t.Helper()
	root := filepath.Join("..", "..")
	module := modulePath(t, filepath.Join(root, "go.mod"))
	tree := &tree{imports: make(map[string][]string)}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != "." && (strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata"):
			return fs.SkipDir
		case e.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f := source{pkg: path.Dir(name), name: name}
		imports, err := f.parse(filepath.Join(root, filepath.FromSlash(name)), module)
		tree.sources = append(tree.sources, f)
		tree.imports[f.pkg] = append(tree.imports[f.pkg], imports...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.imports) < 20 {
		t.Fatalf("only %d packages were found", len(tree.imports))
	}
	return tree
}

// asksSystem matches code that depends on the operating system.
var asksSystem = regexp.MustCompile(`runtime\.GOOS [=!]=|[=!]= runtime\.GOOS|switch runtime\.GOOS`)

// namesSystem matches the suffix of files for one operating system.
var namesSystem = regexp.MustCompile(`_(linux|windows|darwin|freebsd|unix)(_[a-z0-9]+)?\.go$`)

// parse reads the imports of a file, and finds how it names an operating system.
func (f *source) parse(name, module string) ([]string, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	switch {
	case namesSystem.MatchString(name):
		f.system = "the name of the file"
	case asksSystem.Match(src):
		f.system = "runtime.GOOS"
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if constraint.IsGoBuild(c.Text) {
				f.system = c.Text
			}
		}
	}
	var imports []string
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(p, "golang.org/x/sys/") {
			f.system = p
		}
		imports = append(imports, strings.TrimPrefix(p, module+"/"))
	}
	return imports, nil
}

// modulePath reads the module's path, so that the test also holds under another.
func modulePath(t *testing.T, gomod string) string {
	t.Helper()
	b, err := os.ReadFile(gomod)
	if err != nil {
		t.Fatal(err)
	}
	var p string
	if _, err := fmt.Sscanf(string(b), "module %s", &p); err != nil {
		t.Fatal(err)
	}
	return p
}
