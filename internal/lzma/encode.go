package lzma

import "slices"

// An Encoder encodes blocks. It keeps some megabytes of memory, and is for one goroutine.
type Encoder struct {
	m      model
	r      rangeEncoder
	f      finder
	prices prices
	nodes  []node
	path   []int32

	src   []byte
	at    int // encoded up to here
	state uint8
	reps  [4]int32 // the last distances, less one

	seen  []match // at the place that was looked at last
	seenN int     // the place after it
}

// NewEncoder makes one.
func NewEncoder() *Encoder {
	return &Encoder{f: newFinder(), nodes: make([]node, window+maxLength+niceLength+2)}
}

// Append appends the encoded block to dst. It gives up, and reports that it did, when the
// block will hardly be shorter than enough: when what was encoded so far does not promise it.
func (e *Encoder) Append(dst, src []byte, enough int) ([]byte, bool) {
	e.m = *fresh
	e.r.reset(dst)
	e.f.reset(src)
	e.src, e.at, e.state, e.reps, e.seen, e.seenN = src, 0, 0, [4]int32{}, nil, 0
	e.prices.left = 0
	for e.at < len(src) {
		e.prices.update(&e.m)
		e.step()
		if e.at >= len(src)/4 && hopeless(len(e.r.out)-len(dst), e.at, len(src), enough) {
			return dst, false
		}
	}
	return e.r.finish(), true
}

// hopeless reports whether a block whose first bytes were encoded to so many will be a
// sixteenth longer than enough.
func hopeless(encoded, of, whole, enough int) bool {
	return int64(encoded)*int64(whole) > int64(enough+enough/16)*int64(of)
}

// matches are those at a place: the next, or the one that was looked at last.
func (e *Encoder) matches(place int) []match {
	if place == e.seenN {
		e.seen = e.f.at(place)
		e.seenN++
	}
	return e.seen
}

// emit encodes the symbols that lead to a node, and goes there.
func (e *Encoder) emit(last int) {
	e.path = e.path[:0]
	for n := last; n > 0; n = int(e.nodes[n].from) {
		e.path = append(e.path, int32(n))
	}
	slices.Reverse(e.path)
	for _, i := range e.path {
		n := &e.nodes[i]
		first := int(i - n.from)
		if n.tail > 0 {
			first -= int(n.tail) + 1
		}
		if n.back == literal && n.tail == 0 {
			e.literal()
			continue
		}
		if n.back != literal {
			e.symbol(n.back, first)
		}
		if n.tail > 0 {
			e.literal()
			e.symbol(0, int(n.tail))
		}
	}
}

// literal encodes the next byte as it is.
func (e *Encoder) literal() {
	m, r := &e.m, &e.r
	r.bit(&m.isMatch[e.state][e.at%positions], 0)
	p := &m.literal[e.before()>>(8-contextBits)]
	s := uint32(e.src[e.at]) | 0x100
	if e.state < literalState {
		for i := 7; i >= 0; i-- {
			r.bit(&p[s>>(i+1)], s>>i&1)
		}
	} else {
		model, same := uint32(e.src[e.at-int(e.reps[0])-1])<<1, uint32(0x100)
		for i := 7; i >= 0; i-- {
			bit := s >> i & 1
			expected := model << (7 - i) & same
			r.bit(&p[same+expected+s>>(i+1)], bit)
			if expected>>8 != bit {
				same = 0
			}
		}
	}
	e.state = afterLiteral[e.state]
	e.at++
}

func (e *Encoder) before() byte {
	if e.at == 0 {
		return 0
	}
	return e.src[e.at-1]
}

// symbol encodes that so many bytes equal those at one of the last distances, for back
// below four, or at distance back-4, less one.
func (e *Encoder) symbol(back int32, length int) {
	m, r, state := &e.m, &e.r, e.state
	ps := e.at % positions
	e.at += length
	r.bit(&m.isMatch[state][ps], 1)
	if back >= numReps {
		distance := back - numReps
		r.bit(&m.isRep[state], 0)
		r.length(&m.match, ps, length)
		e.distance(uint32(distance), length)
		e.reps = [4]int32{distance, e.reps[0], e.reps[1], e.reps[2]}
		e.state = afterMatch[state]
		return
	}
	r.bit(&m.isRep[state], 1)
	if back == 0 {
		r.bit(&m.isLater[state], 0)
		long := uint32(1)
		if length == 1 {
			long = 0
		}
		r.bit(&m.isLong[state][ps], long)
		if length == 1 {
			e.state = afterShortRep[state]
			return
		}
	} else {
		r.bit(&m.isLater[state], 1)
		if back == 1 {
			r.bit(&m.isThird[state], 0)
		} else {
			r.bit(&m.isThird[state], 1)
			r.bit(&m.isFourth[state], uint32(back-2))
		}
	}
	r.length(&m.rep, ps, length)
	e.reps = again(e.reps, back)
	e.state = afterRep[state]
}

// again puts one of the last distances first.
func again(reps [4]int32, i int32) [4]int32 {
	d := reps[i]
	copy(reps[1:i+1], reps[:i])
	reps[0] = d
	return reps
}

func (e *Encoder) distance(d uint32, length int) {
	slot := slotOf(d)
	e.r.tree(e.m.slot[lengthState(length)][:], slot)
	if slot < firstModel {
		return
	}
	low := int(slot/2 - 1)
	rest := d - (2|slot&1)<<low
	if slot < lastModel {
		e.r.reverse(e.m.special[slot][:], rest, low)
	} else {
		e.r.direct(rest>>alignBits, low-alignBits)
		e.r.reverse(e.m.align[:], rest&(1<<alignBits-1), alignBits)
	}
}
