package loudness

import "math"

// filter is the K weighting of two channels: a shelf, as the head makes it, and a high
// pass (BS.1770-5 annex 1). The standard has coefficients for 48 kHz only. These are those
// of the analog filters which the bilinear transform makes them of.
type filter struct {
	shelf    section
	highPass section
	state    [2][4]float64 // of each channel: two of each section
}

// section is a biquadratic filter.
type section struct{ b0, b1, b2, a1, a2 float64 }

func newFilter(rate float64) filter {
	return filter{shelf: shelf(rate), highPass: highPass(rate)}
}

func shelf(rate float64) section {
	const (
		frequency = 1681.974450955533 // Hz
		gain      = 3.999843853973347 // dB
		q         = 0.7071752369554196
		middle    = 0.4996667741545416 // of the gain, where it has half the effect
	)
	k := math.Tan(math.Pi * frequency / rate)
	high := math.Pow(10, gain/20)
	band := math.Pow(high, middle)
	a0 := 1 + k/q + k*k
	return section{
		b0: (high + band*k/q + k*k) / a0, b1: 2 * (k*k - high) / a0, b2: (high - band*k/q + k*k) / a0,
		a1: 2 * (k*k - 1) / a0, a2: (1 - k/q + k*k) / a0,
	}
}

func highPass(rate float64) section {
	const (
		frequency = 38.13547087602444 // Hz
		q         = 0.5003270373238773
	)
	k := math.Tan(math.Pi * frequency / rate)
	a0 := 1 + k/q + k*k
	return section{b0: 1, b1: -2, b2: 1, a1: 2 * (k*k - 1) / a0, a2: (1 - k/q + k*k) / a0}
}

// energy filters samples and returns the sum of the squares, of both channels.
func (f *filter) energy(left, right []float64) float64 {
	s, h := f.shelf, f.highPass
	l0, l1, l2, l3 := f.state[0][0], f.state[0][1], f.state[0][2], f.state[0][3]
	r0, r1, r2, r3 := f.state[1][0], f.state[1][1], f.state[1][2], f.state[1][3]
	sum := 0.0
	right = right[:len(left)]
	for i, x := range left {
		y := s.b0*x + l0
		l0 = s.b1*x - s.a1*y + l1
		l1 = s.b2*x - s.a2*y
		z := y + l2
		l2 = l3 - 2*y - h.a1*z
		l3 = y - h.a2*z
		sum += z * z

		x = right[i]
		y = s.b0*x + r0
		r0 = s.b1*x - s.a1*y + r1
		r1 = s.b2*x - s.a2*y
		z = y + r2
		r2 = r3 - 2*y - h.a1*z
		r3 = y - h.a2*z
		sum += z * z
	}
	f.state = [2][4]float64{{l0, l1, l2, l3}, {r0, r1, r2, r3}}
	return sum
}

// settle ends what is left of a sound in silence, before it becomes so small that
// processors take a hundred times as long for it.
func (f *filter) settle() {
	const nothing = 1e-30
	for ch := range f.state {
		for i, v := range f.state[ch] {
			if math.Abs(v) < nothing {
				f.state[ch][i] = 0
			}
		}
	}
}
