package lzfse

import (
	"encoding/binary"
	"math/bits"
)

// How many symbols and states there are for the lengths of literals, the lengths and distances
// of matches, and the literals.
const (
	symbolsL, statesL = 20, 64
	symbolsM, statesM = 20, 64
	symbolsD, statesD = 64, 256
	symbolsB, statesB = 256, 1024

	maxLiterals = 40000 // of a block
	maxMatches  = 10000
	headSize    = 32
)

// extra are the bits that follow the symbols of a kind, of which the first have none.
type extra struct {
	plain int    // symbols without
	more  []byte // of the others
}

var (
	extraL = extra{16, []byte{2, 3, 5, 8}}
	extraM = extra{16, []byte{3, 5, 8, 11}}
	extraD = extra{4, distanceBits()}
)

// distanceBits are 1 to 15, four times each.
func distanceBits() []byte {
	var all []byte
	for n := range 15 {
		for range 4 {
			all = append(all, byte(n+1))
		}
	}
	return all
}

// A state is what decoding a symbol in it says.
type state struct {
	symbol uint8
	bits   uint8 // that lead to the next state
	extra  uint8 // bits of the value
	delta  int32 // of the next state
	base   int32 // of the value
}

// table makes the states of symbols with frequencies, the sum of which is the number of states.
func table(freq []uint16, states int, x *extra) ([]state, bool) {
	all := make([]state, 0, states)
	base := int32(0)
	for symbol, f16 := range freq {
		f, more := int(f16), 0
		if x != nil && symbol >= x.plain {
			more = int(x.more[symbol-x.plain])
		}
		s := state{symbol: uint8(symbol), extra: uint8(more), base: base}
		base += 1 << more
		if f > states-len(all) {
			return nil, false
		}
		if f == 0 {
			continue
		}
		k := bits.Len(uint(states)) - bits.Len(uint(f))
		first := 2*states>>k - f
		for j := range f {
			s.bits, s.delta = uint8(k), int32((f+j)<<k-states)
			if j >= first {
				s.bits, s.delta = uint8(k-1), int32((j-first)<<(k-1))
			}
			all = append(all, s)
		}
	}
	return all, len(all) == states
}

// reader reads bits from the end of bytes to their start.
type reader struct {
	b   []byte
	pos int // bits that are left
	bad bool
}

// newReader reads bytes of whose last one some bits are not used.
func newReader(b []byte, unused int) reader {
	return reader{b: b, pos: 8*len(b) - unused, bad: unused > 8*len(b)}
}

// pull takes the next bits, up to 32.
func (r *reader) pull(n uint8) int32 {
	if n == 0 {
		return 0
	}
	if r.pos -= int(n); r.pos < 0 {
		r.pos, r.bad = 0, true
		return 0
	}
	at := r.pos / 8
	var v uint64
	if at+8 <= len(r.b) {
		v = binary.LittleEndian.Uint64(r.b[at:])
	} else {
		for i, x := range r.b[at:] {
			v |= uint64(x) << (8 * i)
		}
	}
	return int32(v >> (r.pos % 8) & (1<<n - 1))
}

// value decodes a symbol, and its extra bits.
func (r *reader) value(t []state, at *int32) int {
	s := &t[*at]
	v := r.pull(s.bits + s.extra)
	*at = s.delta + v>>s.extra
	return int(s.base + v&(1<<s.extra-1))
}

// head is the head of a packed block.
type head struct {
	size                       int
	literals, literalBytes     int
	matches, matchBytes        int
	literalUnused, matchUnused int
	literalState               [4]int32
	l, m, d                    int32
}

// readHead reads the head of a block, in which fields are packed.
func readHead(src []byte) (h head, ok bool) {
	if len(src) < headSize {
		return h, false
	}
	var v [3]uint64
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(src[8+8*i:])
	}
	field := func(i, at, n int) int { return int(v[i] >> at & (1<<n - 1)) }
	h = head{
		literals: field(0, 0, 20), literalBytes: field(0, 20, 20), matches: field(0, 40, 20), literalUnused: 7 - field(0, 60, 3),
		matchBytes: field(1, 40, 20), matchUnused: 7 - field(1, 60, 3),
		l: int32(field(2, 32, 10)), m: int32(field(2, 42, 10)), d: int32(field(2, 52, 10)),
	}
	for i := range h.literalState {
		h.literalState[i] = int32(field(1, 10*i, 10))
	}
	size := v[2] & (1<<32 - 1)
	h.size = int(min(size, 1<<20))
	ok = h.size >= headSize && h.size+h.literalBytes+h.matchBytes <= len(src) && h.literals <= maxLiterals && h.literals%4 == 0 &&
		h.matches <= maxMatches && h.l < statesL && h.m < statesM && h.d < statesD
	return h, ok
}

// frequencies reads those of all symbols, which are coded in few bits each.
func frequencies(b []byte) (f [symbolsL + symbolsM + symbolsD + symbolsB]uint16, ok bool) {
	// What the low five bits say: the size of the code, and the frequency where no more follow.
	sizes := [32]uint8{2, 3, 2, 5, 2, 3, 2, 8, 2, 3, 2, 5, 2, 3, 2, 14, 2, 3, 2, 5, 2, 3, 2, 8, 2, 3, 2, 5, 2, 3, 2, 14}
	values := [32]uint16{0, 2, 1, 4, 0, 3, 1, 0, 0, 2, 1, 5, 0, 3, 1, 0, 0, 2, 1, 6, 0, 3, 1, 0, 0, 2, 1, 7, 0, 3, 1, 0}
	var acc uint32
	have := uint8(0)
	for i := range f {
		for have <= 24 && len(b) > 0 {
			acc |= uint32(b[0]) << have
			b, have = b[1:], have+8
		}
		low := acc & 31
		n := sizes[low]
		if n > have {
			return f, false
		}
		switch n {
		case 8:
			f[i] = 8 + uint16(acc>>4&0xF)
		case 14:
			f[i] = 24 + uint16(acc>>4&0x3FF)
		default:
			f[i] = values[low]
		}
		acc, have = acc>>n, have-n
	}
	return f, len(b) == 0 && have < 8
}

// packed unpacks a block, and returns how large it is.
func (o *output) packed(src []byte) (int, bool) {
	h, ok := readHead(src)
	if !ok {
		return 0, false
	}
	f, ok := frequencies(src[headSize:h.size])
	if !ok {
		return 0, false
	}
	tableL, okL := table(f[:symbolsL], statesL, &extraL)
	tableM, okM := table(f[symbolsL:][:symbolsM], statesM, &extraM)
	tableD, okD := table(f[symbolsL+symbolsM:][:symbolsD], statesD, &extraD)
	tableB, okB := table(f[symbolsL+symbolsM+symbolsD:], statesB, nil)
	if !okL || !okM || !okD || !okB {
		return 0, false
	}
	literals := make([]byte, h.literals)
	r := newReader(src[h.size:][:h.literalBytes], h.literalUnused)
	for i := range literals {
		at := &h.literalState[i%4]
		s := &tableB[*at]
		*at = s.delta + r.pull(s.bits)
		literals[i] = s.symbol
	}
	used := h.size + h.literalBytes + h.matchBytes
	m := newReader(src[h.size+h.literalBytes:used], h.matchUnused)
	distance := 0
	for range h.matches {
		n := m.value(tableL, &h.l)
		length := m.value(tableM, &h.m)
		if d := m.value(tableD, &h.d); d != 0 {
			distance = d
		}
		if n > len(literals) || m.bad || !o.literals(literals[:n]) || !o.match(length, distance) {
			return 0, false
		}
		literals = literals[n:]
	}
	return used, !r.bad && !m.bad
}
