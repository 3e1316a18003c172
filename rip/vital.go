package rip

import (
	"cmp"
	"context"
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
// them, and in which the files lie that come first.
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
	for at := range x.missing {
		structure = append(structure, at)
	}
	slices.Sort(structure)
	return structure, files
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
	rank := func(s sectorRef) int {
		x := drive.Stretch{First: s.at, End: s.at + disc.LBA(s.n)}
		if i, _ := slices.BinarySearch(structure, x.First); i < len(structure) && structure[i] < x.End {
			return 0
		}
		if slices.ContainsFunc(files, func(f drive.Stretch) bool { return f.First < x.End && x.First < f.End }) {
			return 1
		}
		return 2
	}
	slices.SortStableFunc(sectors, func(a, b sectorRef) int { return cmp.Compare(rank(a), rank(b)) })
}
