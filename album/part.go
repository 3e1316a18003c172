package album

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"spindle/cue"
	"spindle/image/format"
	"spindle/image/riplog"
	"spindle/internal/atomicfile"
)

// An album may be made song by song: a later run adds to what an earlier one made. Its sheet is that
// of the disc at all times, as no program may count on numbers that do not follow each other: it
// names the files that will hold what is absent, and says that and how long they are.

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

// planAbsent adds what is not there, and is not made: the sheet is that of the disc, and names it.
func (w *writer) planAbsent() {
	planned := w.parts
	add := func(p part) {
		if !slices.ContainsFunc(planned, func(x part) bool { return x.from <= p.from && p.from < x.to }) {
			p.absent = true
			w.parts = append(w.parts, p)
		}
	}
	for i := range w.album.Songs {
		s := &w.album.Songs[i]
		add(part{name: s.fileName(w.Coding.suffix()), kind: cue.Wave, from: s.Start, to: s.End})
	}
	for _, t := range w.album.Layout.Tracks() {
		if t.Mode.IsData() {
			add(dataPart(t))
		}
	}
}

// Sheet makes the sheet of the album where a folder has some of its files, as their log states them. It names
// the files that are absent, too, and says how long they are.
func (a *Album) Sheet(files []riplog.Song) *cue.Sheet {
	w := &writer{album: a, Options: Options{Kept: files}}
	w.planKept()
	w.planAbsent()
	w.sortParts()
	sheet, _ := a.sheet(w.parts, a.SheetName())
	return sheet
}

// sortParts puts the files into the order of the disc.
func (w *writer) sortParts() {
	slices.SortFunc(w.parts, func(a, b part) int { return int(a.from) - int(b.from) })
}

// isMade reports whether this run makes the file.
func (p *part) isMade() bool { return !p.kept && !p.absent }

// A stagedSheet is the sheet where files stay, and its file of CD-TEXT, under temporary names.
type stagedSheet struct {
	files []*atomicfile.File
	paths []string
}

// stageSheet writes the sheet before the songs get their names, so that all that is about to be there can be written down together.
func (w *writer) stageSheet() (*stagedSheet, error) {
	s := &stagedSheet{}
	for _, x := range w.texts {
		f, err := atomicfile.Create(x.Path)
		if err != nil {
			return s, err
		}
		s.files, s.paths = append(s.files, f), append(s.paths, x.Path)
		if _, err := f.Write(x.Data); err != nil {
			return s, f.Error(err)
		}
	}
	return s, nil
}

// naming adds the sheet to the files that are reported before they get their names.
func (s *stagedSheet) naming(told func([]format.Pending) error) func([]format.Pending) error {
	if told == nil {
		return nil
	}
	return func(files []format.Pending) error {
		for i, f := range s.files {
			files = append(files, format.Pending{Temp: f.Name(), Path: s.paths[i]})
		}
		return told(files)
	}
}

// commit names the files of the sheet, which replace what is there.
func (s *stagedSheet) commit(out *Created) error {
	for i, f := range s.files {
		if err := f.Commit(); err != nil {
			return err
		}
		out.Files = append(out.Files, s.paths[i])
	}
	return nil
}

func (s *stagedSheet) discard() {
	for _, f := range s.files {
		f.Discard()
	}
}

// sheetInTheWay is the error where the sheet, or its file of CD-TEXT, is there already.
func (w *writer) sheetInTheWay() error {
	for _, x := range w.texts {
		if _, err := os.Lstat(x.Path); err == nil && !w.Force {
			return fmt.Errorf("%s %w", x.Path, format.ErrExists)
		}
	}
	return nil
}
