package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"

	"spindle/disc"
)

func example(sectors, layerBreak disc.LBA) *Picture {
	return &Picture{
		Title: "a <disc> & more", Lines: []string{"a line"},
		Kinds: []Kind{{"good", color.RGBA{0, 158, 115, 255}}, {"bad", color.RGBA{213, 94, 0, 255}}},
		Runs:  []Run{{sectors / 2, int(sectors) / 10, 1}},
		Layout: &disc.Layout{Medium: disc.DVD, LayerBreak: layerBreak, Sessions: []disc.Session{{
			Number: 1, LeadOut: sectors, Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, End: sectors}},
		}}},
	}
}

func TestCells(t *testing.T) {
	p := example(100, 0)
	for _, c := range []struct {
		first, end disc.LBA
		n          int
		want       string
	}{
		{0, 100, 10, "[0 0 0 0 0 1 0 0 0 0]"},
		{0, 100, 3, "[0 1 0]"},
		{50, 60, 10, "[1 1 1 1 1 1 1 1 1 1]"},
		{45, 65, 4, "[0 1 1 0]"},
		{90, 110, 4, "[0 0 -1 -1]"},
	} {
		if got := fmt.Sprint(p.cells(c.first, c.end, c.n)); got != c.want {
			t.Errorf("%d to %d in %d: %s, want %s", c.first, c.end, c.n, got, c.want)
		}
	}
	for n := 1; n < 300; n++ { // each sector has a cell, and each damaged one shows
		for a := range disc.LBA(100) {
			i := cellOf(a, 0, 100, n)
			if start(i, 0, 100, n) > a || i+1 < n && start(i+1, 0, 100, n) <= a {
				t.Fatalf("sector %d is not in cell %d of %d", a, i, n)
			}
		}
	}
}

func TestPictures(t *testing.T) {
	for _, c := range []struct {
		name       string
		sectors    disc.LBA
		layerBreak disc.LBA
		plates     int
	}{{"small", 10, 0, 1}, {"CD", 333000, 0, 1}, {"two layers", 4000000, 2000000, 2}} {
		t.Run(c.name, func(t *testing.T) {
			p := example(c.sectors, c.layerBreak)
			var a, b, pic bytes.Buffer
			if err := errors.Join(p.SVG(&a), p.SVG(&b), p.PNG(&pic)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Error("the picture is another one each time")
			}
			if n := strings.Count(a.String(), `r="300"`); n != c.plates {
				t.Errorf("%d layers", n)
			}
			if !strings.Contains(a.String(), "#d55e00") || !strings.Contains(a.String(), "a &lt;disc&gt; &amp; more") || a.Len() > 200000 {
				t.Errorf("%d bytes", a.Len())
			}
			for d := xml.NewDecoder(&a); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			img, err := png.Decode(&pic)
			if err != nil {
				t.Fatal(err)
			}
			colors := make(map[color.Color]int)
			for y := range img.Bounds().Dy() {
				for x := range img.Bounds().Dx() {
					colors[img.At(x, y)]++
				}
			}
			good, bad := colors[p.Kinds[0].Color], colors[p.Kinds[1].Color]
			if share := float64(bad) / float64(good+bad); share < 0.08 || share > 0.25 {
				t.Errorf("%.2f of the disc looks bad, a tenth is", share)
			}
		})
	}
}

func TestChart(t *testing.T) {
	c := &Chart{Title: "a & b", Unit: "x", Kinds: []Kind{{"bad", color.RGBA{213, 94, 0, 255}}}, Marks: []Mark{{10, 20, 0}},
		Points: []Point{{0, 10, 20}, {10, 20, 0}, {20, 30, 45}, {30, 40, 47}}, Before: []Point{{0, 40, 30}}}
	var b bytes.Buffer
	if err := c.SVG(&b); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "stroke-width"); n != 3 { // two pieces, and the other curve
		t.Errorf("%d curves", n)
	}
	for _, want := range []string{"48x", "a &amp; b", "#d55e00"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is missing", want)
		}
	}
	if err := xml.Unmarshal(b.Bytes(), new(any)); err != nil {
		t.Error(err)
	}
}

func BenchmarkSVG(b *testing.B) {
	p := example(333000, 0)
	for i := range 1000 {
		p.Runs = append(p.Runs, Run{disc.LBA(i * 300), 10, 1})
	}
	for b.Loop() {
		_ = p.SVG(io.Discard)
	}
}
