package album

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/image/format"
	"spindle/image/mapfile"
	"spindle/image/riplog"
	"spindle/internal/atomicfile"
)

// A Renamed is a file that the log of an album calls not right, under a name that the log does
// not know.
type Renamed struct {
	Path  string
	Was   string // its name in the log
	Map   string // that lists what is not right
	Flaws disc.Flaws
}

// KeepFlaws gives maps to the files of a folder whose samples, or data, a log there calls not
// right, and which it knows by another name: once the log is replaced, nothing else would say
// so. Files in made are others.
func KeepFlaws(ctx context.Context, dir string, made []string) ([]Renamed, error) {
	logs := riplog.In(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []Renamed
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		states := func(l riplog.File) bool { return l.States(e.Name()) }
		if !e.Type().IsRegular() || slices.Contains(made, path) || slices.ContainsFunc(logs, states) {
			continue
		}
		if _, err := os.Lstat(path + mapfile.Suffix); err == nil {
			continue // it says what is not right
		}
		for i := range logs {
			r, err := recognise(ctx, &logs[i], path)
			if err != nil {
				return all, err
			}
			if r != nil {
				all = append(all, *r)
				break
			}
		}
	}
	return all, nil
}

// recognise compares a file with those of a log that are not right, and writes the map of the
// one that it is.
func recognise(ctx context.Context, l *riplog.File, path string) (*Renamed, error) {
	if l.Err != nil {
		return nil, nil
	}
	r := Renamed{Path: path, Map: path + mapfile.Suffix}
	for _, s := range l.Songs {
		was := s.File
		if len(s.Flaws) == 0 || r.Was != "" && r.Was != was || !strings.EqualFold(filepath.Ext(was), filepath.Ext(path)) {
			continue
		}
		named := slices.Clone(l.Songs)
		for i := range named {
			if named[i].File == was {
				named[i].File = filepath.Base(path)
			}
		}
		s.File = filepath.Base(path)
		if found, _ := VerifySong(ctx, filepath.Dir(path), s, named); found == Same {
			r.Was, r.Flaws = was, r.Flaws.Union(s.Flaws)
		}
	}
	if r.Was == "" || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	first, end := riplog.Holds(l.Songs, r.Was)
	var text bytes.Buffer
	if _, err := format.SongMap(first, end, r.Flaws, "").WriteTo(&text); err != nil {
		return nil, err
	}
	return &r, atomicfile.WriteBytes(r.Map, text.Bytes())
}
