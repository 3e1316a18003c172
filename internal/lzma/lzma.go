// Package lzma compresses and decompresses blocks that are in memory whole, as LZMA with the
// usual properties (lc 3, lp 0, pb 2), without a header and without an end marker: what CHDs
// hold of each hunk. It is made for blocks of some kilobytes, of which each starts anew; for
// streams there is github.com/ulikunitz/xz.
//
// The format is the one that the specification in Igor Pavlov's LZMA SDK describes
// (lzma-specification.txt).
package lzma

const (
	contextBits = 3 // of the byte before that choose a literal's probabilities (lc)
	positions   = 4 // of symbols, modulo, that choose theirs (1<<pb)

	states       = 12 // what the last symbols were
	literalState = 7  // those below it follow a literal

	minLength = 2
	maxLength = minLength + 8 + 8 + 256 - 1

	lengthStates = 4  // short lengths choose a slot's probabilities
	slots        = 64 // of distances
	firstModel   = 4  // slots below it are distances themselves
	lastModel    = 14 // slots from it on have direct bits, and four that are modelled
	alignBits    = 4
)

const (
	probBits = 11
	half     = 1 << (probBits - 1)
	moveBits = 5
	topRange = 1 << 24 // below it the range is refilled
)

// A model is what has been learnt of a block: the probability of each binary decision to be
// a zero, in units of 1/2048.
type model struct {
	literal  [1 << contextBits][3 << 8]uint16
	isMatch  [states][positions]uint16
	isRep    [states]uint16
	isLater  [states]uint16 // a repeated distance other than the last
	isThird  [states]uint16 // other than the last two
	isFourth [states]uint16
	isLong   [states][positions]uint16 // the last distance, and more than one byte
	slot     [lengthStates][slots]uint16
	special  [lastModel][1 << (lastModel/2 - 2)]uint16
	align    [1 << alignBits]uint16
	match    lengths
	rep      lengths
}

// lengths models lengths, less [minLength]: 0 to 7, 8 to 15, 16 to 271.
type lengths struct {
	notLow, notMid uint16
	low, mid       [positions][8]uint16
	high           [256]uint16
}

// fresh is a model at the start of a block.
var fresh = func() *model {
	m := new(model)
	each := func(p []uint16) {
		for i := range p {
			p[i] = half
		}
	}
	for i := range m.literal {
		each(m.literal[i][:])
	}
	for s := range states {
		each(m.isMatch[s][:])
		each(m.isLong[s][:])
	}
	for _, p := range [][]uint16{m.isRep[:], m.isLater[:], m.isThird[:], m.isFourth[:], m.align[:]} {
		each(p)
	}
	for i := range m.slot {
		each(m.slot[i][:])
	}
	for i := range m.special {
		each(m.special[i][:])
	}
	for _, l := range []*lengths{&m.match, &m.rep} {
		l.notLow, l.notMid = half, half
		for i := range positions {
			each(l.low[i][:])
			each(l.mid[i][:])
		}
		each(l.high[:])
	}
	return m
}()

// The state after each kind of symbol.
var (
	afterLiteral  = [states]uint8{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5}
	afterMatch    = [states]uint8{7, 7, 7, 7, 7, 7, 7, 10, 10, 10, 10, 10}
	afterRep      = [states]uint8{8, 8, 8, 8, 8, 8, 8, 11, 11, 11, 11, 11}
	afterShortRep = [states]uint8{9, 9, 9, 9, 9, 9, 9, 11, 11, 11, 11, 11}
)

// lengthState chooses the probabilities of a distance's slot.
func lengthState(length int) int { return min(length-minLength, lengthStates-1) }
