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
func TestQuirksNameTests(t *testing.T) {
	const root = "../.."
	page, err := os.ReadFile(filepath.Join(root, "docs/drives.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testFiles(t, root)
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)(?:/([^`]+))?`")
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 6 || strings.HasPrefix(cells[0], "---") || strings.TrimSpace(cells[0]) == "area" {
			continue
		}
		rows++
		found := named.FindAllStringSubmatch(cells[5], -1)
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
	if rows < 50 {
		t.Errorf("%d rows", rows)
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
