package format

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/mapfile"
	"spindle/image/packed"
)

// MapSuffix is appended to the name of an image for the map that says which of its
// sectors are not right: the one that a rip or a conversion writes.
const MapSuffix = ".map"

// mapTitle is how the maps of conversions begin.
const mapTitle = " Mapfile. Created by spindle. It has the format of GNU ddrescue's."

// ErrMap is what every error about a map beside an image wraps.
var ErrMap = errors.New("the map beside the image cannot be used")

// FindMaps returns the paths of the maps beside an image: IMAGE.map and IMAGE.mapfile,
// and the same for the image's name without its suffixes. Of other names that
// ddrescue's manual and its users choose (IMAGE.log, IMAGE.ddrescue.map and the like),
// those count whose content begins as a map does. The .bin of a sheet has the map of
// the sheet.
func FindMaps(path string) []string {
	dir := filepath.Dir(path)
	var found []string
	add := func(name string, sure bool) {
		p := filepath.Join(dir, name)
		if p != path && isFile(p) && !slices.Contains(found, p) && (sure || looksLikeMap(p)) {
			found = append(found, p)
		}
	}
	whole := filepath.Base(path)
	inner := filepath.Base(packed.Inner(path))
	stem := strings.TrimSuffix(inner, filepath.Ext(inner))
	for _, name := range []string{whole, inner, stem} {
		add(name+MapSuffix, true)
		add(name+".mapfile", true)
		for _, s := range []string{".ddrescue.map", ".ddrescue", ".ddrescue.log", ".log", ".logfile", ".ddmap"} {
			add(name+s, false)
		}
	}
	switch strings.ToLower(filepath.Ext(inner)) {
	case ".bin", ".img":
		for _, s := range []string{".cue", ".toc", ".ccd"} {
			add(stem+s+MapSuffix, true)
		}
	}
	return found
}

// looksLikeMap reports whether a file begins as ddrescue begins its maps, or as it
// did when it called them log files (before version 1.20).
func looksLikeMap(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	line, _ := bufio.NewReaderSize(f, 64).ReadString('\n')
	return strings.HasPrefix(line, "# Mapfile.") || strings.HasPrefix(line, "# Rescue Logfile.")
}

// FlawsBeside reads the maps beside an image that was opened from path. A map counts
// the bytes of the sectors that stand in the image's files, in order: 2048, or 2352,
// or as many as the file has of each. Errors wrap [ErrMap] and name the map.
func FlawsBeside(path string, img disc.Image) (disc.Flaws, error) {
	var flaws disc.Flaws
	for _, name := range FindMaps(path) {
		f, err := readMap(name, img)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", name, ErrMap, err)
		}
		flaws = flaws.Union(f)
	}
	return flaws, nil
}

func readMap(name string, img disc.Image) (disc.Flaws, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := mapfile.Read(f)
	if err != nil {
		return nil, err
	}
	runs, sizes := storedRuns(img)
	count := int64(0)
	for _, r := range runs {
		count += int64(r.Count)
	}
	i := slices.IndexFunc(sizes, func(size int64) bool { return m.Size() == count*size })
	if i < 0 {
		return nil, fmt.Errorf("%w: it is of a copy of %d bytes, and the image has %d sectors of %d bytes",
			mapfile.ErrSyntax, m.Size(), count, sizes[0])
	}
	own := slices.Contains(m.Comments, mapTitle)
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
		all = append(all, place(runs, b.Pos/sizes[i], (b.End()+sizes[i]-1)/sizes[i], kind)...)
	}
	return disc.FlawsOf(all...), nil
}

// storedRuns returns the sectors that stand in files, and how many bytes a map may
// count for each: first the number that the files have.
func storedRuns(img disc.Image) (runs []disc.Flaw, sizes []int64) {
	l := img.Layout()
	for _, t := range l.Tracks() {
		for a := t.Begin(); a < t.End; {
			e, ok := img.ExtentAt(a)
			n := 1
			if ok {
				n = max(1, min(e.Count, int(t.End-a)))
			}
			if !ok || e.Source != nil {
				runs = append(runs, disc.Flaw{First: a, Count: n})
			}
			if ok && e.Source != nil && len(sizes) == 0 {
				sizes = append(sizes, int64(max(e.Stride, e.Form.Size())))
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

// copied is a run of sectors that went into the files, in their order.
type copied struct {
	from, to disc.LBA
	size     int64 // bytes that the map counts for each
}

// noteCopy keeps which sectors were written.
func (o *Output) noteCopy(from, to disc.LBA, s Stored) {
	size := int64(cdsector.Size)
	if s.Size(o.Layout.Medium) == cdsector.UserSize {
		size = cdsector.UserSize
	}
	o.copies = append(o.copies, copied{from, to, size})
}

// writeMap writes the map of the new image, when sectors of it have flaws: those of
// the source, and those whose wrong EDC is not written.
func (o *Output) writeMap() error {
	flaws := o.Image.Flaws().Union(o.unsaid)
	size := int64(cdsector.Size)
	if !slices.ContainsFunc(o.copies, func(c copied) bool { return c.size != cdsector.UserSize }) {
		size = cdsector.UserSize
	}
	total := int64(0)
	for _, c := range o.copies {
		o.res.Flaws = o.res.Flaws.Union(flaws.Clip(c.from, c.to))
		total += int64(c.to-c.from) * size
	}
	if len(o.res.Flaws) == 0 {
		return nil
	}
	m := mapfile.New(total)
	m.Comments = []string{mapTitle}
	m.Phase = mapfile.Finished
	m.Set(0, total, mapfile.Finished)
	pos := int64(0)
	for _, c := range o.copies {
		for _, x := range flaws.Clip(c.from, c.to) {
			state := mapfile.ReadWithErrors
			if x.Kind == disc.Unread {
				state = mapfile.Bad
			}
			m.Set(pos+int64(x.First-c.from)*size, int64(x.Count)*size, state)
		}
		pos += int64(c.to-c.from) * size
	}
	return o.Write(o.Path+MapSuffix, func(f *os.File) error {
		_, err := m.WriteTo(f)
		return err
	})
}

// staleMap sees to it that no map of an earlier image stays beside the new one.
func (o *Output) staleMap() error {
	path := o.Path + MapSuffix
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !o.Force {
		return fmt.Errorf("%s %w", path, ErrExists)
	}
	return nil
}
