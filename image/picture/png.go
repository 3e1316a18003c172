package picture

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

var (
	white = color.RGBA{0xFF, 0xFF, 0xFF, 0xFF}
	black = color.RGBA{0, 0, 0, 0xFF}
	rim   = color.RGBA{0xF4, 0xF4, 0xF4, 0xFF}
)

// PNG draws the picture as PNG. Of the text, it shows what is ASCII.
func (p *Picture) PNG(w io.Writer) error {
	plates := p.plates()
	width, height := p.size(len(plates))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	fill(img, img.Bounds(), white)
	for i := range plates {
		p.drawPlate(img, &plates[i], margin+i*int(plateSize+margin), margin)
	}
	y := int(plateSize) + 2*margin + lineHeight
	write(img, margin, y, p.Title)
	for _, line := range p.Lines {
		y += lineHeight
		write(img, margin, y, line)
	}
	y += lineHeight / 2
	for _, k := range p.Kinds {
		y += lineHeight
		fill(img, image.Rect(margin, y-boxSize+1, margin+boxSize, y+1), k.Color)
		write(img, margin+2*boxSize, y, k.Name)
	}
	return png.Encode(w, img)
}

func fill(img draw.Image, r image.Rectangle, c color.Color) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// drawPlate draws a layer pixel by pixel.
func (p *Picture) drawPlate(img *image.RGBA, l *plate, x0, y0 int) {
	const half = plateSize / 2
	for y := range int(plateSize) {
		for x := range int(plateSize) {
			dx, dy := float64(x)+0.5-half, float64(y)+0.5-half
			radius := math.Hypot(dx, dy) / unit
			switch {
			case radius > half/unit || radius < holeRadius:
			case radius < innerRadius || radius >= outerRadius:
				img.SetRGBA(x0+x, y0+y, rim)
			default:
				img.SetRGBA(x0+x, y0+y, p.colorOf(l.at(radius, math.Atan2(dx, -dy))))
			}
		}
	}
}

// at returns the kind of the cell at a place, by its radius and its angle clockwise from the top.
func (l *plate) at(radius, angle float64) int {
	if angle < 0 {
		angle += 2 * math.Pi
	}
	n := len(l.rings)
	r := l.rings[min(n-1, int((radius-innerRadius)/(outerRadius-innerRadius)*float64(n)))]
	return l.kinds[r.first+min(r.cells-1, int(angle/(2*math.Pi)*float64(r.cells)))]
}

func write(img draw.Image, x, y int, text string) {
	ascii := make([]rune, 0, len(text))
	for _, r := range text {
		if r < ' ' || r > '~' {
			r = '?'
		}
		ascii = append(ascii, r)
	}
	d := font.Drawer{Dst: img, Src: image.NewUniform(black), Face: basicfont.Face7x13, Dot: fixed.P(x, y)}
	d.DrawString(string(ascii))
}
