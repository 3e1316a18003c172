package cdsector

import (
	"slices"

	"spindle/addr"
)

// A Reading is one reading of a damaged sector of data: the bytes as they came, and the
// error pointers of the drive, where it gave some.
type Reading struct {
	Data  [Size]byte
	Marks *Erasures // nil: none
}

// markedWeight and plainWeight are what a byte with and without an error pointer counts in
// a vote: any number of marked ones gives way to one that is not.
const (
	markedWeight = 1
	plainWeight  = 128
)

// mostReadings is how many readings are counted: more of them vote no better.
const mostReadings = 64

// Recover puts a sector of Mode 1, XA form 1 or form 2 together from readings of it. Each byte is
// voted on; bytes that are marked, contested or tied are erasures for the parity, and where
// that is not enough, other choices of them are, and the readings one by one. ok says that
// the result is proven: its EDC is right, and its header states the address and the mode. A
// form 2 sector without an EDC is never proven. Only the parity may then be computed anew.
func Recover(k Kind, at addr.MSF, readings []Reading) (s [Size]byte, ok bool) {
	readings = readings[:min(len(readings), mostReadings)]
	if len(readings) == 0 {
		return s, false
	}
	p := proof{k, at}
	b := vote(readings)
	if s, ok = p.try(b.winner, &b.open); ok {
		return s, true
	}
	if len(readings) > 1 {
		if s, ok = p.try(b.winner, &b.contested); ok {
			return s, true
		}
	}
	for i := range readings {
		if s, ok = p.try(readings[i].Data, readings[i].Marks); ok {
			return s, true
		}
	}
	return s, false
}

// A proof is what a sector has to be.
type proof struct {
	kind Kind
	at   addr.MSF
}

// try corrects a sector and reports whether it is proven then.
func (p proof) try(s [Size]byte, erased *Erasures) ([Size]byte, bool) {
	copy(s[:], sync[:])
	if p.holds(&s) {
		Seal(&s, p.kind) // its EDC stays
		return s, true
	}
	if p.kind == Form2 {
		return s, false
	}
	_, ok := Correct(&s, p.kind, erased)
	return s, ok && p.holds(&s)
}

// holds reports whether the EDC and the header prove a sector. That of XA covers the header
// neither by EDC nor by parity, so that it has to have been read.
func (p proof) holds(s *[Size]byte) bool {
	mode := byte(2)
	if p.kind == Mode1 {
		mode = 1
	}
	own, ok := Address(s)
	if !ok || own != p.at || s[modeAt] != mode || Classify(s) != p.kind {
		return false
	}
	if p.kind == Form2 && [4]byte(s[form2EDCAt:]) == [4]byte{} {
		return false
	}
	return EDCOK(s, p.kind)
}

// A ballot is the result of a vote on each byte of a sector.
type ballot struct {
	winner    [Size]byte
	open      Erasures // no clear winner
	contested Erasures // the readings differ
}

// vote decides on each byte of some readings.
func vote(readings []Reading) *ballot {
	b := new(ballot)
	for j := range Size {
		b.byte(j, readings)
	}
	return b
}

// A candidate is one value of a byte that some readings have.
type candidate struct {
	value  byte
	weight int // of all that have it
	plain  int // how many do without marking it
}

// byte votes on byte j. It stays open where every reading marks it, where two values have
// the same weight, and where readings without marks differ and no two agree.
func (b *ballot) byte(j int, readings []Reading) {
	var room [mostReadings]candidate
	found := candidates(room[:0], j, readings)
	best, plains, tied := found[0], found[0].plain, false
	for _, c := range found[1:] {
		plains += c.plain
		switch {
		case c.weight > best.weight:
			best, tied = c, false
		case c.weight == best.weight:
			tied = true
		}
	}
	b.winner[j] = best.value
	if len(found) > 1 {
		b.contested.Set(j)
	}
	if plains == 0 || tied || best.plain < min(2, plains) {
		b.open.Set(j)
	}
}

// candidates appends the values that byte j has, in the order of the readings.
func candidates(all []candidate, j int, readings []Reading) []candidate {
	for i := range readings {
		v := readings[i].Data[j]
		k := slices.IndexFunc(all, func(c candidate) bool { return c.value == v })
		if k < 0 {
			k = len(all)
			all = append(all, candidate{value: v})
		}
		if m := readings[i].Marks; m != nil && m.Has(j) {
			all[k].weight += markedWeight
			continue
		}
		all[k].weight += plainWeight
		all[k].plain++
	}
	return all
}
