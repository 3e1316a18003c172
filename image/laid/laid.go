// Package laid makes images of discs whose descriptor says of each track where it is on the
// disc, and where in a file: those of Alcohol 120%, DiscJuggler, BlindWrite, and GD-ROMs.
package laid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// ErrDescriptor is what errors about what a descriptor states wrap.
var ErrDescriptor = errors.New("not a valid descriptor of a disc")

// Errorf makes an [ErrDescriptor].
func Errorf(text string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDescriptor, fmt.Errorf(text, args...))
}

// A Sub is what of the sub-channel follows each sector.
type Sub uint8

// What can follow.
const (
	NoSub       Sub = iota
	OnlyQ           // 16 bytes, which are passed over
	Interleaved     // 96 bytes, as a drive gives them
	Linear          // 96 bytes, twelve of P, twelve of Q, and so on
)

func (s Sub) size() int {
	switch s {
	case OnlyQ:
		const size = 16
		return size
	case Interleaved, Linear:
		return cdsector.SubSize
	}
	return 0
}

// A Source is what sectors stand in: a file, or several one after the other.
type Source struct {
	io.ReaderAt
	File  *format.File // the first
	Size  int64
	files []string
	cut   *format.File // one that was cut short, with others behind it: nothing says where these begin
	sizes []int64      // of each, where there are several
}

// NewSource makes the source of files.
func NewSource(files ...*format.File) *Source {
	s := &Source{ReaderAt: files[0].ReaderAt, File: files[0], Size: files[0].Size}
	for i, f := range files {
		s.files, s.sizes = append(s.files, f.Files()...), append(s.sizes, f.Size)
		if f.Cut && i+1 < len(files) {
			s.cut = f
		}
	}
	if len(files) > 1 {
		s.ReaderAt, s.Size = format.Join(files)
	}
	return s
}

// short returns which of several files was cut short with others behind it, or -1, where so many bytes are
// wanted of all: parts but the last are of one size.
func (s *Source) short(want int64) int {
	if want <= s.Size || len(s.sizes) < 2 || len(s.sizes) != len(s.files) {
		return -1
	}
	whole := slices.Max(s.sizes)
	return slices.IndexFunc(s.sizes[:len(s.sizes)-1], func(n int64) bool { return n < whole })
}

// A Track is where a track is on the disc, and in a file.
type Track struct {
	disc.Track
	Session int // from 1
	Source  *Source
	Offset  int64 // of its first stored sector, in bytes
	Size    int   // of a sector, with its sub-channel
	Head    int   // bytes of each sector before its data that are passed over
	Sub     Sub
	// Unstored is how many sectors from its begin on are in no file: silence, or empty data.
	Unstored int
}

// A Disc is what a descriptor states.
type Disc struct {
	Medium     disc.Medium
	MCN        string
	CDText     []disc.Pack
	LayerBreak disc.LBA
	Formats    []disc.SessionFormat // of the sessions; those that are missing are plain
	Tracks     []Track              // in order
}

// Open makes an image of a disc, whose descriptor is main. The closers are closed with it; on
// an error, nothing is. Sectors before a track that no track states are its pregap. The two
// seconds at the start of each session, which every disc has, are passed over.
func (d *Disc) Open(ctx context.Context, main *format.File, closers ...io.Closer) (disc.Image, error) {
	const most = 99
	if n := len(d.Tracks); n == 0 || n > most {
		return nil, Errorf("it has %d tracks", n)
	}
	b := builder{d: d, l: &disc.Layout{Medium: d.Medium, MCN: d.MCN, CDText: d.CDText, LayerBreak: d.LayerBreak}}
	for i := range d.Tracks {
		if err := b.add(&d.Tracks[i]); err != nil {
			return nil, err
		}
	}
	if err := d.apart(); err != nil {
		return nil, err
	}
	if err := b.l.Validate(); err != nil {
		return nil, Errorf("%w", err)
	}
	sources := d.sources()
	c := format.Completer{Layout: b.l, Extents: b.extents}
	files, maps := main.Files(), make(map[string]io.ReaderAt)
	for _, s := range sources {
		if s.cut != nil {
			return nil, s.cut.NeedWhole()
		}
		if i := s.short(d.wanted(s)); i >= 0 {
			return nil, Errorf("%s was cut short, and what stands in later files is displaced: it has %d bytes, and another part %d", filepath.Base(s.files[i]), s.sizes[i], slices.Max(s.sizes))
		}
		c.Complete(s.File, s.ReaderAt, s.Size, main)
		for _, f := range s.files {
			if !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
		if len(s.files) == 1 {
			maps[s.File.Path] = s.ReaderAt
		}
	}
	img, err := c.Image(files, closers)
	if err != nil {
		return nil, Errorf("%w", err)
	}
	return format.WithFileMaps(ctx, main, img, maps)
}

// wanted is how many bytes of a source tracks have.
func (d *Disc) wanted(s *Source) int64 {
	var want int64
	for i := range d.Tracks {
		if t := &d.Tracks[i]; t.Source == s {
			want = max(want, t.endOffset())
		}
	}
	return want
}

// sources are those of the tracks, each once.
func (d *Disc) sources() []*Source {
	var all []*Source
	for i := range d.Tracks {
		if s := d.Tracks[i].Source; s != nil && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// builder makes the layout and the extents.
type builder struct {
	d       *Disc
	l       *disc.Layout
	extents []disc.Extent
}

// add adds the next track.
func (b *builder) add(t *Track) error {
	s, first, err := b.session(t)
	if err != nil {
		return err
	}
	if t.Pregap < 0 || int64(t.Start)+addr.Pregap < int64(t.Pregap) || t.End <= t.Start || t.End > disc.MaxLBA {
		return Errorf("track %d starts at %d after %d sectors of pregap, and ends at %d", t.Number, t.Start, t.Pregap, t.End)
	}
	b.fit(t, s, first)
	e, err := t.extent(b.l.Medium)
	if err != nil {
		return err
	}
	if t.Unstored > 0 {
		n := min(t.Unstored, t.Sectors())
		b.extents = append(b.extents, disc.Extent{First: t.Begin(), Count: n, Form: emptyForm(t.Mode, b.l.Medium)})
	}
	if e.Count > 0 {
		b.extents = append(b.extents, e)
	}
	s.Tracks, s.LeadOut = append(s.Tracks, t.Track), t.End
	if t.Mode == disc.Mode2 && s.Format == disc.FormatCDROM {
		s.Format = disc.FormatXA
	}
	return nil
}

// session returns the session of a track: the last one, or the next, of which the track is the first.
func (b *builder) session(t *Track) (s *disc.Session, first bool, err error) {
	n := len(b.l.Sessions)
	switch {
	case t.Session < 1 || t.Session > n+1 || t.Session < n:
		return nil, false, Errorf("track %d is in session %d, after %d", t.Number, t.Session, n)
	case t.Session == n:
		return &b.l.Sessions[n-1], false, nil
	}
	next := disc.Session{Number: t.Session}
	if t.Session <= len(b.d.Formats) {
		next.Format = b.d.Formats[t.Session-1]
	}
	b.l.Sessions = append(b.l.Sessions, next)
	return &b.l.Sessions[n], true, nil
}

// fit makes a track begin where the one before it ends, or the session does.
func (b *builder) fit(t *Track, s *disc.Session, first bool) {
	switch begin := t.Begin(); {
	case first:
		t.drop(min(addr.Pregap, t.Pregap))
		if t.Session == 1 && t.Begin() > 0 && b.l.Medium == disc.CD {
			t.extend(int(t.Begin()))
		}
	case begin > s.LeadOut:
		t.extend(int(begin - s.LeadOut))
	}
}

// drop leaves out the first n sectors of the pregap.
func (t *Track) drop(n int) {
	unstored := min(n, t.Unstored)
	t.Pregap -= n
	t.Unstored -= unstored
	t.Offset += int64(n-unstored) * int64(t.Size)
}

// extend lengthens the pregap by n sectors that are in no file.
func (t *Track) extend(n int) {
	t.Pregap += n
	t.Unstored += n
}

// extent is where the stored sectors are.
func (t *Track) extent(m disc.Medium) (disc.Extent, error) {
	e := disc.Extent{First: t.Begin() + disc.LBA(t.Unstored), Count: t.Sectors() - t.Unstored, Offset: t.Offset + int64(t.Head), Stride: t.Size}
	if e.Count <= 0 {
		return disc.Extent{}, nil
	}
	const most = 1 << 40
	if t.Source == nil || t.Offset < 0 || t.Offset > most {
		return e, Errorf("track %d is at byte %d of its file", t.Number, t.Offset)
	}
	var ok bool
	if e.Form, ok = formOf(t.Mode, t.Size-t.Head-t.Sub.size(), m); !ok {
		return e, Errorf("track %d is of %v, with %d bytes a sector", t.Number, t.Mode, t.Size)
	}
	e.Source = t.Source.ReaderAt
	if e.Form == disc.FormRaw && t.Mode.IsData() {
		t.look(&e)
	}
	if t.Sub == Interleaved || t.Sub == Linear {
		e.Sub = &disc.SubExtent{
			Source: e.Source, Offset: t.Offset + int64(t.Size-cdsector.SubSize), Stride: t.Size, Interleaved: t.Sub == Interleaved,
		}
	}
	return e, nil
}

// look looks into the first sector of a data track: what descriptors say of its mode is wrong
// in some images.
func (t *Track) look(e *disc.Extent) {
	at := e.Offset + int64(max(0, t.Start-e.First))*int64(t.Size)
	t.Mode = format.SectorMode(e.Source, at, t.Mode)
}

// formOf is how sectors of a mode with so many bytes, without sub-channel, are stored.
func formOf(mode disc.Mode, size int, m disc.Medium) (disc.Form, bool) {
	switch {
	case m != disc.CD:
		return disc.FormBlock, size == cdsector.UserSize
	case size == cdsector.Size:
		return disc.FormRaw, true
	case mode == disc.Mode1:
		return disc.FormMode1, size == cdsector.UserSize
	case mode == disc.Mode0:
		return disc.FormMode0, size == cdsector.Mode2Size
	case mode == disc.Mode2:
		form, ok := map[int]disc.Form{
			cdsector.UserSize: disc.FormXA1, cdsector.Mode2Size: disc.FormMode2, cdsector.Form2Size: disc.FormXA2,
		}[size]
		return form, ok
	}
	return 0, false
}

func emptyForm(mode disc.Mode, m disc.Medium) disc.Form {
	switch {
	case m != disc.CD:
		return disc.FormBlock
	case mode == disc.Mode1:
		return disc.FormMode1
	case mode == disc.Mode2:
		return disc.FormXA1
	}
	return disc.FormRaw
}

// apart makes sure that no byte of a file is in two tracks.
func (d *Disc) apart() error {
	all := make([]*Track, 0, len(d.Tracks))
	for i := range d.Tracks {
		if t := &d.Tracks[i]; t.Sectors() > t.Unstored {
			all = append(all, t)
		}
	}
	slices.SortStableFunc(all, func(a, b *Track) int { return cmp.Compare(a.Offset, b.Offset) })
	for i, t := range all {
		for _, other := range all[:i] {
			if other.Source == t.Source && other.endOffset() > t.Offset {
				return Errorf("tracks %d and %d are both at byte %d of %s", other.Number, t.Number, t.Offset, filepath.Base(t.Source.File.Path))
			}
		}
	}
	return nil
}

// endOffset is where the stored sectors end.
func (t *Track) endOffset() int64 { return t.Offset + int64(t.Sectors()-t.Unstored)*int64(t.Size) }
