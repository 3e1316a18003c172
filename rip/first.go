package rip

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/iso"
)

// firstPass reads the files first that the options name: as the file system of the disc lists
// them. Damage in them is left for the passes that follow, as any other.
func (r *reader) firstPass(ctx context.Context) error {
	if len(r.opts.First) == 0 {
		return nil
	}
	all := &userData{ctx: ctx, reader: r.disc.reader, track: &disc.Track{End: r.disc.Layout.End()}}
	files := openFiles(all, r.disc)
	if err := r.bound(); err != nil {
		return err
	}
	if files == nil {
		r.opts.Observer.Note(Note{Code: NoteNoFiles})
		return ctx.Err()
	}
	var runs []drive.Stretch
	count := 0
	files.each(func(name string, _ *iso.Entry, extents []drive.Stretch) bool {
		if matchesAny(r.opts.First, name) {
			runs = append(runs, extents...)
			count++
		}
		return ctx.Err() == nil && r.bound() == nil
	})
	if err := errors.Join(ctx.Err(), r.bound()); err != nil {
		return err // not all directories were read
	}
	r.opts.Observer.Note(Note{Code: NoteFirst, Count: int64(count)})
	r.setPhase(Copying, mapfile.NonTried, 1)
	round := copyRound{reader: r} // which leaves nothing out behind damage
	for _, x := range runs {
		for i := range r.plan.regions {
			g := &r.plan.regions[i]
			first, end := max(x.First, g.first), min(x.End, g.last())
			if first >= end {
				continue
			}
			if err := round.over(ctx, g.position(first), g.position(end)); err != nil {
				return err
			}
		}
	}
	r.sink.drain()
	return ctx.Err()
}

// discFiles are the files of a disc, as its file system lists them.
type discFiles struct {
	fs   *iso.FileSystem
	base disc.LBA // of what the file system calls block 0
}

// openFiles opens the file system that a computer shows: that of the last session with one. It is
// nil where there is none, or where it cannot be read.
func openFiles(all io.ReaderAt, c *Contents) *discFiles {
	starts := c.sessionStarts()
	for i := len(starts) - 1; i >= 0; i-- {
		f, err := iso.OpenSession(all, int64(starts[i]), int64(c.Layout.End()))
		if err == nil && (starts[i] == 0 || f.Root() >= int64(starts[i])) && f.Root() < int64(c.Layout.End()) {
			return &discFiles{f, 0}
		}
		own := io.NewSectionReader(all, int64(starts[i])*iso.BlockSize, int64(c.Layout.End()-starts[i])*iso.BlockSize)
		if f, err = iso.OpenFiles(own, int64(c.Layout.End()-starts[i])); err == nil {
			return &discFiles{f, starts[i]}
		}
	}
	return nil
}

// each calls do for each file and the sectors that hold it, until do returns false. What cannot be read
// of the directories is left out.
func (f *discFiles) each(do func(name string, e *iso.Entry, extents []drive.Stretch) bool) {
	_ = fs.WalkDir(f.fs, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // a directory that cannot be read hides its files only
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // so does an entry
		}
		e, ok := info.Sys().(*iso.Entry)
		if !ok {
			return nil
		}
		extents, err := e.Extents()
		if err != nil {
			return nil //nolint:nilerr // and one that makes no sense
		}
		var runs []drive.Stretch
		for _, x := range extents {
			first := f.base + disc.LBA(x.Block)
			runs = append(runs, drive.Stretch{First: first, End: first + disc.LBA((x.Size+iso.BlockSize-1)/iso.BlockSize)})
		}
		if !do(name, e, runs) {
			return fs.SkipAll
		}
		return nil
	})
}

// matchesAny reports whether a pattern matches a file: its path, its name where the pattern has no
// slash, or a folder it is in. Upper and lower case are the same.
func matchesAny(patterns []string, name string) bool {
	name = strings.ToLower(name)
	for _, p := range patterns {
		p = strings.ToLower(strings.Trim(p, "/"))
		if ok, _ := path.Match(p, path.Base(name)); ok && !strings.Contains(p, "/") {
			return true
		}
		for at := name; at != "."; at = path.Dir(at) {
			if ok, _ := path.Match(p, at); ok {
				return true
			}
		}
	}
	return false
}

// imageBlocks is the user data of the sectors that an image holds by now, by their addresses.
type imageBlocks struct{ r *reader }

// errNotHeld is returned for blocks that the image does not hold, or not right.
var errNotHeld = errors.New("rip: the block is not in the image yet")

func (x imageBlocks) ReadAt(p []byte, off int64) (int, error) {
	for done := 0; done < len(p); {
		at := off + int64(done)
		block, err := x.block(disc.LBA(at / iso.BlockSize))
		if err != nil {
			return done, err
		}
		done += copy(p[done:], block[at%iso.BlockSize:])
	}
	return len(p), nil
}

func (x imageBlocks) block(at disc.LBA) ([]byte, error) {
	rs := x.r.plan.regions
	for i := range rs {
		g := &rs[i]
		if at < g.first || at >= g.last() || g.coding != drive.Data || x.r.tracker.at(g.position(at)) != mapfile.Finished {
			continue
		}
		var s [cdsector.Size]byte
		if err := x.r.image.readAt(s[:g.size], g.position(at)); err != nil {
			return nil, err
		}
		if g.size == iso.BlockSize {
			return s[:g.size], nil
		}
		return cdsector.Block(&s)
	}
	return nil, errNotHeld
}

// mostFiles bounds the files that are named.
const mostFiles = 100

// filesIn lists the files that have a part in some sectors, as far as the image holds the
// directories.
func (r *reader) filesIn(bad []BadRange) (all []iso.DamagedFile) {
	if len(bad) == 0 {
		return nil
	}
	files := openFiles(imageBlocks{r}, r.disc)
	if files == nil {
		return nil
	}
	files.each(func(name string, e *iso.Entry, extents []drive.Stretch) bool {
		if !slices.ContainsFunc(extents, func(x drive.Stretch) bool { return overlaps(bad, x) }) {
			return true
		}
		parts, err := e.Parts(func(block int64) bool {
			at := files.base + disc.LBA(block)
			return overlaps(bad, drive.Stretch{First: at, End: at + 1})
		})
		if err == nil && len(parts) > 0 {
			all = append(all, iso.DamagedFile{Name: name, Size: e.Size, Parts: parts})
		}
		return len(all) < mostFiles
	})
	return all
}

// nameFiles reports which files are damaged before long work on them begins, unless it reported the same before.
func (r *reader) nameFiles() {
	bad := listBad(r.plan.ofAsked(r.tracker.snapshot(), mapfile.Finished), r.plan.regions, &r.refusals)
	bad = slices.DeleteFunc(bad, func(b BadRange) bool { return b.Reason == NotCompared })
	files := r.filesIn(bad)
	if len(files) == 0 || slices.EqualFunc(files, r.reported, func(a, b iso.DamagedFile) bool { return a.Name == b.Name }) {
		return
	}
	r.reported = files
	r.opts.Observer.Note(Note{Code: NoteFilesHit, Files: files})
}

// overlaps reports whether a run has one of some bad sectors, which are in order.
func overlaps(bad []BadRange, x drive.Stretch) bool {
	i, _ := slices.BinarySearchFunc(bad, x.First, func(b BadRange, at disc.LBA) int { return cmp.Compare(b.Last, at) })
	return i < len(bad) && bad[i].First < x.End
}
