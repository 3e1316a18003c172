package main

import (
	"fmt"
	"strings"

	"spindle/disc"
	"spindle/image/picture"
	"spindle/internal/screen"
	"spindle/rip"
)

// What a cell of the map of a running rip can be: those that matter more come later.
const (
	liveRead = iota
	liveWon
	liveOnce
	liveUntried
	liveProtected
	liveErrors
	liveTogether
	liveUnreadable
	liveNow
	liveKindCount
)

// liveKinds are how they are shown.
var liveKinds = [liveKindCount]cellKind{
	liveRead:       {"read", ".", nil},
	liveWon:        {"recovered", "r", (*page).green},
	liveOnce:       {"read once", "u", nil},
	liveUntried:    {"to read", "-", nil},
	liveProtected:  {"copy-protected", "p", (*page).yellow},
	liveErrors:     {"with errors", "e", (*page).red},
	liveTogether:   {"to retry", "?", (*page).yellow},
	liveUnreadable: {"unreadable", "#", (*page).red},
	liveNow:        {"now", "@", (*page).cyan},
}

// liveOf gives what a rip has not got its kind.
var liveOf = map[rip.Reason]int{
	rip.NotTried: liveUntried, rip.NotCompared: liveOnce, rip.Protected: liveProtected,
	rip.Flawed: liveErrors, rip.GivenUp: liveTogether, rip.Unreadable: liveUnreadable,
}

// The rows of the map, and the least height of a terminal for so many.
var liveRows = []struct{ height, rows int }{{20, 4}, {14, 2}, {9, 1}}

// A liveMap is the map of a rip that is running. It is shown from when something could not be read.
type liveMap struct {
	failed disc.Flaws // what was unreadable, or came with errors, at some time
	shown  bool
}

// lines draws the map, for what the rip is doing, a width and a height; nil: there is no room, or no need.
func (m *liveMap) lines(p *page, now rip.Progress, width, height int) []string {
	m.shown = m.shown || now.Bad > 0
	rows := 0
	for _, x := range liveRows {
		if height >= x.height {
			rows = x.rows
			break
		}
	}
	if rows == 0 || !m.shown || now.Coverage == nil || width < gridLabel+gridNarrow {
		return nil
	}
	c := now.Coverage()
	if len(c.Areas) == 0 {
		return nil
	}
	runs, counts := m.runs(c)
	if now.Phase != rip.Hashing {
		runs = append(runs, picture.Run{First: now.LBA, Count: max(1, now.Sectors), Kind: liveNow})
		counts[liveNow] = 1
	}
	g := newGrid(c.Areas[0].First, c.Areas[len(c.Areas)-1].End, width, rows)
	var lines []string
	for _, row := range p.rows(g, runs, liveKinds[:]) {
		lines = append(lines, string(row))
	}
	return append(lines, legend(p, g, counts, width)...)
}

// runs gives sectors their kinds, and counts them.
func (m *liveMap) runs(c rip.Coverage) (runs []picture.Run, counts [liveKindCount]int) {
	var failed []disc.Flaw
	var left []picture.Run
	for _, b := range c.Left {
		n := int(b.Last-b.First) + 1
		kind := liveOf[b.Reason]
		left = append(left, picture.Run{First: b.First, Count: n, Kind: kind})
		counts[kind] += n
		counts[liveRead] -= n
		switch kind {
		case liveErrors, liveUnreadable:
			failed = append(failed, disc.Flaw{First: b.First, Count: n, Kind: disc.Unread})
		default: // what is read again is not won yet
			counts[liveWon] -= m.failed.Clip(b.First, b.Last+1).Sectors()
		}
	}
	m.failed = m.failed.Union(failed)
	won := m.failed.Sectors() + counts[liveWon] - counts[liveErrors] - counts[liveUnreadable]
	counts[liveWon] = won
	counts[liveRead] -= won
	for _, a := range c.Areas {
		n := int(a.End - a.First)
		runs = append(runs, picture.Run{First: a.First, Count: n, Kind: liveRead})
		counts[liveRead] += n
	}
	for _, f := range m.failed {
		runs = append(runs, picture.Run{First: f.First, Count: f.Count, Kind: liveWon})
	}
	return append(runs, left...), counts
}

// legend says what the cells are, and how many sectors are such.
func legend(p *page, g grid, counts [liveKindCount]int, width int) []string {
	var items []string
	for i, k := range liveKinds {
		switch {
		case counts[i] == 0:
		case i == liveNow:
			items = append(items, string(p.look(k, 1))+" "+k.name)
		default:
			items = append(items, fmt.Sprintf("%s %s %d", p.look(k, 1), k.name, counts[i]))
		}
	}
	items = append(items, fmt.Sprintf("(%s a cell)", plural(g.each, "sector")))
	const indent, between = gridLabel, "  "
	var lines []string
	for _, item := range items {
		if last := len(lines) - 1; last >= 0 && screen.Width(lines[last]+between+item) <= width {
			lines[last] += between + item
			continue
		}
		lines = append(lines, strings.Repeat(" ", indent)+item)
	}
	return lines
}
