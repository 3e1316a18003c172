// Package scram reads the raw dumps of redumper (.scram) and DiscImageCreator (.scm): all sectors of a CD
// as a drive gives them when they are read as audio. Data are scrambled, and everything is displaced by
// the write offset of the disc. What belongs to a dump stands beside it: the table of contents (.toc,
// .fulltoc), the sub-channels (.subcode, .sub), which samples were read (.state, .c2), CD-TEXT (.cdtext).
//
// Neither format is described anywhere but in the programs themselves and their READMEs.
package scram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/internal/packed"
)

func init() {
	format.Register(format.Format{
		Name: "scrambled sectors", Suffixes: []string{".scram", ".scm"}, Match: match, Open: openFile,
	})
}

// sampleSize is that of a stereo sample, in bytes.
const sampleSize = 4

// errDump is what errors about a dump wrap that does not hold together.
var errDump = errors.New("not a valid dump")

func errorf(text string, args ...any) error {
	return fmt.Errorf("%w: %w", errDump, fmt.Errorf(text, args...))
}

// A program is one that makes dumps, and how.
type program struct {
	suffix string
	first  disc.LBA // at which a dump begins
	sub    string   // the suffix of the sub-channels
	raw    bool     // these are as a drive gives them
	state  string   // the suffix of the file that says which samples were read
	needed bool     // without that, nothing says whether a sector was read
}

// leadIn is where redumper begins: 10 minutes before the program area.
const leadIn disc.LBA = -45150

func programs() []program {
	return []program{
		{suffix: ".scram", first: leadIn, sub: ".subcode", raw: true, state: ".state", needed: true},
		{suffix: ".scm", first: 0, sub: ".sub", state: ".c2"},
	}
}

// programOf is the one that makes files of a name.
func programOf(name string) *program {
	for _, p := range programs() {
		if strings.EqualFold(filepath.Ext(name), p.suffix) {
			return &p
		}
	}
	return nil
}

// match goes by the name: nothing in a file says where in it the disc begins.
func match(p *format.Probe) format.Score {
	if programOf(p.Name) == nil {
		return format.No
	}
	return format.Guess
}

func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	o := opener{ctx: ctx, main: f, closers: []io.Closer{f}, files: f.Files()}
	img, err := o.open()
	if err != nil {
		for _, c := range o.closers {
			c.Close()
		}
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return img, nil
}

// An opener opens a dump and what is beside it.
type opener struct {
	ctx     context.Context
	main    *format.File
	files   []string
	closers []io.Closer
	program *program
	sub     *format.File // or nil
	state   *format.File // or nil
}

// beside opens a file beside the dump. It is nil where there is none.
func (o *opener) beside(suffix string) (*format.File, error) {
	dir, stem := filepath.Dir(o.main.Path), filepath.Base(format.Stem(o.main.Path))
	path, err := format.FindCompanion(dir, stem+suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := o.main.OpenCompanion(o.ctx, path)
	if err != nil {
		return nil, err
	}
	o.closers = append(o.closers, f)
	o.files = append(o.files, f.Files()...)
	return f, nil
}

// read reads a small file beside the dump whole. It is nil where there is none.
func (o *opener) read(suffix string) ([]byte, error) {
	f, err := o.beside(suffix)
	if f == nil || err != nil {
		return nil, err
	}
	const most = 64 << 10
	if err := f.NeedWhole(); err != nil {
		return nil, err
	}
	if f.Size > most {
		return nil, errorf("%s has %d bytes", filepath.Base(f.Path), f.Size)
	}
	b := make([]byte, f.Size)
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return nil, err
	}
	return b, nil
}

func (o *opener) open() (disc.Image, error) {
	name := filepath.Base(o.main.Path)
	if o.program = programOf(packed.Inner(name)); o.program == nil {
		return nil, format.ErrUnknown
	}
	var err error
	if o.sub, err = o.beside(o.program.sub); err != nil {
		return nil, err
	}
	if o.state, err = o.beside(o.program.state); err != nil {
		return nil, err
	}
	if o.state == nil && o.program.needed {
		return nil, errorf("there is no %s beside it, which says what of it was read", o.program.state)
	}
	l, err := o.layout()
	if err != nil {
		return nil, err
	}
	src := &source{r: o.main.ReaderAt, size: o.main.Size, first: o.program.first}
	for _, t := range l.Tracks() {
		if t.Mode.IsData() {
			src.data = append(src.data, span{t.Begin(), t.End})
		}
	}
	if err := src.find(o.ctx); err != nil {
		return nil, err
	}
	setModes(l, src)
	return o.image(l, src)
}

// setModes looks into the first sectors of the data tracks: the table of contents says only that
// they are data.
func setModes(l *disc.Layout, src *source) {
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for k := range s.Tracks {
			t := &s.Tracks[k]
			for a := t.Start; a < min(t.End, t.Start+searchSectors) && t.Mode.IsData(); a++ {
				var b [cdsector.Size]byte
				if _, err := src.ReadAt(b[:], int64(a)*cdsector.Size); err != nil || !cdsector.HasSync(&b) {
					continue
				}
				t.Mode = format.SectorMode(src, int64(a)*cdsector.Size, t.Mode)
				break
			}
			if t.Mode == disc.Mode2 && s.Format == disc.FormatCDROM {
				s.Format = disc.FormatXA
			}
		}
	}
}

// image makes the image of what was found.
func (o *opener) image(l *disc.Layout, src *source) (disc.Image, error) {
	c := format.Completer{Layout: l}
	for _, t := range l.Tracks() {
		if t.Begin() < 0 {
			return nil, errorf("track %d begins at %d", t.Number, t.Begin())
		}
		e := disc.Extent{First: t.Begin(), Count: t.Sectors(), Source: src, Offset: int64(t.Begin()) * cdsector.Size}
		if o.sub != nil {
			e.Sub = &disc.SubExtent{Source: o.sub.ReaderAt, Offset: int64(t.Begin()-src.first) * cdsector.SubSize, Interleaved: o.program.raw, Blank: true}
		}
		c.Extents = append(c.Extents, e)
	}
	var err error
	if o.state != nil {
		if c.Flaws, err = o.flaws(l, src.offset); err != nil {
			return nil, err
		}
	}
	if src.offset < 0 && src.first == 0 { // of the first sectors, a part is before the dump
		c.Flaws = c.Flaws.Union(disc.FlawsOf(disc.Flaw{Count: int((-src.offset + cdsector.Size - 1) / cdsector.Size), Kind: disc.ReadWithErrors}))
	}
	c.Complete(o.main, src, src.end(), o.main)
	if o.sub != nil {
		c.Complete(o.sub, o.sub.ReaderAt, o.sub.Size, o.main)
	}
	return c.Image(o.files, o.closers)
}
