package format

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/mapfile"
	"spindle/internal/packed"
	"spindle/internal/regular"
)

// ErrMap is what every error about a map beside an image wraps.
var ErrMap = errors.New("the map beside the image cannot be used")

// A besideMap is a map that may be one of an image.
type besideMap struct {
	Path string
	// Sure says that it has the name of the image, with all its suffixes. Other maps are
	// those of the image only where their content agrees.
	Sure bool
}

// otherNames are what ddrescue's manual and its users append to the name of a copy.
var otherNames = []string{".ddrescue.map", ".ddrescue", ".ddrescue.log", ".log", ".logfile", ".ddmap"}

// trackName is the end of the name of a file that holds one track; see [disc.TrackSuffix].
var trackName = regexp.MustCompile(` \(Track [0-9]+\)$`)

// HasMaps reports whether there are maps beside an image: IMAGE.map and IMAGE.mapfile, and
// with the image's name without its suffixes, or with another suffix that ddrescue's manual
// and its users choose (IMAGE.log, IMAGE.ddrescue.map and the like), those whose content is
// that of a map. The .bin of a sheet has the map of the sheet. An image that is named through
// a symbolic link has the maps beside the link and those beside the file.
func HasMaps(path string) bool { return len(findMaps(path)) > 0 }

// findMaps returns the maps beside an image; see [HasMaps].
func findMaps(path string) []besideMap {
	var found []besideMap
	paths := []string{path}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != filepath.Clean(path) {
		paths = append(paths, target)
	}
	for _, p := range paths {
		for _, b := range mapNames(p) {
			same := slices.ContainsFunc(found, func(f besideMap) bool { return f.Path == b.Path })
			if !same && b.Path != path && isFile(b.Path) && (b.Sure || looksLikeMap(b.Path)) {
				found = append(found, b)
			}
		}
	}
	return found
}

// mapNames lists where the maps of an image may be.
func mapNames(path string) []besideMap {
	dir := filepath.Dir(path)
	whole := filepath.Base(path)
	inner := filepath.Base(packed.Inner(path))
	ext := filepath.Ext(inner)
	stem := strings.TrimSuffix(inner, ext)
	var all []besideMap
	add := func(sure bool, name string, suffixes ...string) {
		for _, s := range suffixes {
			all = append(all, besideMap{filepath.Join(dir, name+s), sure})
		}
	}
	for _, name := range []string{whole, inner, stem} {
		add(name != stem, name, mapfile.Suffix, ".mapfile")
		add(false, name, otherNames...)
	}
	if e := strings.ToLower(ext); e == ".bin" || e == ".img" {
		sheets := []string{".cue" + mapfile.Suffix, ".toc" + mapfile.Suffix, ".ccd" + mapfile.Suffix}
		add(false, stem, sheets...)
		if at := trackName.FindStringIndex(stem); at != nil {
			add(false, stem[:at[0]], sheets...)
		}
	}
	return all
}

// looksLikeMap reports whether a file begins as ddrescue begins its maps, or as it
// did when it called them log files (before version 1.20), or is one as a whole.
func looksLikeMap(path string) bool {
	f, err := regular.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	const title = 64
	head := make([]byte, title)
	n, _ := f.ReadAt(head, 0)
	for _, begin := range []string{"# Mapfile.", "# Rescue Logfile."} {
		if strings.HasPrefix(string(head[:n]), begin) {
			return true
		}
	}
	if n == 0 || !strings.ContainsRune("#0123456789", rune(head[0])) {
		return false
	}
	m, err := mapfile.Read(f)
	return err == nil && m.Size() > 0
}

// FlawsBeside reads the maps beside an image that was opened from path; see [HasMaps]. A map counts
// the bytes of the sectors that stand in the image's files, in order: 2048, or 2352,
// or as many as the file has of each. Errors wrap [ErrMap] and name the map. A map that
// is one of another image, and only perhaps meant for this one, is remarked.
func FlawsBeside(path string, img disc.Image, remark func(Remark)) (disc.Flaws, error) {
	return readMaps(findMaps(path), img, nil, remark)
}

// WithFileMaps gives an image the flaws that the maps of its single files state, FILE.map:
// an image that is named by a sheet can have one for the sheet, or for each file. sources
// are what the extents of the image have as such, by the paths of the files.
func WithFileMaps(img disc.Image, sources map[string]io.ReaderAt) (disc.Image, error) {
	var flaws disc.Flaws
	for path, source := range sources {
		sure := slices.DeleteFunc(findMaps(path), func(b besideMap) bool { return !b.Sure })
		f, err := readMaps(sure, img, source, nil)
		if err != nil {
			return nil, err
		}
		flaws = flaws.Union(f)
	}
	return disc.WithFlaws(img, flaws), nil
}

// A sizeError says that a map is one of another image.
type sizeError struct{ have, sectors, size int64 }

func (e *sizeError) Error() string {
	return fmt.Sprintf("%v: it is of a copy of %d bytes, and the image has %d sectors of %d bytes", mapfile.ErrSyntax, e.have, e.sectors, e.size)
}

func (e *sizeError) Unwrap() error { return mapfile.ErrSyntax }

func readMaps(maps []besideMap, img disc.Image, source io.ReaderAt, remark func(Remark)) (disc.Flaws, error) {
	var flaws disc.Flaws
	for _, b := range maps {
		f, err := readMap(b.Path, img, source)
		var other *sizeError
		if errors.As(err, &other) && !b.Sure {
			if remark != nil {
				remark(Remark{Kind: OtherMap, File: b.Path, Have: other.have, Want: other.sectors * other.size})
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", b.Path, ErrMap, err)
		}
		flaws = flaws.Union(f)
	}
	return flaws, nil
}

func readMap(name string, img disc.Image, source io.ReaderAt) (disc.Flaws, error) {
	f, err := regular.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := mapfile.Read(f)
	if err != nil {
		return nil, err
	}
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
	if slices.Contains(o.reserved, o.Path) {
		return []string{o.Path + mapfile.Suffix}
	}
	var all []string
	for _, f := range o.reserved {
		all = append(all, f+mapfile.Suffix)
	}
	return all
}

// writeMaps writes the maps of the new image, when sectors of it have flaws: those of
// the source, and those whose wrong EDC is not written.
func (o *Output) writeMaps() error {
	flaws := o.Image.Flaws().Union(o.unsaid)
	for _, path := range o.mapPaths() {
		own := slices.DeleteFunc(slices.Clone(o.copies), func(c copied) bool {
			return path != o.Path+mapfile.Suffix && path != c.file+mapfile.Suffix
		})
		m, found := mapOf(own, flaws)
		if len(found) == 0 {
			continue
		}
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
