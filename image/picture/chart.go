package picture

import (
	"bufio"
	"io"
	"math"
)

// A Point is a value between two places.
type Point struct {
	From, To float64
	Value    float64 // 0: unknown
}

// A Mark is a kind of thing that was met between two places.
type Mark struct {
	From, To float64
	Kind     int // an index
}

// A Chart is a curve of values over places, with marks below it.
type Chart struct {
	Title  string
	Lines  []string // below it
	Points []Point  // in order
	Before []Point  // another curve, paler
	Marks  []Mark
	Kinds  []Kind // of marks
	Unit   string // of values
}

// The page of a chart.
const (
	chartWidth  = 800
	chartHeight = 300
	chartLeft   = 60
	markHeight  = 10
	gridLines   = 4
)

// SVG draws the chart as SVG 1.1.
func (c *Chart) SVG(w io.Writer) error {
	width, height := chartLeft+chartWidth+2*margin, chartHeight+5*margin+(len(c.Lines)+len(c.Kinds)+2)*lineHeight
	s := &svg{w: bufio.NewWriter(w)}
	s.put("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"14\">\n", width, height, width, height)
	s.put("<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n")
	s.text(margin, margin+lineHeight/2, c.Title, " font-weight=\"bold\"")
	top, end := c.top(), c.end()
	x := func(at float64) float64 { return chartLeft + at/end*chartWidth }
	y := func(v float64) float64 { return 2*margin + chartHeight - v/top*chartHeight }
	for i := range gridLines + 1 {
		v := top * float64(i) / gridLines
		s.put("<path d=\"M%d %.1fH%d\" stroke=\"#ccc\"/>\n", chartLeft, y(v), chartLeft+chartWidth)
		s.put("<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g%s</text>\n", chartLeft-6, y(v)+5, v, c.Unit)
	}
	c.curve(s, c.Before, "#bbb", x, y)
	c.curve(s, c.Points, "#0072b2", x, y)
	for _, m := range c.Marks {
		s.put("<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"%s\"/>\n",
			x(m.From), 2*margin+chartHeight+2, max(x(m.To)-x(m.From), 1), markHeight, hex(c.Kinds[m.Kind].Color))
	}
	at := 2*margin + chartHeight + markHeight + lineHeight
	s.put("<text x=\"%d\" y=\"%d\">0</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f</text>\n", chartLeft, at, chartLeft+chartWidth, at, end)
	for _, line := range c.Lines {
		at += lineHeight
		s.text(chartLeft, at, line, "")
	}
	at += lineHeight / 2
	for _, k := range c.Kinds {
		at += lineHeight
		s.put("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", chartLeft, at-boxSize+1, boxSize, boxSize, hex(k.Color))
		s.text(chartLeft+2*boxSize, at, k.Name, "")
	}
	s.put("</svg>\n")
	return s.w.Flush()
}

// curve draws values as steps, and nothing where they are unknown.
func (c *Chart) curve(s *svg, all []Point, stroke string, x, y func(float64) float64) {
	drawn := false
	for _, p := range all {
		if p.Value <= 0 {
			drawn = false
			continue
		}
		if drawn {
			s.put(" V%.1f H%.1f", y(p.Value), x(p.To))
			continue
		}
		if s.open {
			s.put("\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", stroke)
		}
		s.put("<path d=\"M%.1f %.1f H%.1f", x(p.From), y(p.Value), x(p.To))
		s.open, drawn = true, true
	}
	if s.open {
		s.put("\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", stroke)
		s.open = false
	}
}

// end returns the last place.
func (c *Chart) end() float64 {
	end := 1.0
	for _, p := range c.Points {
		end = max(end, p.To)
	}
	return end
}

// top returns a round value that is not below any other.
func (c *Chart) top() float64 {
	most := 0.0
	for _, all := range [][]Point{c.Points, c.Before} {
		for _, p := range all {
			most = max(most, p.Value)
		}
	}
	return max(math.Ceil(most/gridLines), 1) * gridLines
}
