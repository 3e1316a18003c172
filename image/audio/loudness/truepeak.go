package loudness

import "math"

// taps is how many samples make one between them.
const taps = 12

// phases are the coefficients for the first two of the four samples that take the place of
// one (BS.1770-5 annex 2). Those of the others are these, backwards.
var phases = [2][taps]float64{
	{
		0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625,
		0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500,
	},
	{
		-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250,
		0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375,
	},
}

// The most that the two samples in the middle, and all others together, can contribute: the
// largest sum of magnitudes of any phase.
const (
	middleMost = 1.25
	othersMost = 0.79
)

// stretch is how many places are looked at together.
const stretch = 16

// between returns the highest magnitude at four places of each of the samples from taps-1 on,
// if it is above peak, or else peak. Most places cannot be: they are not computed.
func between(x []float64, peak float64) float64 {
	for len(x) >= taps {
		n := min(stretch, len(x)-taps+1)
		most := 0.0
		for _, v := range x[:n+taps-1] {
			if v = math.Abs(v); v > most { // faster than max, which knows NaN
				most = v
			}
		}
		if (middleMost+othersMost)*most > peak {
			peak = stretchPeak(x[:n+taps-1], most*othersMost, peak)
		}
		x = x[n:]
	}
	return peak
}

// stretchPeak looks at each place. Samples other than the two in the middle contribute at
// most others.
func stretchPeak(x []float64, others, peak float64) float64 {
	for ; len(x) >= taps; x = x[1:] {
		w := (*[taps]float64)(x)
		if middleMost*max(math.Abs(w[taps/2-1]), math.Abs(w[taps/2]))+others <= peak {
			continue
		}
		for i := range phases {
			p := &phases[i]
			var forth, back float64
			for j, v := range w {
				forth += p[j] * v
				back += p[taps-1-j] * v
			}
			peak = max(peak, math.Abs(forth), math.Abs(back))
		}
	}
	return peak
}
