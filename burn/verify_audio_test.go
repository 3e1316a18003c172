package burn

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"spindle/disc/cdsector"
)

// Audio is found by how late it is, and nothing that is not there is taken for right.
func TestLocateAndCut(t *testing.T) {
	p := make([]byte, 12*cdsector.Size)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(random.Uint32())
	}
	for _, late := range []int{0, 4, -4, 160, -2352, 4 * 2352} {
		from := 4*cdsector.Size + late
		want := bytes.Clone(p[from : from+4*cdsector.Size])
		got, found := locate(p, 96, 100, want)
		if !found || got != late {
			t.Errorf("late by %d: %d, %t", late, got, found)
		}
		if !bytes.Equal(cut(p, from, want), want) {
			t.Errorf("late by %d: cut", late)
		}
	}
	want := bytes.Repeat([]byte{1, 2, 3, 4}, cdsector.Size)
	if _, found := locate(p, 96, 100, want); found {
		t.Error("found what is not there")
	}
	for _, from := range []int{len(p), len(p) + 4, -len(want), -len(want) - 4} {
		if bytes.Equal(cut(p, from, want), want) {
			t.Errorf("from %d: taken for right", from)
		}
	}
}
