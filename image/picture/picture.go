// Package picture draws which sectors of a disc are right: as a disc, for a report, in SVG
// or PNG, and as cells for a terminal. The same picture always has the same bytes.
package picture

import (
	"image/color"
	"math"

	"spindle/disc"
)

// A Kind is what sectors can be. What it is called is up to the caller.
type Kind struct {
	Name  string
	Color color.RGBA
}

// A Run is some sectors of one kind.
type Run struct {
	First disc.LBA
	Count int
	Kind  int // an index
}

// A Picture is what is drawn. A cell that stands for many sectors shows the last of their
// kinds: those that matter more come later. Sectors in no run are of the first.
type Picture struct {
	Title  string
	Lines  []string // below it
	Kinds  []Kind
	Runs   []Run // in any order; they may overlap
	Layout *disc.Layout
}

// none is the kind of a cell without a sector of any run.
const none = -1

// cells divides the sectors [first, end) into n cells, of which those with a track are of the first kind at
// least.
func (p *Picture) cells(first, end disc.LBA, n int) []int {
	var runs []Run
	for _, t := range p.Layout.Tracks() {
		runs = append(runs, Run{First: t.Begin(), Count: t.Sectors()})
	}
	return Cells(append(runs, p.Runs...), first, end, n)
}

// Cells divides the sectors [first, end) into n cells of the same size, as far as that goes, and returns for
// each the last of the kinds of its runs, which may overlap; -1 where there is none.
func Cells(runs []Run, first, end disc.LBA, n int) []int {
	cells := make([]int, n)
	for i := range cells {
		cells[i] = none
	}
	for _, r := range runs {
		from, to := max(r.First, first), min(r.First+disc.LBA(r.Count), end)
		if from >= to {
			continue
		}
		for i := cellOf(from, first, end, n); i < n && start(i, first, end, n) < to; i++ {
			cells[i] = max(cells[i], r.Kind)
		}
	}
	return cells
}

// start returns the first sector of a cell.
func start(i int, first, end disc.LBA, n int) disc.LBA {
	return first + disc.LBA(int64(end-first)*int64(i)/int64(n))
}

// cellOf returns which cell has a sector.
func cellOf(a, first, end disc.LBA, n int) int {
	i := int(int64(a-first) * int64(n) / int64(end-first))
	for i+1 < n && start(i+1, first, end, n) <= a {
		i++
	}
	return i
}

// The size of a disc and of its parts, in mm (ECMA-130 section 8).
const (
	outerRadius = 58.0
	innerRadius = 25.0
	holeRadius  = 7.5
)

// mostRings is how many rings of cells a disc has at most.
const mostRings = 24

// A ring is a turn of cells around the disc.
type ring struct {
	inner, outer float64 // radius
	first        int     // of its cells
	cells        int
}

// A plate is one layer of a disc, with its cells in rings from the inside out.
type plate struct {
	rings []ring
	kinds []int // of the cells
}

// rings divides a disc into cells that are about as wide as they are high: no more of them
// than sectors.
func rings(sectors int) []ring {
	for n := mostRings; n > 0; n-- {
		width := (outerRadius - innerRadius) / float64(n)
		var all []ring
		total := 0
		for i := range n {
			inner := innerRadius + width*float64(i)
			r := ring{inner, inner + width, total, int(math.Round(2 * math.Pi * (inner + width/2) / width))}
			all, total = append(all, r), total+r.cells
		}
		if total <= sectors || n == 1 {
			return all
		}
	}
	return nil
}

// plates returns the layers. The second one is read from the outside in, as on discs of two
// layers with opposite tracks.
func (p *Picture) plates() []plate {
	first, end := p.Layout.Tracks()[0].Begin(), p.Layout.End()
	bounds := []disc.LBA{first, end}
	if b := p.Layout.LayerBreak; b > first && b < end {
		bounds = []disc.LBA{first, b, end}
	}
	var all []plate
	for i := range len(bounds) - 1 {
		from, to := bounds[i], bounds[i+1]
		rs := rings(int(to - from))
		last := rs[len(rs)-1]
		kinds := p.cells(from, to, last.first+last.cells)
		if i > 0 {
			for a, b := 0, len(kinds)-1; a < b; a, b = a+1, b-1 {
				kinds[a], kinds[b] = kinds[b], kinds[a]
			}
		}
		all = append(all, plate{rs, kinds})
	}
	return all
}

// The page, in units of which one is 0.2 mm of the disc.
const (
	unit       = 5.0 // for a mm
	margin     = 20
	plateSize  = 2 * 60 * unit // with the rim
	lineHeight = 20
	boxSize    = 12
)

// size returns width and height of the page.
func (p *Picture) size(plates int) (width, height int) {
	lines := 1 + len(p.Lines) + len(p.Kinds)
	return max(plates*(plateSize+margin)+margin, 2*margin+plateSize), int(plateSize) + 3*margin + (lines+1)*lineHeight
}

// noneColor is the colour of the disc where nothing is.
var noneColor = color.RGBA{0xE4, 0xE4, 0xE4, 0xFF}

func (p *Picture) colorOf(kind int) color.RGBA {
	if kind < 0 || kind >= len(p.Kinds) {
		return noneColor
	}
	return p.Kinds[kind].Color
}
