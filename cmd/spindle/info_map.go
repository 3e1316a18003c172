package main

import (
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
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

// mapKinds are what sectors can be, those that matter most last, with the colours of a picture (of Okabe and
// Ito, who chose them for all eyes).
var mapKinds = []struct {
	cellKind
	shade color.RGBA
}{
	{cellKind{"no damage known", ".", nil}, color.RGBA{0x00, 0x9E, 0x73, 0xFF}},
	{cellKind{"repaired", "r", nil}, color.RGBA{0x56, 0xB4, 0xE9, 0xFF}},
	{cellKind{disc.Unproven.String(), "u", (*page).red}, color.RGBA{0xF0, 0xE4, 0x42, 0xFF}},
	{cellKind{"contradicted", "c", (*page).red}, color.RGBA{0xCC, 0x79, 0xA7, 0xFF}},
	{cellKind{disc.ReadWithErrors.String(), "e", (*page).red}, color.RGBA{0xE6, 0x9F, 0x00, 0xFF}},
	{cellKind{disc.Unread.String(), "#", (*page).red}, color.RGBA{0xD5, 0x5E, 0x00, 0xFF}},
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
		all = append(all, mapRange{r.First, r.First + disc.LBA(r.Count) - 1, mapKinds[r.Kind].name})
	}
	return all
}

// picture makes a picture for a report.
func (m *discMap) picture(name string) *picture.Picture {
	size := int64(m.layout.Sectors()) * int64(m.layout.Medium.SectorSize())
	p := &picture.Picture{Title: printable.Line(name), Layout: m.layout, Runs: m.runs,
		Lines: []string{fmt.Sprintf("%s, %s, %s; from the inside out, clockwise from the top", m.layout.Medium, plural(m.layout.Sectors(), "sector"), sizeText(size))}}
	p.Lines = append(p.Lines, "as recorded beside the image; its sectors were not read")
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
	for i, k := range mapKinds {
		p.Kinds = append(p.Kinds, picture.Kind{Name: fmt.Sprintf("%s: %s", k.name, plural(m.sectors(i), "sector")), Color: k.shade})
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

// mapRows is how many rows the map has on a terminal.
const mapRows = 16

// text shows the map: as cells on a terminal, as ranges elsewhere.
func (m *discMap) text(p *page) {
	if !p.terminal {
		for _, r := range m.runs {
			p.line("%s (%d): %s", sectorRange(r.First, r.First+disc.LBA(r.Count)-1), r.Count, mapKinds[r.Kind].name)
		}
		return
	}
	g := newGrid(m.layout.Tracks()[0].Begin(), m.layout.End(), p.width, mapRows)
	var kinds []cellKind
	var legend []string
	for i, k := range mapKinds {
		kinds = append(kinds, k.cellKind)
		if s := m.sectors(i); s > 0 {
			legend = append(legend, fmt.Sprintf("%s %s (%d)", k.letter, k.name, s))
		}
	}
	for _, row := range p.rows(g, m.runs, kinds) {
		p.line("%s", row)
	}
	p.text("Each cell is %s: %s.", plural(g.each, "sector"), strings.Join(legend, ", "))
}
