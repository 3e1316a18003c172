package lzma

import "math"

const (
	window  = 1024 // bytes that are looked at before symbols are decided on
	numReps = 4
	literal = -1 // no distance
)

// A node is a place, in bytes after the last that was encoded, with the cheapest way to it.
// Its last step is one symbol, or up to three at once: a symbol, a literal, and tail bytes
// at the distance before.
type node struct {
	price uint32
	from  int32
	back  int32 // literal, one of the last distances, or four more than a distance
	tail  int32 // zero for one symbol
	state uint8
	reps  [4]int32
}

// A search is for the cheapest way from a node.
type search struct {
	*Encoder
	end    int          // of the nodes that ways lead to
	repeat [numReps]int // how long the last distances match at the place that is looked at
}

// step finds the cheapest symbols for what comes next, up to where all ways meet or a long
// match begins, and encodes them. It is a shortest path, as the SDK searches for it.
func (e *Encoder) step() {
	s := search{Encoder: e}
	e.nodes[0] = node{state: e.state, reps: e.reps}
	for cur := 0; ; cur++ {
		if cur > 0 {
			if cur == s.end {
				e.emit(cur)
				return
			}
			e.settle(cur)
		}
		place := e.at + cur
		found := e.matches(place)
		s.measure(cur, place)
		if back, length := s.long(found); length > 0 {
			e.emit(cur)
			e.take(back, length)
			return
		}
		if cur >= window {
			e.emit(cur)
			return
		}
		s.extend(cur, place, found)
	}
}

// take encodes a match, and enters its places.
func (e *Encoder) take(back int32, length int) {
	e.f.skip(e.seenN, length-1)
	e.seenN += length - 1
	e.symbol(back, length)
}

// settle follows the way to a node for its state and its last distances.
func (e *Encoder) settle(cur int) {
	n := &e.nodes[cur]
	before := &e.nodes[n.from]
	state, reps := before.state, before.reps
	switch first := cur - int(n.from); {
	case n.back == literal:
		state = afterLiteral[state]
	case n.back == 0 && n.tail == 0 && first == 1:
		state = afterShortRep[state]
	case n.back < numReps:
		state, reps = afterRep[state], again(reps, n.back)
	default:
		state, reps = afterMatch[state], [4]int32{n.back - numReps, reps[0], reps[1], reps[2]}
	}
	if n.tail > 0 {
		if n.back != literal {
			state = afterLiteral[state]
		}
		state = afterRep[state]
	}
	n.state, n.reps = state, reps
}

// measure finds how long the last distances match at a place.
func (s *search) measure(cur, place int) {
	limit := min(maxLength, len(s.src)-place)
	for i, d := range s.nodes[cur].reps {
		s.repeat[i] = 0
		other := place - int(d) - 1
		if limit < minLength || other < 0 || s.src[other] != s.src[place] || s.src[other+1] != s.src[place+1] {
			continue
		}
		s.repeat[i] = matchLength(s.src, other, place, limit)
	}
}

// long is the longest match of a place, if it is long enough to look no further.
func (s *search) long(found []match) (back int32, length int) {
	for i, n := range s.repeat {
		if n >= niceLength && n > length {
			back, length = int32(i), n
		}
	}
	if k := len(found) - 1; k >= 0 && found[k].length >= niceLength && int(found[k].length) > length+1 {
		return found[k].distance + numReps, int(found[k].length)
	}
	return back, length
}

// reach offers a way to the node so many bytes after cur.
func (s *search) reach(cur, length int, price uint32, back int32, tail int) {
	to := cur + length
	for s.end < to {
		s.end++
		s.nodes[s.end].price = math.MaxUint32
	}
	if n := &s.nodes[to]; price < n.price {
		n.price, n.from, n.back, n.tail = price, int32(cur), back, int32(tail)
	}
}

// extend offers all ways that go on from a node.
func (s *search) extend(cur, place int, found []match) {
	n := &s.nodes[cur]
	ps := place % positions
	asLiteral := s.literalFrom(n.price, n.state, n.reps[0], place)
	s.reach(cur, 1, asLiteral, literal, 0)
	repeated := n.price + price1(s.m.isMatch[n.state][ps])
	matched := repeated + price0(s.m.isRep[n.state])
	repeated += price1(s.m.isRep[n.state])
	if last := place - int(n.reps[0]) - 1; last >= 0 {
		if s.src[last] == s.src[place] {
			s.reach(cur, 1, repeated+price0(s.m.isLater[n.state])+price0(s.m.isLong[n.state][ps]), 0, 0)
		} else {
			s.afterwards(cur, 0, n.price, literal, n.state, n.reps[0], place)
		}
	}
	shortest := s.repeats(cur, place, repeated)
	s.newMatches(cur, place, matched, max(shortest, minLength), found)
}

// literalFrom is what it costs to reach the place after a literal.
func (s *search) literalFrom(price uint32, state uint8, last int32, place int) uint32 {
	before, expected := byte(0), byte(0)
	if place > 0 {
		before = s.src[place-1]
	}
	if state >= literalState {
		expected = s.src[place-int(last)-1]
	}
	return price + price0(s.m.isMatch[state][place%positions]) +
		literalPrice(&s.m.literal[before>>(8-contextBits)], s.src[place], expected, state >= literalState)
}

// repeats offers the last distances. It returns the shortest length for which another
// distance may be cheaper.
func (s *search) repeats(cur, place int, price uint32) int {
	n := &s.nodes[cur]
	ps, shortest := place%positions, minLength
	for i, length := range s.repeat {
		if length == 0 {
			continue
		}
		base := price + s.whichRep(i, n.state, ps)
		for l := length; l >= minLength; l-- {
			s.reach(cur, l, base+s.prices.rep[ps][l], int32(i), 0)
		}
		if i == 0 {
			shortest = length + 1
		}
		s.afterwards(cur, length, base+s.prices.rep[ps][length], int32(i), afterRep[n.state], n.reps[i], place)
	}
	return shortest
}

// whichRep is what it costs to say which of the last distances is meant.
func (s *search) whichRep(i int, state uint8, ps int) uint32 {
	m := &s.m
	if i == 0 {
		return price0(m.isLater[state]) + price1(m.isLong[state][ps])
	}
	price := price1(m.isLater[state])
	if i == 1 {
		return price + price0(m.isThird[state])
	}
	return price + price1(m.isThird[state]) + priceBit(m.isFourth[state], uint32(i-2))
}

// newMatches offers what the finder found, from a length on.
func (s *search) newMatches(cur, place int, price uint32, length int, found []match) {
	ps := place % positions
	for _, m := range found {
		if int(m.length) < length {
			continue
		}
		back := m.distance + numReps
		for ; length <= int(m.length); length++ {
			s.reach(cur, length, price+s.prices.match[ps][length]+s.prices.of(uint32(m.distance), length), back, 0)
		}
		whole := price + s.prices.match[ps][m.length] + s.prices.of(uint32(m.distance), int(m.length))
		s.afterwards(cur, int(m.length), whole, back, afterMatch[s.nodes[cur].state], m.distance, place)
	}
}

// afterwards offers, after a match, a literal and the same distance again.
func (s *search) afterwards(cur, length int, price uint32, back int32, state uint8, distance int32, place int) {
	next := place + length + 1
	limit := min(niceLength, len(s.src)-next)
	if limit < minLength {
		return
	}
	other := next - int(distance) - 1
	if s.src[other] != s.src[next] || s.src[other+1] != s.src[next+1] {
		return
	}
	n := matchLength(s.src, other, next, limit)
	price = s.literalFrom(price, state, distance, next-1)
	state = afterLiteral[state]
	ps := next % positions
	price += price1(s.m.isMatch[state][ps]) + price1(s.m.isRep[state]) + s.whichRep(0, state, ps) + s.prices.rep[ps][n]
	s.reach(cur, length+1+n, price, back, n)
}
