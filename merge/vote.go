package merge

import (
	"slices"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// enoughToVote is how many copies have a majority where one of them is wrong.
const enoughToVote = 3

// A voter is what a damaged copy says of a sector: its bytes [from, to).
type voter struct {
	input    int
	bytes    []byte
	from, to int
	whole    bool
}

// A ballot is the copies of a sector that hold something of it.
type ballot []voter

// ballot collects the copies. One that was never read says nothing, and one whose codes
// were computed says something of the user data only.
func (j *judge) ballot() ballot {
	var all ballot
	for i := range j.copies {
		c := &j.copies[i]
		if c.bytes == nil || c.kind == disc.Unread {
			continue
		}
		v := voter{i, c.bytes, 0, len(c.bytes), true}
		if j.medium == disc.CD && j.track.Mode.IsData() && !c.stored {
			at, n := cdsector.Classify((*[cdsector.Size]byte)(c.bytes)).UserData()
			v.from, v.to, v.whole = at, at+n, false
		}
		all = append(all, v)
	}
	return all
}

// elect puts into each byte of p what most copies have there. A tie goes to what p has,
// if that is among them, else to the first.
func (b ballot) elect(p []byte) {
	for i := range p {
		if v, votes := b.byteAt(i, p[i]); votes > 0 {
			p[i] = v
		}
	}
}

// byteAt returns what most copies have at a byte, and how many.
func (b ballot) byteAt(i int, tie byte) (v byte, votes int) {
	for k := range b {
		if i < b[k].from || i >= b[k].to {
			continue
		}
		x, n := b[k].bytes[i], 0
		for m := range b {
			if i >= b[m].from && i < b[m].to && b[m].bytes[i] == x {
				n++
			}
		}
		if n > votes || n == votes && x == tie {
			v, votes = x, n
		}
	}
	return v, votes
}

// displaced reports whether a copy may be another sector of the disc: the codes of Mode 2
// do not cover the header, and so do not prove where a sector belongs.
func (j *judge) displaced(v *voter, at disc.LBA) bool {
	if j.track.Mode != disc.Mode2 || !v.whole {
		return false
	}
	own, ok := cdsector.Address((*[cdsector.Size]byte)(v.bytes))
	return !ok || own != at.MSF()
}

// repairable reports whether it is worth while to try: where a copy is wrong by its codes, or
// none is said to be right. Sectors without codes cannot be repaired.
func (j *judge) repairable(wrong []bool) bool {
	return slices.Contains(wrong, true) || !slices.ContainsFunc(j.copies, func(c piece) bool { return c.claims() })
}

// byRepair corrects a data sector that is right nowhere: first each copy by its parity, then
// what all of them make together. wrong says which copies their own codes disprove.
func (j *judge) byRepair(p []byte, at disc.LBA, wrong []bool) (verdict, bool) {
	if !j.repairable(wrong) {
		return verdict{}, false
	}
	all := slices.DeleteFunc(j.ballot(), func(v voter) bool { return j.displaced(&v, at) })
	var readings []cdsector.Reading
	whole := false
	for _, v := range all {
		readings = append(readings, v.reading())
		whole = whole || v.whole
	}
	if !whole {
		return verdict{}, false
	}
	for i, v := range all {
		if v.whole && wrong[v.input] && j.recover(p, at, readings[i:i+1]) {
			return j.proven(p, entry{v.input, several, Corrected, 0}), true
		}
	}
	if len(all) > 1 && j.recover(p, at, readings) {
		return j.proven(p, entry{several, several, Voted, 0}), true
	}
	return verdict{}, false
}

// recover puts a sector together and reports whether its codes prove it.
func (j *judge) recover(p []byte, at disc.LBA, readings []cdsector.Reading) bool {
	for _, k := range j.track.Mode.CodedKinds() {
		s, ok := cdsector.Recover(k, at.MSF(), readings)
		if !ok {
			continue
		}
		if problem, _ := check.SectorProblem(&s, j.track, at); problem == "" {
			copy(p, s[:])
			return true
		}
	}
	return false
}

// reading gives a copy to the parity. What it does not say is marked.
func (v *voter) reading() cdsector.Reading {
	r := cdsector.Reading{Data: [cdsector.Size]byte(v.bytes)}
	if v.whole {
		return r
	}
	r.Marks = new(cdsector.Erasures)
	for i := range r.Data {
		if i < v.from || i >= v.to {
			r.Marks.Set(i)
		}
	}
	return r
}
