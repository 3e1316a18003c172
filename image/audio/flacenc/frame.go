package flacenc

import (
	"encoding/binary"
	"math/bits"
)

// The channels that a block can be coded as: those of the disc, their mean and their
// difference.
const (
	left = iota
	right
	mid
	side
)

// stereo are the pairs of channels that make a frame, with the number that the frame's
// header has for each (RFC 9639 section 9.1.3). One of two equal pairs is the first.
var stereo = []struct {
	a, b int
	code uint64
}{
	{left, right, 1}, {mid, side, 10}, {left, side, 8}, {side, right, 9},
}

// depth is the number of bits of a channel's samples.
func depth(channel int) uint {
	if channel == side {
		return 17
	}
	return 16
}

// maxFrame is more than a frame takes. No part of a frame is kept that is longer than
// its samples as they are; but it is written before it is measured, and then it can be
// half a bit a sample longer than estimated.
const maxFrame = blockSize*(17+18)/8 + 2048

// A coder makes frames of blocks. It has all the room that it needs.
type coder struct {
	w        bitWriter
	samples  [4][blockSize]int32
	any      [4]uint32 // bits that some sample of a channel has
	windowed [3][maxOrder + blockSize]float64
	window   []float64 // for as many samples as it is long
	tries    [2]try
}

// A try is what a predictor leaves of a channel.
type try struct {
	p      predictor
	folded [blockSize]uint32
	parts  partition
	bits   int // about what it takes, with the predictor
}

// frame appends the frame of a block of samples, at most blockSize of each channel.
func (c *coder) frame(p []byte, number uint64) {
	n := len(p) / 4
	start := c.w.at
	c.take(p)
	var r [4]lags
	for ch := range c.windowed {
		r[ch] = autocorrelate(c.windowed[ch][:maxOrder+n])
	}
	for i := range r[side] { // (l - r)^2 = 2l^2 + 2r^2 - (l + r)^2
		r[side][i] = 2*(r[left][i]+r[right][i]) - 4*r[mid][i]
	}
	var chosen [4]predictor
	for ch := range chosen {
		chosen[ch] = choose(&r[ch], n, depth(ch))
	}
	pair := stereo[0]
	for _, s := range stereo[1:] {
		if chosen[s.a].bits+chosen[s.b].bits < chosen[pair.a].bits+chosen[pair.b].bits {
			pair = s
		}
	}
	c.header(n, pair.code, number, start)
	for _, ch := range []int{pair.a, pair.b} {
		c.subframe(ch, n, &chosen[ch])
	}
	c.w.align()
	c.w.put(uint64(crc16(c.w.buf[start:c.w.at])), 16)
}

// take fills the channels, and windows them.
func (c *coder) take(p []byte) {
	n := len(p) / 4
	if len(c.window) != n {
		c.window = tukey(n)
	}
	window := c.window[:n]
	l, r, m, s := c.samples[left][:n], c.samples[right][:n], c.samples[mid][:n], c.samples[side][:n]
	fl, fr, fm := c.windowed[left][maxOrder:][:n], c.windowed[right][maxOrder:][:n], c.windowed[mid][maxOrder:][:n]
	var anyL, anyR, anyM, anyS int32
	for i := range window {
		v := binary.LittleEndian.Uint32(p[4*i:])
		a, b := int32(int16(v)), int32(v)>>16
		l[i], r[i], m[i], s[i] = a, b, (a+b)>>1, a-b
		anyL, anyR, anyM, anyS = anyL|a, anyR|b, anyM|(a+b)>>1, anyS|(a-b)
		wa, wb := window[i]*float64(a), window[i]*float64(b)
		fl[i], fr[i], fm[i] = wa, wb, 0.5*(wa+wb)
	}
	c.any = [4]uint32{uint32(anyL), uint32(anyR), uint32(anyM), uint32(anyS)}
}

// header appends that of a frame (RFC 9639 section 9.1), which starts at start.
func (c *coder) header(n int, channels, number uint64, start int) {
	const (
		sync      = 0xFFF8 // blocks of a fixed size
		fullBlock = 12     // 4096 samples
		sizeAtEnd = 7      // less one, in 16 bits
		rate44100 = 9
		bits16    = 4
	)
	size := uint64(fullBlock)
	if n != blockSize {
		size = sizeAtEnd
	}
	c.w.put(sync, 16)
	c.w.put(size<<4|rate44100, 8)
	c.w.put(channels<<4|bits16<<1, 8)
	c.w.coded(number)
	if size == sizeAtEnd {
		c.w.put(uint64(n-1), 16)
	}
	c.w.put(uint64(crc8(c.w.buf[start:c.w.at])), 8)
}

// The types of a subframe (RFC 9639 section 9.2.1).
const (
	typeConstant = 0
	typeVerbatim = 1
	typeFixed    = 8  // and the order
	typeLPC      = 31 // and the order
)

// subframe appends a channel of n samples.
func (c *coder) subframe(ch, n int, p *predictor) {
	s, w := c.samples[ch][:n], &c.w
	if constant(s) {
		w.put(typeConstant<<1, 8)
		w.signed(s[0], depth(ch))
		return
	}
	wasted := uint(bits.TrailingZeros32(c.any[ch])) // not all are 0
	if wasted > 0 {
		for i := range s {
			s[i] >>= wasted
		}
	}
	bps := depth(ch) - wasted
	before := w.mark()
	if c.predicted(s, p, wasted, bps) {
		return
	}
	w.rewind(before)
	c.subframeHeader(typeVerbatim, wasted)
	for _, v := range s {
		w.signed(v, bps)
	}
}

func constant(s []int32) bool {
	for _, v := range s {
		if v != s[0] {
			return false
		}
	}
	return true
}

func (c *coder) subframeHeader(kind uint64, wasted uint) {
	if wasted == 0 {
		c.w.put(kind<<1, 8)
		return
	}
	c.w.put(kind<<1|1, 8)
	c.w.unary(uint32(wasted - 1))
}

// predicted appends samples as what a predictor leaves of them. It returns false if
// that does not take less than they are.
func (c *coder) predicted(s []int32, p *predictor, wasted, bps uint) bool {
	w := &c.w
	start, verbatim := w.length(), 8+int(wasted)+len(s)*int(bps)
	t := c.best(s, p, bps)
	if t.parts.bits >= verbatim {
		return false
	}
	kind := uint64(typeLPC + t.p.order)
	if t.p.fixed {
		kind = uint64(typeFixed + t.p.order)
	}
	c.subframeHeader(kind, wasted)
	for _, v := range s[:t.p.order] {
		w.signed(v, bps)
	}
	if !t.p.fixed {
		w.put(precision-1, 4)
		w.put(uint64(t.p.shift), 5)
		for _, v := range t.p.coef[:t.p.order] {
			w.signed(v, precision)
		}
	}
	const riceOfFourBits = 0
	w.put(riceOfFourBits, 2)
	w.put(uint64(t.parts.order), 4)
	length := len(s) >> t.parts.order
	for i, k := range t.parts.param[:1<<t.parts.order] {
		w.put(uint64(k), 4)
		w.rice(t.folded[max(i*length, t.p.order):(i+1)*length], uint(k))
	}
	return w.length()-start < verbatim
}

// best tries a predictor, and the fixed one that leaves least: a block that is not the same
// all over can take less with that than its autocorrelation says.
func (c *coder) best(s []int32, p *predictor, bps uint) *try {
	first, other := &c.tries[0], &c.tries[1]
	first.make(s, p, bps)
	if p.ahead > len(s)*farAhead/10 {
		return first
	}
	order, sum := fixedOrder(s)
	if p.fixed && order == p.order || sum/hopeless >= first.parts.sum/(hopeless-1) {
		return first
	}
	other.make(s, &fixedPredictors[order], bps)
	if other.bits < first.bits {
		return other
	}
	return first
}

// One that is so many tenths of a bit a sample ahead, before any is tried, will be.
const farAhead = 5

// A predictor is hopeless that leaves one part more in so many than another.
const hopeless = 6

func (t *try) make(s []int32, p *predictor, bps uint) {
	t.p = *p
	residual(t.folded[:len(s)], s, p)
	t.parts.divide(t.folded[:len(s)], p.order)
	t.bits = t.parts.bits + p.order*int(bps)
	if !p.fixed {
		t.bits += 9 + p.order*precision
	}
}
