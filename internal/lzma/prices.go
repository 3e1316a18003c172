package lzma

import "math/bits"

// modelled distances have no direct bits.
const modelled = 1 << (lastModel / 2)

// prices are what lengths and distances cost, by the model of some time ago.
type prices struct {
	left int // updates that may be left out

	match, rep [positions][maxLength + 1]uint32
	slot       [lengthStates][slots]uint32 // with the direct bits
	distance   [lengthStates][modelled]uint32
	align      [1 << alignBits]uint32
}

// update follows the model, now and then.
func (p *prices) update(m *model) {
	const stays = 64 // steps
	if p.left--; p.left > 0 {
		return
	}
	p.left = stays
	priceLengths(&p.match, &m.match)
	priceLengths(&p.rep, &m.rep)
	for i := range p.align {
		p.align[i] = priceReverse(m.align[:], uint32(i), alignBits)
	}
	for i := range p.slot {
		priceTree(p.slot[i][:], m.slot[i][:], 0)
		for s := uint32(lastModel); s < slots; s++ {
			p.slot[i][s] += (s/2 - 1 - alignBits) * priceUnit
		}
	}
	for d := range uint32(modelled) {
		s, rest := slotOf(d), uint32(0)
		if s >= firstModel {
			low := s/2 - 1
			rest = priceReverse(m.special[s][:], d-(2|s&1)<<low, int(low))
		}
		for i := range p.distance {
			p.distance[i][d] = p.slot[i][s] + rest
		}
	}
}

func priceLengths(to *[positions][maxLength + 1]uint32, l *lengths) {
	low, mid, high := price0(l.notLow), price1(l.notLow)+price0(l.notMid), price1(l.notLow)+price1(l.notMid)
	for ps := range to {
		priceTree(to[ps][minLength:], l.low[ps][:], low)
		priceTree(to[ps][minLength+8:], l.mid[ps][:], mid)
		if ps == 0 {
			priceTree(to[0][minLength+16:], l.high[:], high)
		} else {
			copy(to[ps][minLength+16:], to[0][minLength+16:])
		}
	}
}

// of is what a distance costs, less one, with a length.
func (p *prices) of(d uint32, length int) uint32 {
	if d < modelled {
		return p.distance[lengthState(length)][d]
	}
	return p.slot[lengthState(length)][slotOf(d)] + p.align[d%(1<<alignBits)]
}

// slotOf is the number of the highest bit of a distance, less one, twice, and the bit below.
func slotOf(d uint32) uint32 {
	if d < firstModel {
		return d
	}
	n := uint32(bits.Len32(d)) - 1
	return 2*n | d>>(n-1)&1
}

// literalPrice is what a byte costs, by the probabilities p; after a match, expected is what
// stands at its distance.
func literalPrice(p *[3 << 8]uint16, b, expected byte, afterMatch bool) uint32 {
	price, s := uint32(0), uint32(b)|0x100
	if !afterMatch {
		return priceBit(p[1], s>>7&1) + priceBit(p[s>>7], s>>6&1) + priceBit(p[s>>6], s>>5&1) + priceBit(p[s>>5], s>>4&1) +
			priceBit(p[s>>4], s>>3&1) + priceBit(p[s>>3], s>>2&1) + priceBit(p[s>>2], s>>1&1) + priceBit(p[s>>1], s&1)
	}
	model, same := uint32(expected)<<1, uint32(0x100)
	for i := 7; i >= 0; i-- {
		bit := s >> i & 1
		e := model << (7 - i) & same
		price += priceBit(p[same+e+s>>(i+1)], bit)
		if e>>8 != bit {
			same = 0
		}
	}
	return price
}
