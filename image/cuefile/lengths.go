package cuefile

import (
	"cmp"
	"context"
	"slices"

	"spindle/cue"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// A sheet does not say how long a file of bare sectors is, as the header of a WAVE file does. Where one that was
// cut short is followed by others, the sectors of the next data track tell how much is missing: each states its address.
// Where none does, the volume in a file of data tells how long it was at least.

// A shortage is a file that was cut short, and where on the disc its content ends.
type shortage struct {
	at   disc.LBA
	file int // in [opener.opened]
}

// place lays out the disc, with files that were cut short as long as the sectors behind them say.
func (o *opener) place(ctx context.Context, contents []cue.Content, packs []disc.Pack) (*disc.Layout, []disc.Extent, error) {
	l, extents, err := o.sheet.Place(contents, packs)
	if err == nil && o.toVolumes(ctx, contents, l, extents) {
		l, extents, err = o.sheet.Place(contents, packs)
	}
	if err != nil || !o.lengthen(contents, l, extents) {
		return l, extents, err
	}
	return o.sheet.Place(contents, packs)
}

// lengthen states of files that were cut short how much they lack, where the addresses in the next data track of the
// same session tell it, and no other file before that was cut. It reports whether there are such.
func (o *opener) lengthen(contents []cue.Content, l *disc.Layout, extents []disc.Extent) bool {
	short := o.shortages(extents)
	longer := false
	for i := range l.Sessions {
		begin, moved := l.Sessions[i].Tracks[0].Begin(), 0 // moved: how far ahead of their addresses sectors are
		for _, t := range l.Sessions[i].Tracks {
			address, ok := stated(extents, t.Start)
			if !ok || !t.Mode.IsData() {
				continue
			}
			more := int(address-t.Start) - moved
			moved += more
			var before []shortage
			for _, s := range short {
				if begin <= s.at && s.at < t.Start {
					before = append(before, s)
				}
			}
			if begin = t.Start; len(before) != 1 || more > longestCD {
				continue
			}
			x := &o.opened[before[0].file]
			c := x.content(contents)
			if c.Lack+more < 0 {
				continue
			}
			x.known = true
			c.Lack, longer = c.Lack+more, longer || more != 0
		}
	}
	return longer
}

// content is that of a file.
func (x *opened) content(contents []cue.Content) *cue.Content {
	return &contents[slices.IndexFunc(contents, func(c cue.Content) bool { return c.Source == x.source })]
}

// shortages are the files that extents reach beyond, by how much is not known, in the order on the disc.
func (o *opener) shortages(extents []disc.Extent) []shortage {
	var all []shortage
	for i := range o.opened {
		x := &o.opened[i]
		if x.known {
			continue
		}
		k := slices.IndexFunc(extents, func(e disc.Extent) bool { return e.Source == x.source && byteAfter(&e) > x.end })
		if k >= 0 {
			e := &extents[k]
			have := max(0, x.end-e.Offset) / int64(max(e.Stride, e.Form.Size()))
			all = append(all, shortage{e.First + disc.LBA(have), i})
		}
	}
	slices.SortFunc(all, func(a, b shortage) int { return cmp.Compare(a.at, b.at) })
	return all
}

// byteAfter is where an extent ends in its file.
func byteAfter(e *disc.Extent) int64 {
	return e.Offset + int64(e.Count)*int64(max(e.Stride, e.Form.Size()))
}

// stated is the address that a raw sector of data states, and the next agrees with.
func stated(extents []disc.Extent, at disc.LBA) (disc.LBA, bool) {
	k := slices.IndexFunc(extents, func(e disc.Extent) bool { return e.First <= at && at+1 < e.First+disc.LBA(e.Count) })
	if k < 0 || extents[k].Source == nil || extents[k].Form != disc.FormRaw {
		return 0, false
	}
	e := &extents[k]
	var found [2]disc.LBA
	for i := range found {
		var s [cdsector.Size]byte
		offset := e.Offset + (int64(at-e.First)+int64(i))*int64(max(e.Stride, cdsector.Size))
		if n, err := e.Source.ReadAt(s[:], offset); n < len(s) && err != nil || !cdsector.HasSync(&s) {
			return 0, false
		}
		time, ok := cdsector.Address(&s)
		if !ok {
			return 0, false
		}
		found[i] = time.LBA()
	}
	return found[0], found[1] == found[0]+1
}
