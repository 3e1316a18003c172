package drive

import (
	"slices"
	"testing"

	"spindle/disc/cdsector"
)

// Error pointers are taken from each form in which drives give them, and from no other.
func TestPointers(t *testing.T) {
	bits := make([]byte, pointerSize)
	bits[0], bits[7] = 0x81, 0x10
	for name, test := range map[string]struct {
		c2   []byte
		some bool
	}{
		"none":            {nil, false},
		"294 bytes":       {bits, true},
		"296, byte first": {slices.Concat([]byte{0x91, 0}, bits), true},
		"296, byte last":  {slices.Concat(bits, []byte{0x91, 0}), true},
		"296, as neither": {slices.Concat([]byte{1, 2}, bits), false},
		"none is wrong":   {make([]byte, pointerSize+2), true},
	} {
		e := Pointers(test.c2)
		if (e != nil) != test.some {
			t.Errorf("%s: %v", name, e)
			continue
		}
		if e == nil || name == "none is wrong" {
			continue
		}
		var want cdsector.Erasures
		copy(want[:], bits)
		if *e != want || !e.Has(0) || !e.Has(7) || e.Has(1) {
			t.Errorf("%s: other bits", name)
		}
	}
}
