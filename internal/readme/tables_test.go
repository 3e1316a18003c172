package readme

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each row of the table of quirks names tests that there are.
func TestQuirksNameTests(t *testing.T) { rowsNameTests(t, "docs/drives.md", 6, 50) }

// So does each promise.
func TestPromisesNameTests(t *testing.T) { rowsNameTests(t, "docs/promises.md", 3, 10) }

// rowsNameTests checks the tables of a page that have so many columns, of which the last names
// tests. There must be some rows at least.
func rowsNameTests(t *testing.T, page string, columns, least int) {
	t.Helper()
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	tests := testFiles(t, root)
	rows, heads := 0, 1
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		switch {
		case len(cells) != columns:
			heads = 1
			continue
		case strings.HasPrefix(cells[0], "---"):
			heads = 0
			continue
		case heads == 1:
			continue
		}
		rows++
		rowNamesTests(t, tests, root, line, cells[columns-1])
	}
	if rows < least {
		t.Errorf("%d rows", rows)
	}
}

func rowNamesTests(t *testing.T, tests map[string]string, root, line, cell string) {
	t.Helper()
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)(?:/([^`]+))?`")
	found := named.FindAllStringSubmatch(cell, -1)
	if len(found) == 0 {
		t.Errorf("no test is named: %s", line)
	}
	for _, n := range found {
		file, ok := tests[n[1]]
		switch {
		case !ok:
			t.Errorf("there is no %s: %s", n[1], line)
		case n[1] == "TestScripts":
			if _, err := os.Stat(filepath.Join(root, "cmd/spindle/testdata", n[2]+".txtar")); err != nil {
				t.Error(err)
			}
		case !strings.Contains(file, n[2]):
			t.Errorf("%s has no case %s", n[1], n[2])
		}
	}
}

// testFiles gives, by the names of the tests below a folder, the files they are in.
func testFiles(t *testing.T, root string) map[string]string {
	t.Helper()
	tests := map[string]string{}
	declared := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			tests[m[1]] += string(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
