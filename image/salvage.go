package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/chd/hunks"
	"spindle/image/format"
	pieces "spindle/internal/blocks"
	"spindle/internal/packed"
)

// ErrPackedDamaged is what errors about compressed files wrap that cannot be unpacked.
var ErrPackedDamaged = packed.ErrDamaged

// Salvage reads all of an image of which a part cannot be unpacked, and returns one that
// stands for it: what cannot be unpacked is empty and unread there, and what has one
// checksum with it was read with errors. errs says what is damaged. Closing the new image
// closes the old one. progress receives how many sectors of how many are done; it may be nil.
func Salvage(ctx context.Context, img disc.Image, progress func(done, total int64)) (whole disc.Image, errs []error, err error) {
	s := &salvage{img: img, progress: progress, contents: disc.Contents{Layout: img.Layout(), Files: img.Files()}}
	for _, t := range img.Layout().Tracks() {
		for a := t.Begin(); a < t.End; {
			e, ok := img.ExtentAt(a)
			if !ok {
				return nil, nil, errUnplaced
			}
			e.Count = min(e.Count, int(t.End-a))
			if err := s.extent(ctx, e); err != nil {
				return nil, nil, err
			}
			a += disc.LBA(e.Count)
		}
	}
	s.contents.Closers = append(s.contents.Closers, img)
	whole, err = disc.NewImage(s.contents)
	if err != nil {
		return nil, nil, err
	}
	return disc.WithFlaws(whole, img.Flaws().Union(s.unread).Union(s.suspects())), s.errs, nil
}

// errUnplaced means that the sectors of an image are made of more than one place in a file.
var errUnplaced = errors.New("what can be unpacked of the image cannot be taken from it")

// salvage is what was found so far.
type salvage struct {
	img      disc.Image
	progress func(done, total int64)
	done     int64
	contents disc.Contents
	unread   disc.Flaws
	units    []unit
	errs     []error
	ranges   []damagedRange
}

// A damagedRange is sectors one behind the other that cannot be unpacked, and why the first cannot.
type damagedRange struct {
	flaw disc.Flaw
	at   int // its place among errs
	err  error
}

// Error says where, and what is wrong there.
func (r *damagedRange) Error() string {
	if r.flaw.Count == 1 {
		return fmt.Sprintf("sector %d: %v", r.flaw.First, r.err)
	}
	return fmt.Sprintf("sectors %d to %d (%d): %v", r.flaw.First, r.flaw.End()-1, r.flaw.Count, r.err)
}

// A unit is what has one checksum of the content of a file, and is damaged.
type unit struct {
	source io.ReaderAt
	*packed.DamagedError
}

// extent takes what can be unpacked of an extent.
func (s *salvage) extent(ctx context.Context, e disc.Extent) error {
	const batch = 64
	end, size := e.First+disc.LBA(e.Count), s.img.Layout().Medium.SectorSize()
	buf := make([]byte, batch*size)
	for a := e.First; a < end; {
		n := min(batch, int(end-a))
		err := s.read(ctx, buf[:n*size], a)
		if err != nil && n > 1 { // one by one
			n = 1
			err = s.read(ctx, buf[:size], a)
		}
		switch {
		case errors.Is(err, packed.ErrDamaged):
			s.unread = s.unread.Union(disc.FlawsOf(disc.Flaw{First: a, Count: 1, Kind: disc.Unread}))
			s.note(e.Source, a, err)
		case err != nil:
			return err
		}
		a += disc.LBA(n)
		if s.done += int64(n); s.progress != nil {
			s.progress(s.done, int64(s.img.Layout().Sectors()))
		}
	}
	at := e.First
	for _, f := range s.unread.Clip(e.First, end) {
		s.keep(at, f.First)
		s.contents.Extents = append(s.contents.Extents, disc.Extent{First: f.First, Count: f.Count, Form: format.EmptyForm(s.img.Layout(), f.First)})
		at = f.End()
	}
	s.keep(at, end)
	return nil
}

// read reads sectors, and their sub-channels.
func (s *salvage) read(ctx context.Context, p []byte, at disc.LBA) error {
	if err := s.img.ReadSectors(ctx, p, at); err != nil || s.img.Subchannels() == nil {
		return err
	}
	n := len(p) / s.img.Layout().Medium.SectorSize()
	return s.img.Subchannels().ReadSubchannel(ctx, make([]byte, n*cdsector.SubSize), at)
}

// keep takes the sectors [from, to) of an extent as they are.
func (s *salvage) keep(from, to disc.LBA) {
	if from < to {
		e, _ := s.img.ExtentAt(from)
		e.Count = int(to - from)
		s.contents.Extents = append(s.contents.Extents, e)
	}
}

// note keeps what is damaged, once: sectors that follow one another as one.
func (s *salvage) note(source io.ReaderAt, at disc.LBA, err error) {
	var d *packed.DamagedError
	var h *hunks.DamagedError
	switch {
	case errors.As(err, &d):
		if slices.ContainsFunc(s.units, func(u unit) bool { return u.source == source && u.From == d.From }) {
			return
		}
		s.units = append(s.units, unit{source, d})
		err = d
	case errors.As(err, &h):
		err = s.named(h)
	default:
		s.noteSector(at, err)
		return
	}
	if !slices.ContainsFunc(s.errs, func(e error) bool { return e.Error() == err.Error() }) {
		s.errs = append(s.errs, err)
	}
}

// noteSector keeps a sector that is damaged, with those before it.
func (s *salvage) noteSector(at disc.LBA, err error) {
	var block *pieces.DamagedError
	if errors.As(err, &block) {
		err = block // and not once more which sector
	}
	last := len(s.ranges) - 1
	if last < 0 || s.ranges[last].flaw.End() != at {
		s.ranges = append(s.ranges, damagedRange{flaw: disc.Flaw{First: at}, at: len(s.errs), err: err})
		s.errs = append(s.errs, nil)
		last++
	}
	r := &s.ranges[last]
	r.flaw.Count++
	s.errs[r.at] = s.named(r)
}

// named says in which image the damage is.
func (s *salvage) named(err error) error {
	return fmt.Errorf("%s: %w", filepath.Base(s.img.Files()[0]), err)
}

// suspects are the sectors that stand in damaged units.
func (s *salvage) suspects() disc.Flaws {
	var all []disc.Flaw
	for _, u := range s.units {
		for _, e := range s.contents.Extents {
			stride := int64(max(e.Stride, e.Form.Size()))
			if e.Source == nil || e.Source != u.source || stride == 0 {
				continue
			}
			first := max(0, (u.From-e.Offset)/stride)
			end := min(int64(e.Count), max(0, u.End-e.Offset+stride-1)/stride)
			if first < end {
				all = append(all, disc.Flaw{First: e.First + disc.LBA(first), Count: int(end - first), Kind: disc.ReadWithErrors})
			}
		}
	}
	return disc.FlawsOf(all...)
}
