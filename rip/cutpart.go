package rip

import (
	"spindle/disc/cdsector"
	"spindle/image/mapfile"
)

// cutShort returns the first position of the image that a file of an earlier run does not
// reach, for each file that ends early.
func (o *output) cutShort(sectorSize int64) ([]stretch, error) {
	var all []stretch
	add := func(f *outFile, unit int64) error {
		st, err := f.f.Stat()
		if err != nil {
			return err
		}
		if whole := st.Size() / unit; whole < f.size/unit {
			all = append(all, stretch{f.pos/sectorSize + whole, (f.size/unit - whole)})
		}
		return nil
	}
	for _, f := range o.files {
		if err := add(f, sectorSize); err != nil {
			return nil, err
		}
	}
	if o.sub != nil {
		if err := add(o.sub, cdsector.SubSize); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// A stretch is a run of sectors of the image, counted from its beginning.
type stretch struct{ first, count int64 }

// forget takes back what the map says of sectors that are not in the files of the image:
// they are read again. It returns how many those are. What was never written is not missed.
func (w *writer) forget() (sectors int64, err error) {
	size := int64(w.plan.regions[0].size)
	short, err := w.out.cutShort(size)
	if err != nil {
		return 0, err
	}
	for _, s := range short {
		pos, end := s.first*size, (s.first+s.count)*size
		for {
			b, ok := w.tracker.next(pos, mapfile.Finished, unread, flawed, readOnce)
			if !ok || b.Pos >= end {
				break
			}
			pos = min(b.End(), end)
			w.tracker.set(b.Pos, pos-b.Pos, mapfile.NonTried)
			sectors += (pos - b.Pos) / size
		}
	}
	return sectors, nil
}
