package cdsector

import (
	"math/rand/v2"
	"testing"

	"spindle/addr"
)

var recoveredAt = addr.MSF{M: 12, S: 34, F: 56}

// A noise is how bytes come wrong, and how the drive marks them.
type noise struct {
	wrong  float64 // share of the bytes
	marks  bool    // error pointers
	missed float64 // share of the wrong bytes that they miss
	excess float64 // good bytes that are marked, as a share of the wrong ones
}

// read gives one reading of a sector.
func (n noise) read(r *rand.Rand, s *[Size]byte) Reading {
	x := Reading{Data: *s}
	if n.marks {
		x.Marks = new(Erasures)
	}
	for i := range x.Data {
		wrong := r.Float64() < n.wrong
		if wrong {
			x.Data[i] ^= byte(1 + r.IntN(255))
		}
		if n.marks && (wrong && r.Float64() >= n.missed || !wrong && r.Float64() < n.wrong*n.excess) {
			x.Marks.Set(i)
		}
	}
	return x
}

// share returns how many of a hundred sectors come back.
func (n noise) share(t *testing.T, seed uint64, k Kind, readings, sectors int) float64 {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 40))
	good := 0
	for range sectors {
		want := randomSector(r, k)
		var all []Reading
		for range readings {
			all = append(all, n.read(r, want))
		}
		got, ok := Recover(k, recoveredAt, all)
		if ok && got != *want {
			t.Fatal("a wrong sector is called good")
		}
		if ok {
			good++
		}
	}
	return 100 * float64(good) / float64(sectors)
}

// The rates at which 99 of 100 sectors come back: the table in docs/ripping.md.
func TestRecoveryAgainstErrorRate(t *testing.T) {
	sectors, least := 300, 99.0
	if testing.Short() {
		sectors, least = 50, 96 // so few say less
	}
	for i, test := range []struct {
		name     string
		readings int
		noise
	}{
		{"one reading, no C2", 1, noise{wrong: 0.01}},
		{"one reading, perfect C2", 1, noise{wrong: 0.075, marks: true}},
		{"one reading, C2 misses 5 %", 1, noise{wrong: 0.025, marks: true, missed: 0.05}},
		{"one reading, C2 marks three times too much", 1, noise{wrong: 0.025, marks: true, excess: 2}},
		{"two readings, no C2", 2, noise{wrong: 0.03}},
		{"three readings, no C2", 3, noise{wrong: 0.12}},
		{"four readings, no C2", 4, noise{wrong: 0.21}},
		{"five readings, no C2", 5, noise{wrong: 0.28}},
		{"eight readings, no C2", 8, noise{wrong: 0.42}},
		{"two readings, perfect C2", 2, noise{wrong: 0.27, marks: true}},
		{"three readings, perfect C2", 3, noise{wrong: 0.42, marks: true}},
		{"four readings, perfect C2", 4, noise{wrong: 0.52, marks: true}},
	} {
		if got := test.share(t, uint64(i), Mode1, test.readings, sectors); got < least {
			t.Errorf("%s, %.1f %%: %.1f %% of the sectors come back", test.name, 100*test.wrong, got)
		}
	}
}

// No wrong sector is called good, whatever comes: other sectors, the same wrong bytes
// each time, pointers that lie.
func TestRecoverNeverLies(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	r := rand.New(rand.NewPCG(41, 41))
	good := 0
	for range rounds {
		k := []Kind{Mode1, Form1, Form2}[r.IntN(3)]
		want, other := randomSector(r, k), randomSector(r, k)
		SetHeader(other, addr.MSF{M: 12, S: 34, F: 57}, want[modeAt])
		Seal(other, k)
		n := noise{wrong: r.Float64() * 0.3, marks: r.IntN(2) == 0, missed: r.Float64(), excess: r.Float64() * 3}
		base := *want
		if r.IntN(2) == 0 { // always the same bytes are wrong
			for range 1 + r.IntN(400) {
				base[r.IntN(Size)] = byte(r.Uint32())
			}
		}
		var all []Reading
		for range 1 + r.IntN(4) {
			switch r.IntN(8) {
			case 0:
				all = append(all, noise{wrong: n.wrong / 10}.read(r, other))
			case 1:
				all = append(all, Reading{Data: base})
			default:
				all = append(all, n.read(r, &base))
			}
		}
		got, ok := Recover(k, recoveredAt, all)
		if ok && got != *want {
			t.Fatalf("a wrong sector of %v is called good", k)
		}
		if ok {
			good++
		}
	}
	if good < rounds/20 {
		t.Errorf("only %d of %d come back: the test shows little", good, rounds)
	}
}

// What does not prove itself is not called good: another address, no EDC.
func TestRecoverWantsProof(t *testing.T) {
	r := rand.New(rand.NewPCG(42, 42))
	for _, k := range []Kind{Mode1, Form1, Form2} {
		s := randomSector(r, k)
		if _, ok := Recover(k, recoveredAt, []Reading{{Data: *s}, {Data: *s}}); !ok {
			t.Errorf("%v: a whole sector is not taken", k)
		}
		if _, ok := Recover(k, addr.MSF{M: 12, S: 34, F: 57}, []Reading{{Data: *s}}); ok {
			t.Errorf("%v: a sector of another address is taken", k)
		}
	}
	s := randomSector(r, Form2)
	clear(s[form2EDCAt:])
	if _, ok := Recover(Form2, recoveredAt, []Reading{{Data: *s}}); ok {
		t.Error("a sector without an EDC is called proven")
	}
	if _, ok := Recover(Mode1, recoveredAt, nil); ok {
		t.Error("nothing is called proven")
	}
}
