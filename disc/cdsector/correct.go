package cdsector

// Erasures marks bytes of a sector that are known to be unreliable, one bit a
// byte, most significant bit first: the form in which drives give C2 error
// pointers (MMC-5 table "READ CD, C2 error block data").
type Erasures [Size / 8]byte

// Set marks byte i.
func (e *Erasures) Set(i int) { e[i/8] |= 0x80 >> (i % 8) }

// Has reports whether byte i is marked.
func (e *Erasures) Has(i int) bool { return e[i/8]&(0x80>>(i%8)) != 0 }

func (e *Erasures) unset(i int) { e[i/8] &^= 0x80 >> (i % 8) }

// pPositions and qPositions list, for each code word, where its bytes stand in
// the sector.
var pPositions, qPositions = func() (p [rowBytes][26]int, q [diagBytes][45]int) {
	for c := range p {
		for r := range p[c] {
			p[c][r] = headerAt + r*rowBytes + c
		}
	}
	for d := range q {
		n, half := d/2, d%2
		for m := range qWords {
			q[d][m] = headerAt + ((n+m)%qDiags*pWords+m)*2 + half
		}
		q[d][43] = qParityAt + d
		q[d][44] = qParityAt + diagBytes + d
	}
	return p, q
}()

// maxRounds bounds the alternation of P and Q: each round that changes nothing
// ends it, and real damage settles in a few.
const maxRounds = 16

// Correct repairs a Mode 1 or XA form 1 sector by its parity and returns how
// many bytes it changed. Each code word of P or Q can correct one wrong byte at
// an unknown place, or two bytes that erasures names; both codes are applied in
// turns, so that far more errors in a sector can be repaired, and where that is not enough, all of
// them are solved together. erasures may be
// nil. When the result does not pass the EDC and both parities, the sector is
// left as it was and ok is false. The sync pattern of a sector of a known kind
// is always corrected.
func Correct(s *[Size]byte, k Kind, erasures *Erasures) (changed int, ok bool) {
	if k != Mode1 && k != Form1 {
		return 0, EDCOK(s, k)
	}
	var t [Size]byte
	if erasures != nil {
		t, ok = attempt(s, k, *erasures)
		if !ok {
			t, ok = joint(s, k, erasures)
		}
	}
	if !ok {
		// The marks may cover the wrong bytes, or too many.
		t, ok = attempt(s, k, Erasures{})
	}
	if !ok {
		return 0, false
	}
	for i := range t {
		if t[i] != s[i] {
			changed++
		}
	}
	*s = t
	return changed, true
}

// joint solves all words of a copy of the sector together for its erasures.
func joint(s *[Size]byte, k Kind, e *Erasures) (t [Size]byte, ok bool) {
	t = *s
	copy(t[:], sync[:])
	return t, solve(&t, k, e) && EDCOK(&t, k) && ParityOK(&t, k)
}

// maxCrossings bounds how often [attempt] resumes where it got stuck.
const maxCrossings = 4

// attempt applies P and Q in turns to a copy of the sector until nothing changes. Where that
// leaves words of both that do not hold, the bytes in which they cross are what is wrong:
// with these as erasures, it resumes.
func attempt(s *[Size]byte, k Kind, e Erasures) (t [Size]byte, ok bool) {
	t = *s
	copy(t[:], sync[:])
	if k == Form1 {
		clear(t[headerAt:userAt])
	}
	for range maxCrossings {
		settle(&t, &e)
		var helps bool
		if e, helps = crossings(&t); !helps {
			break
		}
	}
	if k == Form1 {
		copy(t[headerAt:userAt], s[headerAt:userAt])
	}
	return t, EDCOK(&t, k) && ParityOK(&t, k)
}

// settle applies P and Q in turns until nothing changes.
func settle(t *[Size]byte, e *Erasures) {
	for range maxRounds {
		again := false
		for i := range qPositions {
			again = correctWord(t, qPositions[i][:], e) || again
		}
		for i := range pPositions {
			again = correctWord(t, pPositions[i][:], e) || again
		}
		if !again {
			break
		}
	}
}

// crossings marks the bytes that are part of a word of P and of one of Q that do not hold, and
// reports whether that helps: whether a word has so few of them that it can be corrected.
func crossings(t *[Size]byte) (e Erasures, helps bool) {
	var inP Erasures
	for i := range pPositions {
		if pos := pPositions[i][:]; !wordHolds(t, pos) {
			for _, at := range pos {
				inP.Set(at)
			}
		}
	}
	for i := range qPositions {
		pos := qPositions[i][:]
		if wordHolds(t, pos) {
			continue
		}
		n := 0
		for _, at := range pos {
			if inP.Has(at) {
				e.Set(at)
				n++
			}
		}
		helps = helps || n == 1 || n == 2
	}
	for i := range pPositions {
		n := 0
		for _, at := range pPositions[i] {
			if e.Has(at) {
				n++
			}
		}
		helps = helps || n == 1 || n == 2
	}
	return e, helps
}

// wordHolds reports whether both syndromes of a code word are zero.
func wordHolds(s *[Size]byte, pos []int) bool {
	var s0, s1 byte
	for _, p := range pos {
		v := s[p]
		s0 ^= v
		s1 = s1<<1 ^ s1>>7*0x1D ^ v
	}
	return s0 == 0 && s1 == 0
}

// A word is what correcting a code word needs to know of it.
type word struct {
	s0, s1 byte   // its syndromes
	marks  int    // how many of its bytes are erasures
	erased [2]int // the first of them, as places in the word
}

// readWord reads the code word whose bytes stand at pos.
func readWord(s *[Size]byte, pos []int, e *Erasures) word {
	var s0, s1 byte // the sums stay in registers
	var erased [2]int
	marks := 0
	for i, p := range pos {
		v := s[p]
		s0 ^= v
		s1 = s1<<1 ^ s1>>7*0x1D ^ v
		if e.Has(p) {
			if marks < len(erased) {
				erased[marks] = i
			}
			marks++
		}
	}
	return word{s0, s1, marks, erased}
}

// correctWord applies one code word, whose bytes stand at pos, and reports
// whether it changed a byte or settled an erasure.
func correctWord(s *[Size]byte, pos []int, e *Erasures) bool {
	w := readWord(s, pos, e)
	switch {
	case w.s0 == 0 && w.s1 == 0:
		if w.marks == 0 || w.marks > 2 {
			return false
		}
		for _, p := range pos {
			e.unset(p)
		}
		return true
	case w.marks == 2:
		w.fill(s, pos, e)
		return true
	case w.s0 == 0 || w.s1 == 0 || w.marks > 2:
		return false // more than one error
	}
	i := len(pos) - 1 - (int(gf.log[w.s1])+255-int(gf.log[w.s0]))%255
	if i < 0 || w.marks == 1 && i != w.erased[0] {
		return false // more errors than the word can place
	}
	s[pos[i]] ^= w.s0
	e.unset(pos[i])
	return true
}

// fill restores the two bytes i and j of a code word that are erasures:
//
//	v_i + v_j = s0, a^(n-1-i) v_i + a^(n-1-j) v_j = s1
func (w *word) fill(s *[Size]byte, pos []int, e *Erasures) {
	n, i, j := len(pos), w.erased[0], w.erased[1]
	wi, wj := gf.exp[n-1-i], gf.exp[n-1-j]
	vi := gfDiv(gfMul(wj, w.s0)^w.s1, wi^wj)
	s[pos[i]] ^= vi
	s[pos[j]] ^= vi ^ w.s0
	e.unset(pos[i])
	e.unset(pos[j])
}

func gfMul(a, b byte) byte {
	if a == 0 || b == 0 {
		return 0
	}
	return gf.exp[int(gf.log[a])+int(gf.log[b])]
}
