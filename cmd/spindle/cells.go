package main

import (
	"fmt"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/image/picture"
)

// A cellKind is what the cells of a map can be.
type cellKind struct {
	name   string
	letter string
	look   func(p *page, s string) painted // nil: that of other text
}

// Before each row of cells stands its first sector.
const (
	gridLabel  = 10
	gridNarrow = 20 // cells in a row, at least
)

// A grid is the sectors of a disc, divided into rows of cells.
type grid struct {
	first         disc.LBA
	each          int // sectors of a cell
	columns, size int // cells: in a row, and in all
}

// newGrid divides sectors [first, end), of which there are some, into so many rows at most, for a width.
func newGrid(first, end disc.LBA, width, rows int) grid {
	columns := max(width-gridLabel, gridNarrow)
	n := int(end - first)
	each := (n + columns*rows - 1) / (columns * rows)
	return grid{first, each, columns, (n + each - 1) / each}
}

// rows draws the cells. Of kinds, those that matter more come later.
func (p *page) rows(g grid, runs []picture.Run, kinds []cellKind) []painted {
	cells := picture.Cells(runs, g.first, g.first+disc.LBA(g.size*g.each), g.size)
	var rows []painted
	for i := 0; i < g.size; i += g.columns {
		label := fmt.Sprintf("%*d  ", gridLabel-2, int(g.first)+i*g.each)
		rows = append(rows, painted(label)+p.cells(cells[i:min(i+g.columns, g.size)], kinds))
	}
	return rows
}

// cells gives a row of cells its letters and colours.
func (p *page) cells(row []int, kinds []cellKind) painted {
	var b strings.Builder
	for len(row) > 0 {
		k := row[0]
		n := slices.IndexFunc(row, func(x int) bool { return x != k })
		if n < 0 {
			n = len(row)
		}
		if k < 0 {
			b.WriteString(strings.Repeat(" ", n))
		} else {
			b.WriteString(string(p.look(kinds[k], n)))
		}
		row = row[n:]
	}
	return painted(b.String())
}

// look draws so many cells of a kind.
func (p *page) look(k cellKind, n int) painted {
	text := strings.Repeat(k.letter, n)
	if k.look == nil {
		return painted(text)
	}
	return k.look(p, text)
}
