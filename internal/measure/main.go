// Command measure counts the source tree: sizes, complexity, exported names, what
// a small program links, and coverage. It prints the tables of docs/house.md.
//
//	go run ./internal/measure [-cover] [-callers] [DIR]
//
// DIR is the root of a checkout, by default the current folder.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	cover := flag.Bool("cover", false, "measure the coverage of each package (runs go test -short)")
	unused := flag.Bool("callers", false, "only list the exported names that no other package mentions")
	flag.Parse()
	dir := "."
	if flag.NArg() > 0 {
		dir = flag.Arg(0)
	}
	err := error(nil)
	if *unused {
		err = callers(dir)
	} else {
		err = measure(dir, *cover)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// measure prints all tables for the checkout in dir.
func measure(dir string, cover bool) error {
	pkgs, err := list(dir)
	if err != nil {
		return err
	}
	t, err := count(pkgs)
	if err != nil {
		return err
	}
	fmt.Println("| measure | value |\n|---|---|")
	row("packages", "%d", len(pkgs))
	row("files: number, median, longest (lines)", "%d, %d, %d (%s)", len(t.files), median(t.files), t.files[0].value, t.files[0].name)
	row("functions: number, median (lines)", "%d, %d", len(t.lines), median(t.lines))
	row("functions over 50 and over 100 lines", "%d, %d", over(t.lines, 50), over(t.lines, 100))
	row("functions of cyclomatic complexity over 15", "%d", over(t.complexity, 15))
	row("exported top-level names of importable packages: all, without constants", "%d, %d", total(t.exported), total(t.exported)-t.constants)
	row("functions with a boolean parameter: all, exported", "%d, %d", t.boolFuncs, t.exportedBoolFuncs)
	row("lines of code, of tests, tests to code", "%d, %d, %.2f", t.code, t.tests, float64(t.tests)/float64(t.code))
	n, err := duplicates(pkgs)
	if err != nil {
		return err
	}
	row("duplicate blocks (pairs of six or more equal lines)", "%d", n)
	c, err := cueOnly(dir)
	if err != nil {
		return err
	}
	row("a program that imports only cue: packages outside the standard library, their lines, bytes linked", "%d, %d, %d", c.packages, c.lines, c.bytes)

	top("longest functions", "lines", t.lines, 10)
	top("most complex functions", "complexity", t.complexity, 10)
	top("exported top-level names", "names", t.exported, len(t.exported))
	if cover {
		return coverage(dir)
	}
	return nil
}

// row prints one line of the first table.
func row(name, format string, args ...any) {
	fmt.Printf("| %s | %s |\n", name, fmt.Sprintf(format, args...))
}

// top prints the n largest values as a table.
func top(title, unit string, values []value, n int) {
	fmt.Printf("\n| %s | %s |\n|---|---|\n", title, unit)
	for _, v := range values[:min(n, len(values))] {
		fmt.Printf("| %s | %d |\n", v.name, v.value)
	}
}

// A value is one counted thing.
type value struct {
	name  string
	value int
}

// largestFirst orders by value, then by name.
func largestFirst(values []value) {
	slices.SortFunc(values, func(a, b value) int {
		if a.value != b.value {
			return b.value - a.value
		}
		return strings.Compare(a.name, b.name)
	})
}

// median returns the middle of values in order.
func median(values []value) int {
	return values[len(values)/2].value
}

// over counts the values above limit.
func over(values []value, limit int) int {
	n := 0
	for _, v := range values {
		if v.value > limit {
			n++
		}
	}
	return n
}

// total adds up the values.
func total(values []value) int {
	n := 0
	for _, v := range values {
		n += v.value
	}
	return n
}
