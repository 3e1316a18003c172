package flacenc

import (
	"math"
	"slices"
)

// What `flac -5` takes: at most 8 coefficients of 12 bits, a Tukey window whose halves
// rise and fall over a quarter each, blocks of 4096 samples.
const (
	maxOrder  = 8
	precision = 12
	blockSize = 4096
)

// lags are the autocorrelation of a signal: energies at the distances 0 to maxOrder.
type lags [maxOrder + 1]float64

// A predictor foretells a sample from those before it: the sum of each, the latest
// first, times its coefficient, shifted right.
type predictor struct {
	order int
	shift uint
	coef  [maxOrder]int32
	fixed bool // one that a subframe names by its order
	bits  int  // about how many a subframe takes with it
	ahead int  // by how many less than with the best fixed one
}

// fixedPredictors are those of RFC 9639 section 9.2.5.
var fixedPredictors = [5]predictor{
	{order: 0, fixed: true},
	{order: 1, fixed: true, coef: [maxOrder]int32{1}},
	{order: 2, fixed: true, coef: [maxOrder]int32{2, -1}},
	{order: 3, fixed: true, coef: [maxOrder]int32{3, -3, 1}},
	{order: 4, fixed: true, coef: [maxOrder]int32{4, -6, 4, -1}},
}

// tukey returns the window for n samples: a cosine, flat in the middle half.
func tukey(n int) []float64 {
	w := make([]float64, n)
	slope := n/4 - 1
	for i := range w {
		w[i] = 1
	}
	for i := range max(slope, 0) {
		v := 0.5 - 0.5*math.Cos(math.Pi*float64(i)/float64(slope))
		w[i], w[n-1-i] = v, v
	}
	return w
}

// autocorrelate adds up the products of a signal with itself. In front of the signal
// are maxOrder zeros. It goes through it three times, with as many sums as there are
// registers for.
func autocorrelate(padded []float64) (r lags) {
	for i := 0; i < maxOrder; i += 3 {
		a, b, c := products(padded[maxOrder:], padded[maxOrder-i-2:])
		r[i] += a
		r[i+1] += b
		r[i+2] += c
	}
	return r
}

// products adds up those of a signal with what begins two places before it in another, one
// place, and at the same.
func products(s, other []float64) (a, b, c float64) {
	for len(s) >= 4 && len(other) >= 6 {
		x, y := (*[4]float64)(s), (*[6]float64)(other)
		a += x[0]*y[2] + x[1]*y[3] + (x[2]*y[4] + x[3]*y[5])
		b += x[0]*y[1] + x[1]*y[2] + (x[2]*y[3] + x[3]*y[4])
		c += x[0]*y[0] + x[1]*y[1] + (x[2]*y[2] + x[3]*y[3])
		s, other = s[4:], other[4:]
	}
	for i := range s {
		a += s[i] * other[i+2]
		b += s[i] * other[i+1]
		c += s[i] * other[i]
	}
	return a, b, c
}

// choose returns the predictor of n samples of so many bits that should take least,
// by what it leaves of the energy in r.
func choose(r *lags, n int, bits uint) predictor {
	best := fixedPredictors[0]
	best.bits = math.MaxInt
	for i := range fixedPredictors {
		if i >= n {
			break
		}
		p := &fixedPredictors[i]
		if b := residualBits(leftover(r, p), n-p.order) + p.order*int(bits); b < best.bits {
			best, best.bits = *p, b
		}
	}
	best.bits = min(best.bits, n*int(bits)) // the samples as they are
	if n <= maxOrder || r[0] <= 0 {
		return best
	}
	coefs, errs := levinson(r)
	order, least := 0, math.MaxInt
	for m := 1; m <= maxOrder; m++ {
		if b := residualBits(errs[m], n-m) + m*(int(bits)+precision); b < least {
			order, least = m, b
		}
	}
	p, ok := quantise(coefs[order-1][:order])
	if !ok {
		return best
	}
	const head = 4 + 5 // how many bits a coefficient has, and the shift
	p.bits = residualBits(leftover(r, &p), n-order) + order*(int(bits)+precision) + head
	if p.bits < best.bits {
		p.ahead = best.bits - p.bits
		return p
	}
	return best
}

// residualBits is about how many bits n numbers of this energy take: their logarithm, if
// they are distributed as Laplace has it, and what the window takes away: 1.94 + 0.27.
func residualBits(energy float64, n int) int {
	if energy <= 0 || n <= 0 {
		return max(n, 0)
	}
	return int(float64(n) * max(1, 0.5*math.Log2(energy/float64(n))+2.2))
}

// levinson solves for the coefficients of every order up to maxOrder, and what each
// leaves of the energy (Levinson 1947, Durbin 1960).
func levinson(r *lags) (coefs [maxOrder][maxOrder]float64, errs lags) {
	var a [maxOrder]float64
	e := r[0]
	errs[0] = e
	for i := range maxOrder {
		k := r[i+1]
		for j := range i {
			k -= a[j] * r[i-j]
		}
		if e > 0 {
			k /= e
		} else {
			k = 0
		}
		b := a
		for j := range i {
			b[j] = a[j] - k*a[i-1-j]
		}
		b[i] = k
		a = b
		e = max(0, e*(1-k*k))
		coefs[i], errs[i+1] = a, e
	}
	return coefs, errs
}

// leftover is the energy that a predictor leaves.
func leftover(r *lags, p *predictor) float64 {
	var c [maxOrder + 1]float64
	c[0] = 1
	scale := math.Ldexp(1, -int(p.shift))
	for i := range p.order {
		c[i+1] = -float64(p.coef[i]) * scale
	}
	sum := 0.0
	for i := range p.order + 1 {
		for j := range p.order + 1 {
			sum += c[i] * c[j] * r[max(i-j, j-i)]
		}
	}
	return sum
}

// quantise makes whole numbers of coefficients. What one loses in rounding, the next
// takes over.
func quantise(coef []float64) (predictor, bool) {
	p := predictor{order: len(coef)}
	largest := 0.0
	for _, c := range coef {
		largest = max(largest, math.Abs(c))
	}
	if !(largest > 0) || math.IsInf(largest, 0) {
		return p, false
	}
	_, exp := math.Frexp(largest) // less than 2^exp
	shift := precision - 1 - exp
	if shift < 0 { // no stable predictor has such coefficients
		return p, false
	}
	p.shift = uint(min(shift, 15))
	const most = 1<<(precision-1) - 1
	var carry float64
	for i, c := range coef {
		carry += math.Ldexp(c, int(p.shift))
		q := min(max(math.RoundToEven(carry), -most-1), most)
		carry -= q
		p.coef[i] = int32(q)
	}
	for p.order > 1 && p.coef[p.order-1] == 0 {
		p.order--
	}
	return p, slices.ContainsFunc(p.coef[:], func(c int32) bool { return c != 0 })
}

// residual writes what a predictor leaves of a signal from its order on, folded: 0, -1,
// 1, -2 become 0, 1, 2, 3. The products of 12 and of 17 bits, eight together, have 32.
func residual(out []uint32, s []int32, p *predictor) {
	start := min(maxOrder, len(s))
	for i := p.order; i < start; i++ {
		out[i] = fold(s[i] - p.foretell(s[:i]))
	}
	if len(s) <= maxOrder {
		return
	}
	c, shift := &p.coef, p.shift&31
	c0, c1, c2, c3, c4, c5, c6, c7 := c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
	tail := s
	rest := out[maxOrder:len(s)]
	if p.order <= 4 {
		for len(rest) >= 2 && len(tail) >= maxOrder+2 {
			w, o := (*[maxOrder + 2]int32)(tail), (*[2]uint32)(rest)
			o[0] = fold(w[8] - (c0*w[7]+c1*w[6]+c2*w[5]+c3*w[4])>>shift)
			o[1] = fold(w[9] - (c0*w[8]+c1*w[7]+c2*w[6]+c3*w[5])>>shift)
			tail, rest = tail[2:], rest[2:]
		}
	} else {
		for len(rest) >= 2 && len(tail) >= maxOrder+2 {
			w, o := (*[maxOrder + 2]int32)(tail), (*[2]uint32)(rest)
			o[0] = fold(w[8] - (c0*w[7]+c1*w[6]+c2*w[5]+c3*w[4]+c4*w[3]+c5*w[2]+c6*w[1]+c7*w[0])>>shift)
			o[1] = fold(w[9] - (c0*w[8]+c1*w[7]+c2*w[6]+c3*w[5]+c4*w[4]+c5*w[3]+c6*w[2]+c7*w[1])>>shift)
			tail, rest = tail[2:], rest[2:]
		}
	}
	if len(rest) > 0 {
		rest[0] = fold(s[len(s)-1] - p.foretell(s[:len(s)-1]))
	}
}

// foretell returns the sample that follows others.
func (p *predictor) foretell(s []int32) int32 {
	var sum int32
	for j, c := range p.coef[:p.order] {
		sum += c * s[len(s)-1-j]
	}
	return sum >> (p.shift & 31)
}

// fixedOrder returns the order of the fixed predictor that leaves least of a signal, and
// about how much, folded. Each difference is one of differences.
func fixedOrder(s []int32) (order int, sum uint64) {
	if len(s) <= maxOrder {
		return 0, 1 << 63
	}
	var s0, s1, s2, s3, s4 uint64
	d0 := s[3]
	d1 := d0 - s[2]
	d2 := d1 - (s[2] - s[1])
	d3 := d2 - (s[2] - 2*s[1] + s[0])
	for _, v := range s[4:] {
		e1 := v - d0
		e2 := e1 - d1
		e3 := e2 - d2
		e4 := e3 - d3
		d0, d1, d2, d3 = v, e1, e2, e3
		s0 += uint64(magnitude(v))
		s1 += uint64(magnitude(e1))
		s2 += uint64(magnitude(e2))
		s3 += uint64(magnitude(e3))
		s4 += uint64(magnitude(e4))
	}
	sum = s0
	for i, v := range [...]uint64{s0, s1, s2, s3, s4} {
		if v < sum {
			order, sum = i, v
		}
	}
	return order, 2 * sum
}

func magnitude(v int32) uint32 {
	sign := v >> 31
	return uint32((v ^ sign) - sign)
}

func fold(v int32) uint32 { return uint32(v<<1) ^ uint32(v>>31) }
