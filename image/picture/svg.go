package picture

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"image/color"
	"io"
	"math"
	"strings"
)

// SVG draws the picture as SVG 1.1.
func (p *Picture) SVG(w io.Writer) error {
	plates := p.plates()
	width, height := p.size(len(plates))
	s := &svg{w: bufio.NewWriter(w)}
	s.put("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"14\">\n", width, height, width, height)
	s.put("<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n")
	for i := range plates {
		x := float64(margin+plateSize/2) + float64(i)*(plateSize+margin)
		s.plate(p, &plates[i], x, margin+plateSize/2)
	}
	y := int(plateSize) + 2*margin + lineHeight
	s.text(margin, y, p.Title, " font-weight=\"bold\"")
	for _, line := range p.Lines {
		y += lineHeight
		s.text(margin, y, line, "")
	}
	y += lineHeight / 2
	for _, k := range p.Kinds {
		y += lineHeight
		s.put("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", margin, y-boxSize+1, boxSize, boxSize, hex(k.Color))
		s.text(margin+2*boxSize, y, k.Name, "")
	}
	s.put("</svg>\n")
	return s.w.Flush()
}

// svg writes elements. The writer keeps the first error.
type svg struct {
	w    *bufio.Writer
	open bool // a path is begun
}

func (s *svg) put(format string, args ...any) { fmt.Fprintf(s.w, format, args...) }

func (s *svg) text(x, y int, text, more string) {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	s.put("<text x=\"%d\" y=\"%d\"%s>%s</text>\n", x, y, more, b.String())
}

// plate draws a layer: cells of one kind side by side are one arc.
func (s *svg) plate(p *Picture, l *plate, x, y float64) {
	s.put("<circle cx=\"%g\" cy=\"%g\" r=\"%g\" fill=\"#f4f4f4\" stroke=\"#999\"/>\n", x, y, 60*unit)
	for _, r := range l.rings {
		for from := 0; from < r.cells; {
			to := from + 1
			for to < r.cells && l.kinds[r.first+to] == l.kinds[r.first+from] {
				to++
			}
			s.arc(x, y, r, from, to, hex(p.colorOf(l.kinds[r.first+from])))
			from = to
		}
	}
	s.put("<circle cx=\"%g\" cy=\"%g\" r=\"%g\" fill=\"#fff\" stroke=\"#999\"/>\n", x, y, holeRadius*unit)
}

// arc draws the cells [from, to) of a ring.
func (s *svg) arc(x, y float64, r ring, from, to int, fill string) {
	inner, outer := r.inner*unit, r.outer*unit
	if to-from == r.cells {
		s.put("<circle cx=\"%g\" cy=\"%g\" r=\"%.2f\" fill=\"none\" stroke=\"%s\" stroke-width=\"%.2f\"/>\n", x, y, (inner+outer)/2, fill, outer-inner)
		return
	}
	a, b := r.angle(from), r.angle(to)
	large := 0
	if b-a > math.Pi {
		large = 1
	}
	at := func(radius, angle float64) string {
		return fmt.Sprintf("%.2f %.2f", x+radius*math.Sin(angle), y-radius*math.Cos(angle))
	}
	s.put("<path d=\"M%s A%.2f %.2f 0 %d 1 %s L%s A%.2f %.2f 0 %d 0 %s Z\" fill=\"%s\"/>\n",
		at(outer, a), outer, outer, large, at(outer, b), at(inner, b), inner, inner, large, at(inner, a), fill)
}

// angle returns where a cell begins, clockwise from the top.
func (r *ring) angle(cell int) float64 { return 2 * math.Pi * float64(cell) / float64(r.cells) }

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
