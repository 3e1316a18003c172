package accuraterip

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// measured are the sums of samples that are the middle track of a disc.
func measured(samples []uint32) Sums {
	var b []byte
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	r := count(b, 1)
	return Sums{V1: r.low, V2: r.low + r.high}
}

// Samples are settled as they were, with any number of other people's checksums around; and not at all where the
// right value is none of the two.
func TestSettle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, x := range []struct {
		doubts  int
		v2      bool // alone
		right   bool // only the right channel
		settled bool
	}{
		{1, false, false, true}, {12, false, false, true}, {28, false, false, true}, {41, false, false, false},
		{8, true, false, true}, {16, true, false, false}, {4, false, true, true}, {30, false, true, false},
	} {
		t.Run(fmt.Sprintf("%+v", x), func(t *testing.T) {
			truth := make([]uint32, 2_000_000)
			for i := range truth {
				truth[i] = r.Uint32()
			}
			theirs := measured(truth)
			entries := []Entry{{Confidence: 30, Sum: theirs.V2}, {Confidence: 9, Sum: r.Uint32()}, {Confidence: 1, Sum: r.Uint32()}}
			if !x.v2 {
				entries = append(entries, Entry{Confidence: 40, Sum: theirs.V1})
			}
			read := append([]uint32(nil), truth...)
			var doubts []Doubt
			for i := range x.doubts {
				at := int64(600_000 + 1000*i + r.IntN(900))
				other := r.Uint32()
				if x.right {
					other = truth[at]&0xFFFF | other&0xFFFF0000
				}
				d := Doubt{at, [2]uint32{truth[at], other}}
				if r.IntN(2) == 1 {
					d.Values = [2]uint32{other, truth[at]}
				}
				read[at] = d.Values[0]
				doubts = append(doubts, d)
			}
			second, ok := Settle(measured(read), doubts, entries)
			if ok != x.settled {
				t.Fatalf("settled: %t", ok)
			}
			for i, d := range doubts {
				if ok && (d.Values[0] != truth[d.At]) != second[i] {
					t.Errorf("sample %d is wrong", i)
				}
			}
			// One more sample is wrong, and nobody knows.
			read[100_000] ^= 1 << 17
			if _, ok := Settle(measured(read), doubts, entries); ok {
				t.Error("wrong samples were settled")
			}
		})
	}
}

// What is settled is never wrong: of many tracks with an error elsewhere, none is.
func TestSettleByChance(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		var doubts []Doubt
		for range 1 + r.IntN(22) {
			doubts = append(doubts, Doubt{int64(r.IntN(10_000_000)), [2]uint32{r.Uint32(), r.Uint32()}})
		}
		own := Sums{V1: r.Uint32(), V2: r.Uint32()}
		entries := []Entry{{Confidence: 200, Sum: r.Uint32()}, {Confidence: 200, Sum: r.Uint32()}, {Confidence: 100, Sum: r.Uint32()}}
		if _, ok := Settle(own, doubts, entries); ok {
			t.Fatalf("%d samples", len(doubts))
		}
	}
}
