package rip

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/iso"
)

// Vital sectors come before other damage: descriptors and directories, without which nothing says where the files
// are, and then the files that the options want first.

// How far they are looked for.
const (
	mostVital      = 4096 // sectors of descriptors and directories
	mostVitalFiles = 1 << 16
	vitalRounds    = 64 // a directory that is won may name others
)

// missingBlocks is what the image holds by now, and notes which blocks were asked for that it does not hold.
type missingBlocks struct {
	imageBlocks
	missing map[disc.LBA]bool
}

func (x missingBlocks) ReadAt(p []byte, off int64) (int, error) {
	n, err := x.imageBlocks.ReadAt(p, off)
	if err != nil && len(x.missing) < mostVital {
		x.missing[disc.LBA((off+int64(n))/iso.BlockSize)] = true
	}
	return n, err
}

// vital returns which sectors with data the image lacks of descriptors and directories, as far as what it holds names
// them, in order, and those of the files that come first.
func (r *reader) vital() (structure []disc.LBA, files []drive.Stretch) {
	x := missingBlocks{imageBlocks{r}, map[disc.LBA]bool{}}
	if fs := openFiles(x, r.disc); fs != nil {
		n := 0
		fs.each(func(name string, _ *iso.Entry, extents []drive.Stretch) bool {
			if matchesAny(r.opts.First, name) {
				files = append(files, extents...)
			}
			n++
			return n < mostVitalFiles
		})
	}
	return slices.Sorted(maps.Keys(x.missing)), joined(files)
}

// trimVital closes in on the damage that vital sectors lie in.
func (r *reader) trimVital(ctx context.Context) error {
	tried := map[disc.LBA]bool{}
	for range vitalRounds {
		r.sink.drain()
		structure, files := r.vital()
		before := len(tried)
		for _, at := range structure {
			if tried[at] {
				continue
			}
			tried[at] = true
			if err := r.trimWithin(ctx, drive.Stretch{First: at, End: at + 1}); err != nil {
				return err
			}
		}
		if len(tried) > before {
			continue
		}
		for _, x := range files {
			if err := r.trimWithin(ctx, x); err != nil {
				return err
			}
		}
		break
	}
	r.sink.drain()
	return nil
}

// trimWithin closes in on what failed of some sectors of data.
func (r *reader) trimWithin(ctx context.Context, x drive.Stretch) error {
	for i := range r.plan.regions {
		g := &r.plan.regions[i]
		first, end := max(x.First, g.first), min(x.End, g.last())
		if g.coding != drive.Data || g.void != notVoid || first >= end {
			continue
		}
		for pos := g.position(first); ; {
			b, ok := r.tracker.next(pos, mapfile.NonTrimmed)
			if b.Size = min(b.End(), g.position(end)) - b.Pos; !ok || b.Size <= 0 {
				break
			}
			_, at, n := r.piece(b)
			if err := r.bisect(ctx, g, at, n, firstReading); err != nil {
				return err
			}
			pos = g.position(at) + int64(n*g.size)
		}
	}
	return nil
}

// vitalFirst brings sectors that are to be retried into order: what is vital, then the others as they stand.
func (r *reader) vitalFirst(sectors []sectorRef) {
	structure, files := r.vital()
	var ranks [3][]sectorRef
	for _, s := range sectors {
		rank := 2
		if i, _ := slices.BinarySearch(structure, s.at); i < len(structure) && structure[i] < s.at+disc.LBA(s.n) {
			rank = 0
		} else if i, _ := slices.BinarySearchFunc(files, s.at, endsBefore); i < len(files) && files[i].First < s.at+disc.LBA(s.n) {
			rank = 1
		}
		ranks[rank] = append(ranks[rank], s)
	}
	copy(sectors, slices.Concat(ranks[:]...))
}

// endsBefore compares where a stretch ends with a sector, for a search of the first that ends behind it.
func endsBefore(x drive.Stretch, at disc.LBA) int {
	if x.End <= at {
		return -1
	}
	return 1
}

// joined sorts stretches, and joins those that overlap or follow each other.
func joined(all []drive.Stretch) []drive.Stretch {
	slices.SortFunc(all, func(a, b drive.Stretch) int { return cmp.Compare(a.First, b.First) })
	var out []drive.Stretch
	for _, x := range all {
		if k := len(out) - 1; k >= 0 && x.First <= out[k].End {
			out[k].End = max(out[k].End, x.End)
			continue
		}
		out = append(out, x)
	}
	return out
}
