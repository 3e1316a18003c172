package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// blockLines is how many equal lines in a row are a duplicate block.
const blockLines = 6

// A place is a line of code: its file and its index among the lines that count.
type place struct{ file, line int }

// duplicates counts the pairs of places with the same block of six or more lines.
// Blank lines, comments and lines without a letter do not count as lines.
func duplicates(pkgs []pkg) (int, error) {
	blocks := make(map[string][]place)
	file := 0
	for _, p := range pkgs {
		for _, name := range p.sources() {
			b, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				return 0, err
			}
			lines := countedLines(string(b))
			for i := 0; i+blockLines <= len(lines); i++ {
				block := strings.Join(lines[i:i+blockLines], "\n")
				blocks[block] = append(blocks[block], place{file, i})
			}
			file++
		}
	}
	// Two places that are equal from one line earlier on are part of a longer block.
	type pair struct{ a, b place }
	equal := make(map[pair]bool)
	for _, places := range blocks {
		slices.SortFunc(places, func(a, b place) int {
			if a.file != b.file {
				return a.file - b.file
			}
			return a.line - b.line
		})
		for i, a := range places {
			for _, b := range places[i+1:] {
				equal[pair{a, b}] = true
			}
		}
	}
	n := 0
	for p := range equal {
		if !equal[pair{place{p.a.file, p.a.line - 1}, place{p.b.file, p.b.line - 1}}] {
			n++
		}
	}
	return n, nil
}

// countedLines returns the lines of a file that count, without their indentation,
// from behind the imports on.
func countedLines(src string) []string {
	if _, rest, ok := strings.Cut(src, "\nimport ("); ok {
		_, src, _ = strings.Cut(rest, "\n)")
	}
	var lines []string
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "//") || !strings.ContainsFunc(line, isLetter) {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
