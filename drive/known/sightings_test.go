package known

import "testing"

func TestSightings(t *testing.T) {
	type step struct {
		see   Sighting
		want  int // the offset that is decided; none: 0
		agree int
	}
	id := ID{Vendor: "ACME", Product: "RIPPER", Revision: "1"} // which no table has
	for name, steps := range map[string][]step{
		"three discs":          {{Sighting{"a", 6, false}, 0, 1}, {Sighting{"b", 6, false}, 0, 2}, {Sighting{"c", 6, false}, 6, 3}},
		"one disc three times": {{Sighting{"a", 6, false}, 0, 1}, {Sighting{"a", 6, false}, 0, 1}, {Sighting{"a", 6, false}, 0, 1}},
		"a proven one":         {{Sighting{"a", 100, false}, 0, 1}, {Sighting{"b", 6, true}, 6, 1}, {Sighting{"b", 7, false}, 6, 0}},
		"pressings": {{Sighting{"a", 6, false}, 0, 1}, {Sighting{"b", 30, false}, 0, 1}, {Sighting{"c", -12, false}, 0, 1},
			{Sighting{"d", 6, false}, 0, 2}, {Sighting{"e", 6, false}, 6, 3}},
		"two sides": {{Sighting{"a", 6, false}, 0, 1}, {Sighting{"b", 6, false}, 0, 2}, {Sighting{"c", 6, false}, 6, 3},
			{Sighting{"d", 9, false}, 6, 1}, {Sighting{"e", 9, false}, 6, 2}, {Sighting{"f", 9, false}, 0, 3}, {Sighting{"g", 9, false}, 9, 4}},
	} {
		l := mustOpen(t, nil)
		for i, s := range steps {
			f, agree, err := l.Saw(id, s.see)
			if err != nil || f.Value != s.want || agree != s.agree {
				t.Errorf("%s, step %d: %+v, %d, %v", name, i, f, agree, err)
			}
			// What a trial finds does not forget it, and it is what is known.
			if err := l.Remember(id, Facts{C2Bits: Fact[bool]{true, Remembered, nil}}, 0); err != nil {
				t.Fatal(err)
			}
			if known := of(t, l, id); known.Offset.Value != s.want || !known.C2Bits.Is(true) {
				t.Errorf("%s, step %d: %+v", name, i, known)
			}
		}
	}
	if _, _, err := mustOpen(t, nil).Saw(id, Sighting{"a", mostOffset + 1, false}); err == nil {
		t.Error("an offset beyond all is taken")
	}
}
