package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"spindle/disc"
	"spindle/image/mapfile"
	"spindle/internal/packed"
	"spindle/internal/regular"
)

// A bond is how the name of a map ties it to an image.
type bond uint8

const (
	loose   bond = iota // one of the names that ddrescue's users give to any map
	perhaps             // it names the image, but programs that write no maps have such names too
	byStem              // the image's name without its suffixes, and a suffix of maps
	sure                // all of the image's name, and a suffix of maps
)

// A beside is a map that may be one of an image.
type beside struct {
	path string
	bond bond
	m    *mapfile.Map
	err  error // why it cannot be read
	from bool  // it names the file that this one may have been unpacked from
}

// What is appended to the name of a copy: by spindle and ddrescue's manual, and by
// ddrescue's users.
var (
	mapSuffixes   = []string{mapfile.Suffix, ".mapfile"}
	otherSuffixes = []string{
		".map.txt", ".mapfile.txt", ".ddrescue.map", ".ddrescue", ".ddrescue.log", ".ddrescue.txt",
		".log", ".logfile", ".log.txt", ".ddmap",
	}
	sheetSuffixes = []string{".cue" + mapfile.Suffix, ".toc" + mapfile.Suffix, ".ccd" + mapfile.Suffix}
)

// looseName is a name that ddrescue's manual and its users give to any map.
var looseName = regexp.MustCompile(`(?i)^(mapfile|logfile|(rescue|ddrescue)(\.(map|mapfile|log|logfile))?)(\.txt)?$|\.mapfile$`)

// trackName is the end of the name of a file that holds one track; see [disc.TrackSuffix].
var trackName = regexp.MustCompile(` \(Track [0-9]+\)$`)

// A naming is a name that the map of a file may have.
type naming struct {
	name string
	bond bond
	of   string // the file whose map it is if there is one of that name, or empty
	from string // the wrapped file that this one may have been unpacked from, or empty
}

// mapNames lists the names of maps that bear the name of a file.
func mapNames(path string) []naming {
	whole := filepath.Base(path)
	inner := filepath.Base(packed.Inner(path))
	stem := strings.TrimSuffix(inner, filepath.Ext(inner))
	var all []naming
	for _, name := range []string{whole, inner, stem} {
		tie, of := sure, ""
		if name == stem {
			tie = byStem
			if stem != whole {
				of = stem // g.iso.map beside g.iso is not that of g.iso.ecm
			}
		}
		for _, s := range mapSuffixes {
			all = append(all, naming{name: name + s, bond: tie, of: of})
		}
		for _, s := range otherSuffixes {
			all = append(all, naming{name: name + s, bond: perhaps, of: of})
		}
	}
	for _, from := range unpackedFrom(whole) {
		all = append(all, naming{name: from + mapfile.Suffix, bond: byStem, from: from})
	}
	return all
}

// unpackedFrom lists the names of files from which programs make one of a name.
func unpackedFrom(name string) []string {
	var all []string
	for _, s := range wrappers() {
		all = append(all, name+s)
	}
	if ext := filepath.Ext(name); strings.EqualFold(ext, ".wav") {
		all = append(all, strings.TrimSuffix(name, ext)+".flac")
	}
	return all
}

// wrappers are the suffixes that programs take off again when they unpack an image.
func wrappers() []string { return append(packed.Suffixes(), ".ecm") }

// sheetMapNames lists the names of the maps of sheets that bear the name of a .bin or .img.
func sheetMapNames(path string) []naming {
	inner := filepath.Base(packed.Inner(path))
	part := strings.EqualFold(filepath.Ext(inner), partSuffix)
	if part {
		inner = inner[:len(inner)-len(partSuffix)]
	}
	ext := filepath.Ext(inner)
	if e := strings.ToLower(ext); e != ".bin" && e != ".img" {
		return nil
	}
	stem := strings.TrimSuffix(inner, ext)
	stems := []string{stem}
	if at := trackName.FindStringIndex(stem); at != nil {
		stems = append(stems, stem[:at[0]])
	}
	var all []naming
	for _, stem := range stems {
		for _, s := range sheetSuffixes {
			of := ""
			if part { // which replaces an image of that name
				of = stem + strings.TrimSuffix(s, mapfile.Suffix)
				all = append(all, naming{name: of + partSuffix + mapfile.Suffix, bond: byStem})
			}
			all = append(all, naming{name: stem + s, bond: byStem, of: of})
		}
	}
	return all
}

// A folder is the names in the folder of an image.
type folder struct {
	path    string
	entries []string
}

// folderOf lists the folder that a file is in. One that cannot be listed has the names that
// are found by asking for them.
func folderOf(path string) folder {
	f := folder{path: filepath.Dir(path)}
	list, _ := os.ReadDir(f.path)
	for _, e := range list {
		f.entries = append(f.entries, e.Name())
	}
	return f
}

func (f *folder) has(name string) bool {
	if slices.Contains(f.entries, name) {
		return true
	}
	_, err := os.Lstat(filepath.Join(f.path, name))
	return len(f.entries) == 0 && err == nil
}

// newer reports whether a file was written after another one that stands beside it. What is
// unpacked has the time of the file that it comes from.
func (f *folder) newer(name, than string) bool {
	if !f.has(than) {
		return false
	}
	a, err := os.Stat(filepath.Join(f.path, name))
	b, err2 := os.Stat(filepath.Join(f.path, than))
	return err == nil && err2 == nil && a.ModTime().Sub(b.ModTime()) > time.Second
}

// find returns the file with a name, or with the name in other letters where no file with
// the same letters is what that names.
func (f *folder) find(image string, n naming) (string, bool) {
	if f.has(n.name) {
		return n.name, true
	}
	for _, e := range f.entries {
		if !strings.EqualFold(e, n.name) {
			continue
		}
		same := func(other string) bool {
			return other != e && other != image && strings.HasPrefix(e, strings.TrimSuffix(other, filepath.Ext(other))+".")
		}
		if !slices.ContainsFunc(f.entries, same) {
			return e, true
		}
	}
	return "", false
}

// named returns the maps with one of the names of a file.
func named(path string, names []naming) []beside {
	var found []beside
	dir := folderOf(path)
	for _, n := range names {
		if n.of != "" && dir.has(n.of) || n.from != "" && dir.newer(filepath.Base(path), n.from) {
			continue
		}
		name, ok := dir.find(filepath.Base(path), n)
		full := filepath.Join(dir.path, name)
		same := func(b beside) bool { return b.path == full }
		if !ok || name == filepath.Base(path) || slices.ContainsFunc(found, same) {
			continue
		}
		if b := readBeside(full, n.bond); b != nil {
			b.from = n.from != ""
			found = append(found, *b)
		}
	}
	return found
}

// readBeside reads what may be a map, and returns nil for what clearly is something else.
func readBeside(path string, tie bond) *beside {
	b := &beside{path: path, bond: tie}
	f, err := regular.Open(path)
	if err != nil {
		if b.err = err; tie < byStem {
			return nil
		}
		return b
	}
	defer f.Close()
	const most = 1 << 14 // bytes that show what a file is
	head := make([]byte, most)
	n, _ := f.ReadAt(head, 0)
	head = head[:n]
	if tie < sure && !mapfile.Resembles(head) && (tie < byStem || isText(head)) {
		return nil
	}
	if b.m, b.err = mapfile.Read(f); b.err == nil && b.m.Size() == 0 && b.m.Doubt == "" {
		b.err = fmt.Errorf("%w: it has no blocks", mapfile.ErrSyntax)
	}
	return b
}

// isText reports whether a file begins with text that says something.
func isText(head []byte) bool {
	return len(bytes.TrimSpace(head)) > 0 && utf8.Valid(head[:max(0, len(head)-utf8.UTFMax)]) && !bytes.ContainsRune(head, 0)
}

// looseMaps returns the maps in the folder of an image that name no image, and may be its.
func looseMaps(path string) []beside {
	var found []beside
	dir, base := folderOf(path), filepath.Base(path)
	for _, e := range dir.entries {
		if !looseName.MatchString(e) || e == base {
			continue
		}
		stem := strings.TrimSuffix(e, filepath.Ext(e))
		ofOther := func(other string) bool {
			return other != e && other != base && (other == stem || strings.TrimSuffix(other, filepath.Ext(other)) == stem)
		}
		if strings.EqualFold(filepath.Ext(e), ".mapfile") && slices.ContainsFunc(dir.entries, ofOther) {
			continue
		}
		if b := readBeside(filepath.Join(dir.path, e), loose); b != nil && b.err == nil {
			found = append(found, *b)
		}
	}
	return found
}

// lookedFor returns the names of an image: those with which it was opened, and, where that is
// a symbolic link, those of the file.
func lookedFor(path string) []string {
	paths := []string{path}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != filepath.Clean(path) {
		paths = append(paths, target)
	}
	return paths
}

// findMaps returns the maps beside an image: IMAGE.map and IMAGE.mapfile, the same with the
// image's name without its suffixes or, of what was unpacked, with the suffix of its wrapper
// (IMAGE.gz.map), and those with another suffix that ddrescue's users
// choose (IMAGE.log, IMAGE.ddrescue.map and the like), whose content is that of a map. The
// .bin of a sheet has the map of the sheet, and a sheet those of sheets that its .bin names.
// An image that is named through a symbolic link has the maps beside the link and those
// beside the file. At last come those that name no image.
func findMaps(path string, files []string) []beside {
	var found []beside
	add := func(more []beside) {
		for _, b := range more {
			if b.path != path && !slices.ContainsFunc(found, func(f beside) bool { return f.path == b.path }) {
				found = append(found, b)
			}
		}
	}
	paths := lookedFor(path)
	for _, p := range paths {
		add(named(p, append(mapNames(p), sheetMapNames(p)...)))
	}
	for _, f := range files {
		add(named(f, sheetMapNames(f)))
	}
	for _, p := range paths {
		add(looseMaps(p))
	}
	return found
}

// A mapReader takes from maps what they say about an image.
type mapReader struct {
	img    disc.Image
	source io.ReaderAt // of the single file whose maps they are, or nil
	path   string      // of the image
	remark func(Remark)
	flaws  disc.Flaws
}

func (r *mapReader) say(x Remark) {
	if r.remark != nil {
		r.remark(x)
	}
}

// broken says that a map cannot be read. Without anybody to report it to, it is an error.
func (r *mapReader) broken(path string, err error) error {
	return r.unknown(Remark{Kind: BrokenMap, File: path, Err: err})
}

// doubt says what a map says of the image as a whole.
func (r *mapReader) doubt(b beside) error {
	if b.m.Doubt == "" {
		return nil
	}
	return r.unknown(Remark{Kind: InDoubt, File: b.path, Err: errors.New(b.m.Doubt)})
}

// unknown says that it is not known which sectors are right.
func (r *mapReader) unknown(x Remark) error {
	if r.remark == nil {
		return fmt.Errorf("%s: %w: %w", x.File, ErrMap, x.Err)
	}
	r.remark(x)
	return nil
}

func (r *mapReader) read(maps []beside) error {
	for _, b := range maps {
		if err := r.readOne(b); err != nil {
			return err
		}
	}
	return nil
}

func (r *mapReader) readOne(b beside) error {
	if b.err != nil {
		return r.broken(b.path, b.err)
	}
	if b.m.Size() == 0 {
		return r.doubt(b)
	}
	command, names := commandOf(b.m, r.path)
	flaws, err := flawsOf(b.m, r.img, r.source)
	var other *sizeError
	switch {
	case errors.As(err, &other) && b.bond == loose && !names:
		return nil
	case errors.As(err, &other) && b.bond != sure && !names:
		r.say(Remark{Kind: OtherMap, File: b.path, Have: other.have, Want: other.sectors * other.size})
		return nil
	case err != nil:
		return r.broken(b.path, err)
	case b.bond == loose && command && !names:
		r.say(Remark{Kind: MapOfOther, File: b.path})
		return nil
	}
	if len(flaws) > 0 {
		r.flaws = r.flaws.Union(flaws)
		r.say(Remark{Kind: UsedMap, File: b.path})
	}
	return r.doubt(b)
}

// commandOf reports whether a map says with which command line it was made, and whether
// that names an image.
func commandOf(m *mapfile.Map, path string) (command, names bool) {
	const before = " Command line: "
	word := regexp.MustCompile(`(^|[\s/\\'"])` + regexp.QuoteMeta(filepath.Base(path)) + `($|[\s'"])`)
	for _, c := range m.Comments {
		if line, ok := strings.CutPrefix(c, before); ok {
			command, names = true, names || word.MatchString(line)
		}
	}
	return command, names
}

// FlawsBeside reads the maps beside an image that was opened from path, and remarks which
// are used. A map counts the bytes of the sectors that stand in the image's files, in order:
// 2048, or 2352, or as many as the file has of each. A map that cannot be read, or is that of
// another image, is remarked; where remark is nil, the first of these is an error that wraps
// [ErrMap] and names the map. Where an image of one file has no map, the log of an album
// beside it says what is not right, if it names the file.
func FlawsBeside(ctx context.Context, path string, img disc.Image, remark func(Remark)) (disc.Flaws, error) {
	r := &mapReader{img: img, path: path, remark: remark}
	maps := findMaps(path, img.Files())
	if err := r.read(maps); err != nil || len(img.Files()) != 1 || r.mapped(maps) {
		return r.flaws, err
	}
	e, ok := img.ExtentAt(img.Layout().Tracks()[0].Start)
	if !ok || e.Source == nil {
		return r.flaws, nil
	}
	logs := &logReader{img: img, main: path, remark: remark}
	err := logs.file(ctx, path, e.Source)
	if err == nil {
		err = logs.renamed(ctx, []logFile{{path: path, source: e.Source}})
	}
	return r.flaws.Union(logs.flaws), err
}

// mapped reports whether one of some maps that bear the name of the image is its map.
func (r *mapReader) mapped(maps []beside) bool {
	return slices.ContainsFunc(maps, func(b beside) bool {
		if b.bond == loose || b.err != nil || b.m.Size() == 0 {
			return false
		}
		_, err := flawsOf(b.m, r.img, r.source)
		return err == nil
	})
}

// WithFileMaps gives an image the flaws that the maps of its single files state, FILE.map:
// an image that is named by a sheet can have one for the sheet, or for each file. Of a file
// without a map, the log of an album beside it says what is not right. sources are what the
// extents of the image have as such, by the paths of the files; main is what was opened, and
// who observes it hears of it.
func WithFileMaps(ctx context.Context, main *File, img disc.Image, sources map[string]io.ReaderAt) (disc.Image, error) {
	logs := &logReader{img: img, main: main.Path, remark: main.remark}
	var files []logFile
	for _, path := range slices.Sorted(maps.Keys(sources)) {
		r := &mapReader{img: img, source: sources[path], path: path, remark: main.remark}
		found := named(path, mapNames(path))
		files = append(files, logFile{path, r.source, r.mapped(found)})
		if !files[len(files)-1].mapped {
			if err := logs.file(ctx, path, r.source); err != nil {
				return nil, err
			}
		}
		if Stem(path) == Stem(main.Path) { // they may be those of the sheet, which is asked next
			found = slices.DeleteFunc(found, func(b beside) bool { return b.bond != sure && !b.from })
		}
		if err := r.read(found); err != nil {
			return nil, err
		}
		logs.flaws = logs.flaws.Union(r.flaws)
	}
	if err := logs.renamed(ctx, files); err != nil {
		return nil, err
	}
	return disc.WithFlaws(img, logs.flaws), nil
}
