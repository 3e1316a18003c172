package merge

import (
	"slices"

	"spindle/disc"
)

// A Proof says why a sector is taken for right, or that it is not.
type Proof uint8

// The proofs. Those from [Contradicted] on are of sectors that are not right.
const (
	ByEDC        Proof = iota + 1 // its address, EDC and parity are right
	Corrected                     // its parity corrected it, and its EDC is right
	Voted                         // it was put together from several copies, and its EDC is right
	Agreed                        // two copies are the same, and neither has a flaw
	Stated                        // one image has it without a flaw
	Contradicted                  // two images have it without a flaw, and they differ
	Damaged                       // no image has it without a flaw
	proofSentinel
)

var proofNames = [proofSentinel]string{"", "edc", "corrected", "voted", "agreed", "stated", "contradicted", "damaged"}

// Proofs returns all proofs, the best first.
func Proofs() []Proof {
	return []Proof{ByEDC, Corrected, Voted, Agreed, Stated, Contradicted, Damaged}
}

func (p Proof) String() string {
	if p < proofSentinel {
		return proofNames[p]
	}
	return ""
}

// Good reports whether the sector is right.
func (p Proof) Good() bool { return p > 0 && p < Contradicted }

// several stands for an input where a sector is from more than one.
const several = -1

// An entry is what was decided on a sector.
type entry struct {
	input   int // that it was taken from, or several
	against int // that agrees, or contradicts; else several
	proof   Proof
	kind    disc.FlawKind // of a sector that is not right
}

// A row is a run of sectors with the same entry.
type row struct {
	first disc.LBA
	count int
	entry
}

func (r row) end() disc.LBA { return r.first + disc.LBA(r.count) }

// A ledger is what was decided, in order.
type ledger []row

// from returns the index of the first row that ends behind a.
func (l ledger) from(a disc.LBA) int {
	if k := len(l); k > 0 && l[k-1].end() <= a { // as it mostly is
		return k
	}
	i, _ := slices.BinarySearchFunc(l, a, func(r row, a disc.LBA) int { return int(r.end()) - int(a) - 1 })
	return i
}

// add notes a sector. What is known of it stays: it is decided by the bytes of the images.
func (l *ledger) add(a disc.LBA, e entry) {
	i := l.from(a)
	if i < len(*l) && (*l)[i].first <= a {
		return
	}
	if i > 0 && (*l)[i-1].end() == a && (*l)[i-1].entry == e {
		(*l)[i-1].count++
		return
	}
	*l = slices.Insert(*l, i, row{a, 1, e})
}

// covered returns the sectors that are decided, as flaws.
func (l ledger) covered() disc.Flaws {
	var all []disc.Flaw
	for _, r := range l {
		if k := len(all) - 1; k >= 0 && all[k].End() == r.first {
			all[k].Count += r.count
			continue
		}
		all = append(all, disc.Flaw{First: r.first, Count: r.count, Kind: disc.Unproven})
	}
	return all
}

// flaws returns the sectors that are not right.
func (l ledger) flaws() disc.Flaws {
	var all []disc.Flaw
	for _, r := range l {
		if !r.proof.Good() {
			all = append(all, disc.Flaw{First: r.first, Count: r.count, Kind: r.kind})
		}
	}
	return disc.FlawsOf(all...)
}
