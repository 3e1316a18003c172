package album

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/cue"
	"spindle/image/format"
	"spindle/image/riplog"
	"spindle/internal/atomicfile"
)

// An album may be made song by song: a later run adds to what an earlier one made. Its sheet
// then is that of all songs in the folder, and says which tracks of the disc are absent.

// isPart reports whether the files of this run are not the whole album.
func (w *writer) isPart() bool { return w.Only != nil || len(w.Kept) > 0 }

// keeps reports whether the file of a song, or of a track of data, is in the folder.
func (w *writer) keeps(number int, data bool) bool {
	return slices.ContainsFunc(w.Kept, func(s riplog.Song) bool { return s.Number == number && s.Data == data })
}

// planKept adds the files that are there.
func (w *writer) planKept() {
	for _, s := range w.Kept {
		p := part{name: s.File, kind: cue.Wave, from: s.First, to: s.End, kept: true}
		if s.Data {
			p.kind, p.block = cue.Binary, strings.HasSuffix(s.File, ".iso")
		}
		w.parts = append(w.parts, p)
	}
}

// writeSheet writes the sheet of all songs that are in the folder.
func (w *writer) writeSheet(out *Created) error {
	all := writer{album: w.album, Options: w.Options, base: w.base}
	if err := all.plan(); err != nil {
		return err
	}
	_, texts := w.album.sheet(all.parts, out.Sheet)
	for _, x := range texts {
		x.Path = filepath.Join(w.dir, filepath.Base(x.Path))
		if err := atomicfile.WriteBytes(x.Path, x.Data); err != nil {
			return err
		}
		out.Files = append(out.Files, x.Path)
	}
	return nil
}

// sheetInTheWay is the error where the sheet is there already.
func (w *writer) sheetInTheWay(path string) error {
	if _, err := os.Lstat(path); err == nil && w.isPart() && !w.Force {
		return fmt.Errorf("%s %w", path, format.ErrExists)
	}
	return nil
}
