package lzma

import "math"

// A rangeEncoder appends bits of their probabilities to out.
type rangeEncoder struct {
	out   []byte
	low   uint64
	width uint32
	held  byte // may still get a carry
	ones  int  // bytes 0xFF after held, which would pass it on
}

func (e *rangeEncoder) reset(out []byte) {
	*e = rangeEncoder{out: out, width: math.MaxUint32}
}

func (e *rangeEncoder) bit(p *uint16, bit uint32) {
	bound := e.width >> probBits * uint32(*p)
	if bit == 0 {
		e.width = bound
		*p += (1<<probBits - *p) >> moveBits
	} else {
		e.low += uint64(bound)
		e.width -= bound
		*p -= *p >> moveBits
	}
	if e.width < topRange {
		e.width <<= 8
		e.shift()
	}
}

// shift moves a byte of low on its way out.
func (e *rangeEncoder) shift() {
	if carry := byte(e.low >> 32); carry != 0 || uint32(e.low) < 0xFF<<24 {
		e.out = append(e.out, e.held+carry)
		for ; e.ones > 0; e.ones-- {
			e.out = append(e.out, 0xFF+carry)
		}
		e.held = byte(e.low >> 24)
	} else {
		e.ones++
	}
	e.low = e.low << 8 & math.MaxUint32
}

// finish moves all that is under way out.
func (e *rangeEncoder) finish() []byte {
	for range 5 {
		e.shift()
	}
	return e.out
}

// direct encodes the low n bits of v, which are as often one as zero.
func (e *rangeEncoder) direct(v uint32, n int) {
	for n--; n >= 0; n-- {
		e.width >>= 1
		if v>>n&1 == 1 {
			e.low += uint64(e.width)
		}
		if e.width < topRange {
			e.width <<= 8
			e.shift()
		}
	}
}

func (e *rangeEncoder) tree(p []uint16, v uint32) {
	s := uint32(1)
	for mask := uint32(len(p)) >> 1; mask > 0; mask >>= 1 {
		bit := uint32(0)
		if v&mask != 0 {
			bit = 1
		}
		e.bit(&p[s], bit)
		s = s<<1 | bit
	}
}

func (e *rangeEncoder) reverse(p []uint16, v uint32, n int) {
	s := uint32(1)
	for range n {
		bit := v & 1
		v >>= 1
		e.bit(&p[s], bit)
		s = s<<1 | bit
	}
}

func (e *rangeEncoder) length(l *lengths, ps, length int) {
	switch v := uint32(length - minLength); {
	case v < 8:
		e.bit(&l.notLow, 0)
		e.tree(l.low[ps][:], v)
	case v < 16:
		e.bit(&l.notLow, 1)
		e.bit(&l.notMid, 0)
		e.tree(l.mid[ps][:], v-8)
	default:
		e.bit(&l.notLow, 1)
		e.bit(&l.notMid, 1)
		e.tree(l.high[:], v-16)
	}
}

// Prices are in units of 1/64 bit.
const (
	priceStep = 4 // of probabilities, as a power of two, that share a price
	priceUnit = 64
)

// priceOf is what a bit costs, by the probability of what it is.
var priceOf = func() (p [1 << (probBits - priceStep)]uint32) {
	for i := range p {
		probability := (float64(i) + 0.5) / float64(len(p))
		p[i] = uint32(math.Round(-math.Log2(probability) * priceUnit))
	}
	return p
}()

func price0(p uint16) uint32 { return priceBit(p, 0) }

func price1(p uint16) uint32 { return priceBit(p, 1) }

func priceBit(p uint16, bit uint32) uint32 {
	const all = 1<<probBits - 1
	return priceOf[(uint32(p)^-bit)&all>>priceStep]
}

// priceTree sets to[v] to what each v costs, and more.
func priceTree(to []uint32, p []uint16, more uint32) {
	var sums [512]uint32
	n := len(p)
	sums[1] = more
	for s := 1; s < n; s++ {
		sums[2*s] = sums[s] + price0(p[s])
		sums[2*s+1] = sums[s] + price1(p[s])
	}
	copy(to, sums[n:2*n])
}

func priceReverse(p []uint16, v uint32, n int) uint32 {
	price, s := uint32(0), uint32(1)
	for range n {
		bit := v & 1
		v >>= 1
		price += priceBit(p[s], bit)
		s = s<<1 | bit
	}
	return price
}
