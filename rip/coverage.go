package rip

import (
	"spindle/drive"
	"spindle/image/mapfile"
)

// Coverage is which sectors a rip is to read, and how far it is with them.
type Coverage struct {
	Areas []drive.Stretch // what is to be read, in order
	Left  []BadRange      // of it: what is not read yet, or not right; in order
}

// coverage says how far the image is.
func (r *reader) coverage() Coverage {
	c := Coverage{Left: listBad(r.plan.ofAsked(r.tracker.snapshot(), mapfile.Finished), r.plan.regions, &r.refusals)}
	for _, s := range r.plan.asked() {
		for i := range r.plan.regions {
			g := &r.plan.regions[i]
			pos, end := max(s.pos, g.pos), min(s.end, g.pos+g.bytes())
			if pos >= end {
				continue
			}
			first, last := g.at(pos), g.at(end-1)+1
			if k := len(c.Areas) - 1; k >= 0 && c.Areas[k].End == first {
				c.Areas[k].End = last
				continue
			}
			c.Areas = append(c.Areas, drive.Stretch{First: first, End: last})
		}
	}
	return c
}
