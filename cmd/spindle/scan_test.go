package main

import (
	"strings"
	"testing"

	"spindle/scan"
)

// TestScanCurve draws a curve with letters.
func TestScanCurve(t *testing.T) {
	s := &scan.Scan{OneX: 1000}
	for i := range 10 {
		z := scan.Zone{First: 0, End: 100, Read: 100, Speed: float64(20000 + 3000*i)}
		switch i {
		case 4:
			z.Unreadable = 4
		case 6:
			z.Slow = 1
		case 8:
			z.Read, z.Speed = 0, 0
		}
		s.Zones = append(s.Zones, z)
	}
	var b strings.Builder
	newScanResult(s).curve(&page{w: &b, terminal: true, width: 80})
	const want = `  47.0x          *
  41.1x       ** .
  35.2x     **.. .
  29.4x   **.... .
  23.5x **...... .
  17.6x ........ .
  11.8x ........ .
   5.9x ........ .
        ----!-~---
        0      100
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
	b.Reset()
	newScanResult(s).curve(&page{w: &b, terminal: true, width: 14})
	if lines := strings.Split(b.String(), "\n"); len(lines[8]) != 8+5 {
		t.Errorf("%s", b.String())
	}
}
