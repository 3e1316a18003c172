package format

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/mapfile"
)

// ErrMap is what every error about a map or a log beside an image wraps.
var ErrMap = errors.New("what lies beside the image, and says which sectors are not right, cannot be used")

// A sizeError says that a map is one of another image.
type sizeError struct{ have, sectors, size int64 }

func (e *sizeError) Error() string {
	return fmt.Sprintf("%v: it is of a copy of %d bytes, and the image has %d sectors of %d bytes", mapfile.ErrSyntax, e.have, e.sectors, e.size)
}

func (e *sizeError) Unwrap() error { return mapfile.ErrSyntax }

// flawsOf gives the sectors that a map says are not right. Where source is not nil, it is
// the map of that file alone.
func flawsOf(m *mapfile.Map, img disc.Image, source io.ReaderAt) (disc.Flaws, error) {
	runs, size, err := runsOf(m.Size(), img, source)
	if err != nil {
		return nil, err
	}
	own := slices.Contains(m.Comments, mapfile.Title)
	var all []disc.Flaw
	for _, b := range m.Blocks() {
		if b.Status == mapfile.Finished {
			continue
		}
		kind := disc.Unread
		if b.Status == mapfile.ReadWithErrors || own && b.Status == mapfile.NonScraped {
			kind = disc.ReadWithErrors
		}
		// A sector of which any byte is bad is bad.
		all = append(all, place(runs, b.Pos/size, (b.End()+size-1)/size, kind)...)
	}
	return disc.FlawsOf(all...), nil
}

// runsOf finds the sectors that a map of so many bytes counts, and how many bytes it counts
// for each: those that stand in files, or in one of them, or, where the image was cut short
// since, all.
func runsOf(bytes int64, img disc.Image, source io.ReaderAt) ([]disc.Flaw, int64, error) {
	stored, sizes := storedRuns(img, source)
	all := stored
	if source == nil {
		all = nil
		for _, t := range img.Layout().Tracks() {
			all = append(all, disc.Flaw{First: t.Begin(), Count: t.Sectors()})
		}
	}
	for _, runs := range [][]disc.Flaw{stored, all} {
		if i := slices.IndexFunc(sizes, func(size int64) bool { return bytes == count(runs)*size }); i >= 0 {
			return runs, sizes[i], nil
		}
	}
	return nil, 0, &sizeError{bytes, count(stored), sizes[0]}
}

func count(runs []disc.Flaw) int64 {
	n := int64(0)
	for _, r := range runs {
		n += int64(r.Count)
	}
	return n
}

// storedRuns returns the sectors that stand in files, or in the one that source reads, and
// how many bytes a map may count for each: first the number that the files have.
func storedRuns(img disc.Image, source io.ReaderAt) (runs []disc.Flaw, sizes []int64) {
	l := img.Layout()
	for _, t := range l.Tracks() {
		for a := t.Begin(); a < t.End; {
			e, ok := img.ExtentAt(a)
			n := 1
			if ok {
				n = max(1, min(e.Count, int(t.End-a)))
			}
			if source == nil && (!ok || e.Source != nil) || source != nil && ok && e.Source == source {
				runs = append(runs, disc.Flaw{First: a, Count: n})
				if ok && len(sizes) == 0 {
					sizes = append(sizes, int64(max(e.Stride, e.Form.Size())))
				}
			}
			a += disc.LBA(n)
		}
	}
	sizes = append(sizes, int64(l.Medium.SectorSize()), cdsector.UserSize, cdsector.Size)
	return runs, sizes
}

// place gives the sectors from the first-th to before the end-th of runs as flaws.
func place(runs []disc.Flaw, first, end int64, kind disc.FlawKind) []disc.Flaw {
	var out []disc.Flaw
	at := int64(0)
	for _, r := range runs {
		from, to := max(first, at), min(end, at+int64(r.Count))
		if from < to {
			out = append(out, disc.Flaw{First: r.First + disc.LBA(from-at), Count: int(to - from), Kind: kind})
		}
		at += int64(r.Count)
	}
	return out
}

// copied is a run of sectors that went into a file, in their order.
type copied struct {
	file     string // final name
	from, to disc.LBA
	size     int64 // bytes that the map counts for each
}

// noteCopy keeps which sectors were written.
func (o *Output) noteCopy(from, to disc.LBA, s Stored) {
	size := int64(cdsector.Size)
	if s.Size(o.Layout.Medium) == cdsector.UserSize {
		size = cdsector.UserSize
	}
	o.copies = append(o.copies, copied{o.paths[len(o.paths)-1], from, to, size})
}

// mapPaths are the names of the maps that the new image may get: one beside its main file,
// or, where that is none of the files that are made, one beside each.
func (o *Output) mapPaths() []string {
	var all []string
	if slices.Contains(o.reserved, o.Path) {
		all = append(all, o.Path+mapfile.Suffix)
		if !o.MapEach {
			return all
		}
	}
	for _, f := range o.reserved {
		if f != o.Path {
			all = append(all, f+mapfile.Suffix)
		}
	}
	return all
}

// writeMaps writes the maps of the new image, when sectors of it have flaws, those of
// the source and those whose wrong EDC is not written, or when the source is in doubt.
func (o *Output) writeMaps() error {
	doubt := ""
	if o.Doubts != nil {
		doubt = o.Doubts()
	}
	if o.res.LostSub = o.withSub && o.LostSub != ""; o.res.LostSub {
		doubt = strings.Trim(doubt+"; "+o.LostSub, "; ")
	}
	flaws := o.Image.Flaws().Union(o.unsaid)
	for _, path := range o.mapPaths() {
		own := slices.DeleteFunc(slices.Clone(o.copies), func(c copied) bool {
			return path != o.Path+mapfile.Suffix && path != c.file+mapfile.Suffix
		})
		m, found := mapOf(own, flaws)
		if len(found) == 0 && (doubt == "" || len(own) == 0) {
			continue
		}
		m.Doubt = doubt
		o.res.Flaws = o.res.Flaws.Union(found)
		o.res.Maps = append(o.res.Maps, path)
		if err := o.Write(path, func(f *os.File) error {
			_, err := m.WriteTo(f)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// SongMap makes the map of a file that holds the sectors [from, to) as whole sectors, or
// returns nil where they have no flaws, and nothing is in doubt.
func SongMap(from, to disc.LBA, flaws disc.Flaws, doubt string) *mapfile.Map {
	m, found := mapOf([]copied{{from: from, to: to, size: cdsector.Size}}, flaws)
	if len(found) == 0 && doubt == "" {
		return nil
	}
	m.Doubt = doubt
	return m
}

// mapOf makes the map of what was copied, and returns the flaws that are in it.
func mapOf(copies []copied, flaws disc.Flaws) (*mapfile.Map, disc.Flaws) {
	size := int64(cdsector.Size)
	if !slices.ContainsFunc(copies, func(c copied) bool { return c.size != cdsector.UserSize }) {
		size = cdsector.UserSize
	}
	total := int64(0)
	for _, c := range copies {
		total += int64(c.to-c.from) * size
	}
	m := mapfile.New(total)
	m.Comments = []string{mapfile.Title}
	m.Phase = mapfile.Finished
	m.Set(0, total, mapfile.Finished)
	pos := int64(0)
	var found disc.Flaws
	for _, c := range copies {
		in := flaws.Clip(c.from, c.to)
		found = found.Union(in)
		for _, x := range in {
			state := mapfile.ReadWithErrors
			if x.Kind == disc.Unread {
				state = mapfile.Bad
			}
			m.Set(pos+int64(x.First-c.from)*size, int64(x.Count)*size, state)
		}
		pos += int64(c.to-c.from) * size
	}
	return m, found
}
