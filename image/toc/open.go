package toc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/audio"
	"spindle/image/format"
)

func init() {
	format.Register(format.Format{
		Name: "cdrdao TOC file", Suffixes: []string{".toc"}, Match: match, Open: openFile, Create: create,
	})
}

// match knows a TOC file by its first word that is not in a comment.
func match(p *format.Probe) format.Score {
	if p.Size > maxFile || bytes.IndexByte(p.Head, 0) >= 0 {
		return format.No
	}
	l := lexer{in: string(p.Head), line: 1}
	t, err := l.next()
	if err != nil || t.kind != word {
		return format.No
	}
	switch t.text {
	case string(CDDA), string(CDROM), string(CDROMXA), string(CDI), "CD_TEXT", "FIRST_TRACK_NO":
		return format.Sure
	case "CATALOG":
		// A CUE sheet may begin so too: there the number has no quotation marks,
		// and FILE comes before TRACK.
		if next, err := l.next(); err == nil && next.kind == text {
			return format.Likely
		}
		return format.Guess
	case "TRACK":
		if next, err := l.next(); err == nil && next.kind == word {
			return format.Sure
		}
	}
	return format.No
}

// openFile opens the image that a TOC file and the files it names are.
func openFile(ctx context.Context, file *format.File) (disc.Image, error) {
	defer file.Close()
	path := file.Path
	f, err := Parse(io.NewSectionReader(file, 0, file.Size))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := file.NeedWhole(); err != nil {
		return nil, err
	}
	img, err := f.open(ctx, file, filepath.Dir(path), path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

// Open opens the files that are named, which are looked for in dir, and makes an
// image of them. Errors about the content name the line.
func (f *File) Open(ctx context.Context, dir string) (disc.Image, error) {
	return f.open(ctx, new(format.File), dir)
}

// open makes an image of which files are known already.
func (f *File) open(ctx context.Context, main *format.File, dir string, files ...string) (disc.Image, error) {
	b := builder{f: f, main: main, dir: dir, files: files, raw: make(map[string]*format.File), sound: make(map[string]*audio.File)}
	img, err := b.build(ctx)
	if err != nil {
		for _, c := range b.closers {
			c.Close()
		}
		return nil, err
	}
	return img, nil
}

type builder struct {
	f       *File
	dir     string
	raw     map[string]*format.File // by path
	sound   map[string]*audio.File
	closers []io.Closer
	files   []string
	layout  disc.Layout
	extents []disc.Extent
	flaws   disc.Flaws

	main     *format.File // receives what is found
	remarked map[string]bool
}

func (b *builder) build(ctx context.Context) (disc.Image, error) {
	s := disc.Session{Number: 1, Format: b.f.Type.format()}
	var at disc.LBA
	for i := range b.f.Tracks {
		t := &b.f.Tracks[i]
		track, err := b.place(ctx, t, b.f.FirstNumber+i, at)
		if err != nil {
			return nil, err
		}
		at = track.End
		s.Tracks = append(s.Tracks, track)
	}
	s.LeadOut = at
	b.layout = disc.Layout{Medium: disc.CD, Sessions: []disc.Session{s}, MCN: b.f.Catalog}
	if len(b.f.Text) > 0 {
		packs, err := disc.EncodeCDText(b.f.Text, b.f.FirstNumber, b.f.FirstNumber+len(b.f.Tracks)-1)
		if err != nil {
			return nil, err
		}
		b.layout.CDText = packs
	}
	img, err := disc.NewImage(disc.Contents{Layout: &b.layout, Extents: b.extents, Flaws: b.flaws, Files: b.files, Closers: b.closers})
	if err != nil {
		return nil, err
	}
	sources := make(map[string]io.ReaderAt)
	for path, f := range b.raw {
		sources[path] = f.ReaderAt
	}
	return format.WithFileMaps(ctx, b.main, img, sources)
}

// part is a run of bytes of a track, where it lies: r is nil for silence and
// empty sectors.
type part struct {
	r       io.ReaderAt
	offset  int64
	length  int64 // bytes
	swapped bool
	mode    Mode
	sub     Sub
	line    int
	lost    missing
}

// block is the number of bytes of a sector of the part.
func (x *part) block() int64 {
	_, form, _ := x.mode.stored()
	n := int64(form.Size())
	if x.sub != NoSub {
		n += cdsector.SubSize
	}
	return n
}

// sectors returns how many sectors the part fills, the last perhaps not wholly.
func (x *part) sectors() int64 { return (x.length + x.block() - 1) / x.block() }

// place lays out a track from the address at on.
func (b *builder) place(ctx context.Context, t *Track, number int, at disc.LBA) (disc.Track, error) {
	mode, _, _ := t.Mode.stored()
	out := disc.Track{Number: number, Mode: mode, Control: t.Control, ISRC: t.ISRC}
	fail := func(format string, args ...any) (disc.Track, error) {
		return out, &ParseError{Line: t.Line, Msg: fmt.Sprintf("track %d: ", number) + fmt.Sprintf(format, args...)}
	}
	samples := mode == disc.Audio && t.Sub == NoSub // not whole sectors
	var parts []part
	begins := []int64{0} // where each part begins, in bytes of audio or in sectors
	for i := range t.Pieces {
		x, err := b.open(ctx, &t.Pieces[i], mode)
		if err != nil {
			return out, err
		}
		parts = append(parts, x)
		n := x.sectors()
		if samples {
			n = x.length
		}
		if begins = append(begins, begins[i]+n); begins[i+1] > disc.MaxLBA*audio.SectorSize {
			return fail("it is longer than any disc")
		}
	}
	sector := int64(1)
	if samples {
		sector = audio.SectorSize
	}
	length := (begins[len(parts)] + sector - 1) / sector
	if length > disc.MaxLBA {
		return fail("it is longer than any disc")
	}
	start, post := t.Start, t.End
	if t.StartPiece >= 0 {
		start = int(begins[t.StartPiece] / sector)
	}
	if t.EndPiece >= 0 {
		post = int(begins[t.EndPiece] / sector)
	}
	if int64(start) >= length {
		return fail("START at %s lies behind its end at %s", addr.Frames(start), addr.Frames(int(length)))
	}
	out.Pregap, out.Start, out.End = start, at+disc.LBA(start), at+disc.LBA(length)
	for _, n := range t.Indexes {
		out.Indexes = append(out.Indexes, out.Start+disc.LBA(n))
	}
	if post > 0 { // the post-gap is one more index
		out.Indexes = append(out.Indexes, at+disc.LBA(post))
	}
	if i := misplacedIndex(&out); i >= 0 {
		return fail("INDEX %02d is not between INDEX %02d and the end of the track at %s", i+2, i+1, addr.Frames(int(length)))
	}
	parts = b.fill(parts, begins, sector, at)
	if samples {
		b.placeAudio(parts, at)
	} else {
		b.placeSectors(parts, at)
	}
	return out, nil
}

// misplacedIndex returns the first of the indexes that does not lie between the one before
// and the end of the track, or -1.
func misplacedIndex(t *disc.Track) int {
	last := t.Start
	for i, x := range t.Indexes {
		if x <= last || x >= t.End {
			return i
		}
		last = x
	}
	return -1
}

// placeSectors lays out parts of whole sectors.
func (b *builder) placeSectors(parts []part, at disc.LBA) {
	for i := range parts {
		x := &parts[i]
		_, form, _ := x.mode.stored()
		n := int(x.sectors())
		e := disc.Extent{First: at, Count: n, Offset: x.offset, Stride: int(x.block()), Form: form}
		switch {
		case x.r != nil:
			e.Source = x.r
			if x.length%x.block() != 0 {
				e.Source = format.Padded(x.r, x.offset+x.length)
			}
			if x.sub != NoSub {
				e.Sub = &disc.SubExtent{
					Source: e.Source, Offset: x.offset + int64(form.Size()), Stride: int(x.block()),
					Interleaved: x.sub == SubRaw, RWOnly: true,
				}
			}
		case x.mode == Mode1Raw:
			e.Form = disc.FormMode1
		case x.mode == Mode2Raw:
			e.Form = disc.FormXA1
		}
		if e.Source == nil {
			e.Offset, e.Stride = 0, 0
		}
		b.extents = append(b.extents, e)
		at += disc.LBA(n)
	}
}

// placeAudio lays out parts of samples, which need not be whole sectors.
func (b *builder) placeAudio(parts []part, at disc.LBA) {
	whole := true
	for i := range parts[:len(parts)-1] {
		whole = whole && parts[i].length%audio.SectorSize == 0
	}
	if !whole {
		j := newJoined(parts)
		b.extents = append(b.extents, disc.Extent{First: at, Count: int((j.size + audio.SectorSize - 1) / audio.SectorSize), Source: j})
		return
	}
	for i := range parts {
		x := &parts[i]
		n := int(x.sectors())
		e := disc.Extent{First: at, Count: n}
		if x.r != nil {
			e.Source, e.Offset = x.r, x.offset
			if x.length%audio.SectorSize != 0 {
				e.Source = format.Padded(x.r, x.offset+x.length)
			}
			if x.swapped {
				e.Form = disc.FormSwapped
			}
		}
		b.extents = append(b.extents, e)
		at += disc.LBA(n)
	}
}

// open finds out where a piece lies.
func (b *builder) open(ctx context.Context, p *Piece, mode disc.Mode) (part, error) {
	x := part{mode: p.Mode, sub: p.Sub, line: p.Line}
	unit := int64(1)
	if mode == disc.Audio && p.Sound {
		unit = 4 // a sample of both channels
	}
	fail := func(format string, args ...any) (part, error) {
		return x, &ParseError{Line: p.Line, Msg: fmt.Sprintf(format, args...)}
	}
	x.length = p.Length.bytes(x.block(), unit)
	if p.Name == "" {
		return x, nil
	}
	c, err := b.source(ctx, p, &x, mode)
	if err != nil {
		return x, err
	}
	skip := p.Offset + p.Start.bytes(x.block(), unit)
	if mode.IsData() {
		if size := format.OtherSize(x.r, c.offset+skip, c.offset+c.size, int(x.block())); size > 0 {
			return fail("%s is stated to have %d bytes a sector, and has %d", p.Name, x.block(), size)
		}
	}
	if skip >= c.size && (x.length == 0 || c.size == 0) {
		return fail("%s has %d bytes, and this part begins at byte %d", p.Name, c.size, skip)
	}
	if x.length == 0 {
		x.length = c.size - skip + c.lack
		if b.sound[c.path] == nil { // which states how long it is
			x.guess(c)
		}
	}
	x.lost.last = p == b.lastPiece()
	if left := max(0, c.size-skip); x.length > left {
		x.lack(x.length-left, c.path, c.size)
	}
	x.offset = c.offset + skip
	return x, nil
}

// guess lengthens a part that is all of a file, if that was cut short: by the least that is missing.
// Samples may end anywhere, but whole.
func (x *part) guess(c content) {
	const sample = 4
	block, whole := x.block(), x.block()
	if mode, _, _ := x.mode.stored(); mode == disc.Audio && x.sub == NoSub {
		whole = sample
	}
	switch rest := x.length % block; {
	case c.cut:
		x.length += block
	case x.length%whole > 0:
		x.length += block - rest
	default:
		return
	}
	x.lost.least = true // nothing says how much is missing
}

// lastPiece is what ends the disc.
func (b *builder) lastPiece() *Piece {
	pieces := b.f.Tracks[len(b.f.Tracks)-1].Pieces
	return &pieces[len(pieces)-1]
}

// content is what a file has: how many bytes of it, and where they begin.
type content struct {
	path         string
	size, offset int64
	lack         int64 // bytes that are missing at its end
	cut          bool  // more was there
}

// source opens the file of a piece.
func (b *builder) source(ctx context.Context, p *Piece, x *part, mode disc.Mode) (content, error) {
	path, err := format.FindCompanion(b.dir, p.Name)
	if err != nil {
		return content{}, fmt.Errorf("line %d: %w", p.Line, err)
	}
	if mode == disc.Audio && p.Sub == NoSub {
		f, err := b.openSound(ctx, path)
		switch {
		case err == nil:
			x.r, x.swapped = f.Source, f.Swapped != p.Swap
			return content{path, f.Size, f.Offset, f.Lack, false}, nil
		case errors.Is(err, audio.ErrNotCD):
			return content{}, &ParseError{Line: p.Line, Msg: fmt.Sprintf("%s: %v", p.Name, err)}
		case !errors.Is(err, audio.ErrNotAudio):
			return content{}, fmt.Errorf("line %d: %s: %w", p.Line, p.Name, err)
		}
		x.swapped = !p.Swap // bare samples have the most significant byte first
	}
	f := b.raw[path]
	if f == nil {
		if f, err = b.main.OpenCompanion(ctx, path); err == nil && f.Damage != nil {
			f.Close()
			err = f.Damage
		}
		if err != nil {
			return content{}, fmt.Errorf("line %d: %w", p.Line, err)
		}
		b.raw[path] = f
		b.files = append(b.files, path)
		b.closers = append(b.closers, f)
	}
	x.r = f.ReaderAt
	return content{path, f.Size, 0, 0, f.Cut}, nil
}

func (b *builder) openSound(ctx context.Context, path string) (*audio.File, error) {
	if f := b.sound[path]; f != nil {
		return f, nil
	}
	if b.raw[path] != nil {
		return nil, audio.ErrNotAudio
	}
	f, err := audio.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	b.sound[path] = f
	b.files = append(b.files, path)
	b.closers = append(b.closers, f)
	return f, nil
}
