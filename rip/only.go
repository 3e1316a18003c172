package rip

import (
	"slices"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
)

// Sectors that were not asked for ([Options.Only]) are left as they are: untried in the map, which then
// stays beside the image, so that it never passes for whole.

// A span is a run of bytes of the image.
type span struct{ pos, end int64 }

// spans are the parts of the image that hold some sectors, in order.
func (rs regions) spans(only []drive.Stretch) []span {
	var all []span
	for i := range rs {
		g := &rs[i]
		for _, s := range only {
			if first, end := max(s.First, g.first), min(s.End, g.last()); first < end {
				all = append(all, span{g.position(first), g.position(end)})
			}
		}
	}
	slices.SortFunc(all, func(a, b span) int { return int(a.pos - b.pos) })
	return slices.Clip(all)
}

// asked are the parts of the image that are to be read.
func (p *plan) asked() []span {
	if p.only == nil {
		return []span{{0, p.regions.size()}}
	}
	return p.only
}

// ofAsked returns a copy of a map in which everything that is not to be read has a state.
func (p *plan) ofAsked(m *mapfile.Map, rest mapfile.Status) *mapfile.Map {
	m = m.Clone()
	pos := int64(0)
	for _, s := range append(p.asked(), span{m.Size(), m.Size()}) {
		if s.pos > pos {
			m.Set(pos, s.pos-pos, rest)
		}
		pos = max(pos, s.end)
	}
	return m
}

// isPart reports whether the image lacks sectors that were not asked for.
func (p *plan) isPart(m *mapfile.Map) bool {
	return p.only != nil && m.Count(mapfile.NonTried) > 0
}

// leavesOut reports whether a sector of the disc is not to be read.
func (p *plan) leavesOut(at disc.LBA) bool {
	return p.only != nil && !slices.ContainsFunc(p.asks, func(s drive.Stretch) bool { return s.First <= at && at < s.End })
}
