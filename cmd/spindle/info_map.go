package main

import (
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/image"
	"spindle/image/picture"
	"spindle/internal/atomicfile"
	"spindle/internal/printable"
	"spindle/merge"
)

// toTerminal is the value of --map for a map on standard output.
const toTerminal = "-"

// mapKinds are what sectors can be, those that matter most last: their names, the colours
// of a picture (of Okabe and Ito, who chose them for all eyes), and the letters of a terminal.
var mapKinds = []struct {
	picture.Kind
	letter string
	red    bool
}{
	{picture.Kind{Name: "intact, as far as is known", Color: color.RGBA{0x00, 0x9E, 0x73, 0xFF}}, ".", false},
	{picture.Kind{Name: "repaired", Color: color.RGBA{0x56, 0xB4, 0xE9, 0xFF}}, "r", false},
	{picture.Kind{Name: disc.Unproven.String(), Color: color.RGBA{0xF0, 0xE4, 0x42, 0xFF}}, "u", true},
	{picture.Kind{Name: "contradicted", Color: color.RGBA{0xCC, 0x79, 0xA7, 0xFF}}, "c", true},
	{picture.Kind{Name: disc.ReadWithErrors.String(), Color: color.RGBA{0xE6, 0x9F, 0x00, 0xFF}}, "e", true},
	{picture.Kind{Name: disc.Unread.String(), Color: color.RGBA{0xD5, 0x5E, 0x00, 0xFF}}, "#", true},
}

// Indices of some of them.
const (
	mapRight = iota
	mapRepaired
	mapUnproven
	mapContradicted
	mapErrors
	mapUnread
)

var flawMapKinds = map[disc.FlawKind]int{disc.Unproven: mapUnproven, disc.ReadWithErrors: mapErrors, disc.Unread: mapUnread}

// mapRange is a run of sectors of one kind.
type mapRange struct {
	First disc.LBA `json:"first"`
	Last  disc.LBA `json:"last"` // inclusive
	Kind  string   `json:"kind"`
}

// A discMap is what is known of each sector of an image.
type discMap struct {
	layout *disc.Layout
	runs   []picture.Run // in order, without gaps but those between sessions
	origin *merge.Provenance
}

// newDiscMap makes the map of a disc by its flaws and, where the image was merged, by where its
// sectors come from.
func newDiscMap(l *disc.Layout, flaws disc.Flaws, origin *merge.Provenance) *discMap {
	m := &discMap{layout: l, origin: origin}
	var contradicted, repaired disc.Flaws
	if origin != nil {
		var c, r []disc.Flaw
		for _, x := range origin.Runs {
			switch x.Proof {
			case merge.Contradicted:
				c = append(c, disc.Flaw{First: x.First, Count: x.Count, Kind: disc.ReadWithErrors})
			case merge.Corrected, merge.Voted:
				r = append(r, disc.Flaw{First: x.First, Count: x.Count, Kind: disc.Unproven})
			}
		}
		contradicted, repaired = disc.FlawsOf(c...), disc.FlawsOf(r...)
	}
	for _, t := range l.Tracks() {
		at := t.Begin()
		for _, f := range flaws.Clip(t.Begin(), t.End) {
			m.right(at, f.First, repaired)
			m.flawed(f, contradicted)
			at = f.End()
		}
		m.right(at, t.End, repaired)
	}
	return m
}

func (m *discMap) add(first, end disc.LBA, kind int) {
	if first >= end {
		return
	}
	if k := len(m.runs) - 1; k >= 0 && m.runs[k].Kind == kind && m.runs[k].First+disc.LBA(m.runs[k].Count) == first {
		m.runs[k].Count += int(end - first)
		return
	}
	m.runs = append(m.runs, picture.Run{First: first, Count: int(end - first), Kind: kind})
}

// right adds sectors without a flaw.
func (m *discMap) right(first, end disc.LBA, repaired disc.Flaws) {
	for _, r := range repaired.Clip(first, end) {
		m.add(first, r.First, mapRight)
		m.add(r.First, r.End(), mapRepaired)
		first = r.End()
	}
	m.add(first, end, mapRight)
}

// flawed adds sectors with a flaw.
func (m *discMap) flawed(f disc.Flaw, contradicted disc.Flaws) {
	first, kind := f.First, flawMapKinds[f.Kind]
	if kind == mapErrors {
		for _, c := range contradicted.Clip(f.First, f.End()) {
			m.add(first, c.First, kind)
			m.add(c.First, c.End(), mapContradicted)
			first = c.End()
		}
	}
	m.add(first, f.End(), kind)
}

// sectors counts those of a kind.
func (m *discMap) sectors(kind int) int {
	n := 0
	for _, r := range m.runs {
		if r.Kind == kind {
			n += r.Count
		}
	}
	return n
}

// ranges lists the map for JSON.
func (m *discMap) ranges() []mapRange {
	var all []mapRange
	for _, r := range m.runs {
		all = append(all, mapRange{r.First, r.First + disc.LBA(r.Count) - 1, mapKinds[r.Kind].Name})
	}
	return all
}

// picture makes a picture for a report.
func (m *discMap) picture(name string) *picture.Picture {
	size := int64(m.layout.Sectors()) * int64(m.layout.Medium.SectorSize())
	p := &picture.Picture{Title: printable.Line(name), Layout: m.layout, Runs: m.runs,
		Lines: []string{fmt.Sprintf("%s, %s, %s; from the inside out, clockwise from the top", m.layout.Medium, plural(m.layout.Sectors(), "sector"), sizeText(size))}}
	if m.origin != nil {
		given := make([]int, len(m.origin.Copies))
		for _, r := range m.origin.Runs {
			if r.Copy >= 0 && r.Proof.Good() {
				given[r.Copy] += r.Count
			}
		}
		for i, c := range m.origin.Copies {
			p.Lines = append(p.Lines, fmt.Sprintf("from %s: %s", printable.Line(filepath.Base(c.Name)), plural(given[i], "sector")))
		}
	}
	for i := range mapKinds {
		k := mapKinds[i].Kind
		k.Name = fmt.Sprintf("%s: %s", k.Name, plural(m.sectors(i), "sector"))
		p.Kinds = append(p.Kinds, k)
	}
	return p
}

// pictureFormats are the pictures by their suffixes.
var pictureFormats = map[string]func(*picture.Picture, io.Writer) error{
	".svg": (*picture.Picture).SVG,
	".png": (*picture.Picture).PNG,
}

// checkMap looks whether a map can be made under a name.
func checkMap(out string) error {
	if out == toTerminal || out == "" || pictureFormats[strings.ToLower(suffix(out))] != nil {
		return nil
	}
	return usage("--map makes an .svg or a .png file, or writes to standard output for \"-\": %q is none of these", out)
}

// write draws the map into a file.
func (m *discMap) write(out, name string, sources []string, force bool) error {
	if _, err := os.Lstat(out); err == nil && !force {
		return fmt.Errorf("%s %w", out, image.ErrExists)
	}
	if err := atomicfile.KeepSources([]string{out}, sources); err != nil {
		return err
	}
	draw := pictureFormats[strings.ToLower(suffix(out))]
	return atomicfile.Write(out, func(f *os.File) error { return draw(m.picture(name), f) })
}

// The map on a terminal: rows of cells behind the number of their first sector.
const (
	mapRows   = 16
	mapLabel  = 10
	mapNarrow = 20 // cells in a row, at least
)

// text shows the map: as cells on a terminal, as ranges elsewhere.
func (m *discMap) text(p *page) {
	if !p.terminal {
		for _, r := range m.runs {
			p.line("%s (%d): %s", sectorRange(r.First, r.First+disc.LBA(r.Count)-1), r.Count, mapKinds[r.Kind].Name)
		}
		return
	}
	first, end := m.layout.Tracks()[0].Begin(), m.layout.End()
	columns := max(p.width-mapLabel, mapNarrow)
	each := (int(end-first) + columns*mapRows - 1) / (columns * mapRows) // sectors of a cell
	n := (int(end-first) + each - 1) / each
	cells := m.picture("").Cells(first, first+disc.LBA(n*each), n)
	for i := 0; i < n; i += columns {
		p.line("%*d  %s", mapLabel-2, int(first)+i*each, p.cells(cells[i:min(i+columns, n)]))
	}
	var legend []string
	for i, k := range mapKinds {
		if s := m.sectors(i); s > 0 {
			legend = append(legend, fmt.Sprintf("%s %s (%d)", k.letter, k.Name, s))
		}
	}
	p.text("Each cell is %s: %s.", plural(each, "sector"), strings.Join(legend, ", "))
}

// cells gives a row of cells its letters and colours.
func (p *page) cells(kinds []int) painted {
	var b strings.Builder
	for len(kinds) > 0 {
		k := kinds[0]
		n := slices.IndexFunc(kinds, func(x int) bool { return x != k })
		if n < 0 {
			n = len(kinds)
		}
		switch {
		case k < 0:
			b.WriteString(strings.Repeat(" ", n))
		case mapKinds[k].red:
			b.WriteString(string(p.red(strings.Repeat(mapKinds[k].letter, n))))
		default:
			b.WriteString(strings.Repeat(mapKinds[k].letter, n))
		}
		kinds = kinds[n:]
	}
	return painted(b.String())
}
