// Package cuefile opens the disc images that CUE sheets and their files are, and
// writes new ones.
package cuefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/cue"
	"spindle/disc"
	"spindle/image/audio"
	"spindle/image/format"
)

func init() {
	format.Register(format.Format{
		Name: "CUE sheet", Suffixes: []string{".cue"}, Match: match, Open: openFile, Create: create,
	})
}

func match(p *format.Probe) format.Score {
	if !cue.Detect(p.Head, p.Size) {
		return format.No
	}
	return format.Likely
}

// openFile opens the image that a CUE sheet and the files it names are. The files
// are looked for beside the sheet only; see [format.FindCompanion].
func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	defer f.Close()
	sheet, err := cue.Parse(io.NewSectionReader(f, 0, f.Size))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	if err := f.NeedWhole(); err != nil {
		return nil, err
	}
	o := opener{sheet: sheet, dir: filepath.Dir(f.Path), files: []string{f.Path}, main: f}
	if len(sheet.Files) == 1 {
		// Sheet and file get renamed together, and the FILE line forgotten.
		o.stem = filepath.Base(format.Stem(f.Path))
	}
	img, err := o.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	if tracks := o.absentTracks(); len(tracks) > 0 {
		f.Remark(format.Remark{Kind: format.AbsentTracks, File: f.Path, Tracks: strings.Join(tracks, ", "), Absent: o.absent})
	}
	return img, nil
}

// openSheet makes an image of a sheet that is in no file. The files that it names
// are looked for in dir.
func openSheet(ctx context.Context, sheet *cue.Sheet, dir string) (disc.Image, error) {
	o := opener{sheet: sheet, dir: dir, main: new(format.File)}
	return o.open(ctx)
}

// opened is a file of a sheet, as the extents of the image have it.
type opened struct {
	file   *format.File
	source io.ReaderAt
	end    int64 // of its content
	known  bool  // how much is missing behind that
	least  bool  // at least how much: that of a volume
}

// opener opens the files of a sheet.
type opener struct {
	sheet   *cue.Sheet
	dir     string
	stem    string // name, without its suffix, that the only file may have instead
	files   []string
	opened  []opened
	main    *format.File // receives what is found
	lacking []*absentFile
	absent  disc.Flaws // the sectors of those
	closers []io.Closer
}

func (o *opener) open(ctx context.Context) (disc.Image, error) {
	img, err := o.build(ctx)
	if err != nil {
		for _, c := range o.closers {
			c.Close()
		}
		return nil, err
	}
	return img, nil
}

func (o *opener) build(ctx context.Context) (disc.Image, error) {
	var contents []cue.Content
	for i := range o.sheet.Files {
		c, err := o.openOne(ctx, &o.sheet.Files[i])
		if err != nil {
			return nil, err
		}
		contents = append(contents, c)
	}
	packs, err := o.packs()
	if err != nil {
		return nil, err
	}
	l, extents, err := o.place(ctx, contents, packs)
	if err != nil {
		return nil, err
	}
	if err := o.checkSizes(l, extents); err != nil {
		return nil, err
	}
	c := format.Completer{Layout: l, Extents: extents}
	o.emptyAbsent(&c)
	sources := make(map[string]io.ReaderAt)
	for i := range o.opened {
		x := &o.opened[i]
		sources[x.file.Path] = x.source
		// A sheet says only where the last track of a file begins.
		c.Least, c.Displaced = !x.known && !x.least, !x.known && i+1 < len(o.opened)
		c.Complete(x.file, x.source, x.end, o.main)
	}
	img, err := c.Image(o.files, o.closers)
	if err != nil {
		return nil, err
	}
	if img, err = toVolume(ctx, img, &c, o); err != nil {
		return nil, err
	}
	if img, err = o.withSub(ctx, img, &c); err != nil {
		return nil, err
	}
	return format.WithFileMaps(ctx, o.main, img, sources)
}

// checkSizes refuses a data track whose sectors have another size in their file than the sheet states.
func (o *opener) checkSizes(l *disc.Layout, extents []disc.Extent) error {
	for i, t := range l.Tracks() {
		k := slices.IndexFunc(extents, func(e disc.Extent) bool { return e.First <= t.Start && t.Start < e.First+disc.LBA(e.Count) })
		if k < 0 || !t.Mode.IsData() {
			continue
		}
		e := &extents[k]
		x := slices.IndexFunc(o.opened, func(x opened) bool { return x.source == e.Source })
		if x < 0 {
			continue
		}
		at := e.Offset + int64(t.Start-e.First)*int64(e.Stride)
		if size := format.OtherSize(e.Source, at, o.opened[x].end, e.Stride); size > 0 {
			return &cue.ParseError{Line: o.sheet.Tracks[i].Line, Msg: fmt.Sprintf("track %d is stated as %s, of %d bytes a sector, but %s has %d",
				t.Number, o.sheet.Tracks[i].Type, e.Stride, filepath.Base(o.opened[x].file.Path), size)}
		}
	}
	return nil
}

// find finds a file of the sheet.
func (o *opener) find(f *cue.File) (string, error) {
	path, err := format.FindCompanion(o.dir, f.Name)
	if err != nil && o.stem != "" {
		if other, otherErr := format.FindCompanion(o.dir, o.stem+filepath.Ext(f.Name)); otherErr == nil {
			return other, nil
		}
	}
	return path, err
}

// keep notes a file that was opened.
func (o *opener) keep(path string, c io.Closer) {
	o.closers = append(o.closers, c)
	o.files = append(o.files, path)
}

func (o *opener) openOne(ctx context.Context, f *cue.File) (cue.Content, error) {
	path, err := o.find(f)
	if f.Absent > 0 && errors.Is(err, fs.ErrNotExist) {
		return o.lack(f), nil
	}
	if err != nil {
		return cue.Content{}, fmt.Errorf("line %d: %w", f.Line, err)
	}
	switch f.Type {
	case cue.Binary, cue.Motorola:
		file, err := o.main.OpenCompanion(ctx, path)
		if err != nil {
			return cue.Content{}, fmt.Errorf("line %d: %w", f.Line, err)
		}
		o.keep(path, file)
		o.opened = append(o.opened, opened{file: file, source: file.ReaderAt, end: file.Size})
		return cue.Content{Source: file.ReaderAt, End: file.Size, Swapped: f.Type == cue.Motorola, Cut: file.Cut}, nil
	}
	// The type says little about sound files: they are recognised by their content.
	file, err := audio.Open(ctx, path)
	if err != nil {
		return cue.Content{}, fmt.Errorf("line %d: %s: %w", f.Line, f.Name, err)
	}
	sound, have := file.Padded(), file.Sectors()
	end := file.Offset + have*audio.SectorSize
	if file.Lack > 0 {
		have = file.Size / audio.SectorSize
		end = file.Offset + (file.Size+file.Lack+audio.SectorSize-1)/audio.SectorSize*audio.SectorSize
	}
	o.keep(path, file)
	o.opened = append(o.opened, opened{
		file: &format.File{Path: path}, source: sound, end: file.Offset + have*audio.SectorSize,
		known: file.Lack > 0, // its header states its length
	})
	return cue.Content{
		Source: sound, Offset: file.Offset, End: end,
		Swapped: file.Swapped, Sound: true,
	}, nil
}

// maxCDText bounds a CD-TEXT file: eight blocks of 256 packs.
const maxCDText = 8*256*disc.PackSize + 4

// packs reads the CD-TEXT file of the sheet, if it names one.
func (o *opener) packs() ([]disc.Pack, error) {
	name := o.sheet.CDTextFile
	if name == "" {
		return nil, nil
	}
	path, err := format.FindCompanion(o.dir, name)
	if err != nil {
		return nil, fmt.Errorf("CDTEXTFILE: %w", err)
	}
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > maxCDText {
		return nil, fmt.Errorf("CDTEXTFILE %s: %w: %d bytes", name, disc.ErrCDText, st.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	packs, _, err := disc.ParsePacks(b)
	if err != nil {
		return nil, fmt.Errorf("CDTEXTFILE %s: %w", name, err)
	}
	o.files = append(o.files, path)
	return packs, nil
}
