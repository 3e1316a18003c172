package rip

import (
	"spindle/disc"
	"spindle/disc/cdsector"
)

// farthestSub is by how many sectors a drive's sub-channel is off at most. Discs whose own
// addresses are wrong on purpose are off by more.
const farthestSub = 10

// A subPlacer finds where the sub-channel that a drive gives belongs: some give that of
// another sector than the one asked for, always by as many.
type subPlacer struct {
	ahead int // sectors by which what was given last ran ahead
	moved bool
}

// place returns by how many sectors the sub-channel of a batch runs ahead: as most of its
// frames say, and else as those before.
func (s *subPlacer) place(at disc.LBA, sub []byte) int {
	n := len(sub) / cdsector.SubSize
	said := map[int]int{}
	for i := range n {
		q, err := cdsector.DecodeQ((*[cdsector.QSize]byte)(sub[i*cdsector.SubSize+cdsector.QSize:]))
		if err != nil || q.ADR != 1 {
			continue
		}
		ahead := int(q.Abs.LBA()-at) - i
		if said[ahead]++; 2*said[ahead] > n && ahead >= -farthestSub && ahead <= farthestSub {
			s.ahead = ahead
		}
	}
	s.moved = s.moved || s.ahead != 0
	return s.ahead
}

// writeSub writes the sub-channel of a batch to where it belongs.
func (w *writer) writeSub(b *batch) error {
	if w.out.sub == nil || len(b.sub) == 0 || b.noSub {
		return nil
	}
	first := int(b.pos() / cdsector.Size)
	if b.intent != filler && b.intent != absent {
		first += w.subs.place(b.at, b.sub)
	} else {
		first += w.subs.ahead
	}
	sub, total := b.sub, int(w.plan.sub.size/cdsector.SubSize)
	if first < 0 {
		sub = sub[min(len(sub), -first*cdsector.SubSize):]
		first = 0
	}
	sub = sub[:min(len(sub), max(0, total-first)*cdsector.SubSize)]
	return w.out.sub.writeAt(sub, int64(first)*cdsector.SubSize)
}
