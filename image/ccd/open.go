package ccd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

func init() {
	format.Register(format.Format{
		Name: "CloneCD image", Suffixes: []string{".ccd"}, Match: match, Open: openFile, Create: create,
	})
}

func match(p *format.Probe) format.Score {
	head := bytes.TrimPrefix(p.Head, []byte("\xEF\xBB\xBF"))
	if len(head) < 9 || !bytes.EqualFold(head[:9], []byte("[CloneCD]")) {
		return format.No
	}
	return format.Sure
}

// Open opens a CloneCD image by its .ccd file. The .img must lie beside it; a .sub
// may.
func Open(path string) (disc.Image, error) { return format.OpenPath(path, openFile) }

func openFile(f *format.File) (disc.Image, error) {
	defer f.Close()
	path := f.Path
	d, err := Parse(io.NewSectionReader(f, 0, f.Size))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	img, err := d.open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

func (d *Descriptor) open(path string) (disc.Image, error) {
	dir, stem := filepath.Dir(path), filepath.Base(format.Stem(path))
	name, err := format.FindCompanion(dir, stem+".img")
	if err != nil {
		return nil, err
	}
	img, err := format.OpenFile(name)
	if err != nil {
		return nil, err
	}
	closers := []io.Closer{img}
	var sub *format.File
	if name, err = format.FindCompanion(dir, stem+".sub"); err == nil {
		if sub, err = format.OpenFile(name); err == nil {
			closers = append(closers, sub)
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	var out disc.Image
	if err == nil {
		out, err = d.image(path, img, sub, closers)
	}
	if err != nil {
		for _, c := range closers {
			c.Close()
		}
		return nil, err
	}
	return out, nil
}

// image makes the image of a descriptor and its files; sub may be nil.
func (d *Descriptor) image(path string, img, sub *format.File, closers []io.Closer) (disc.Image, error) {
	if d.Scrambled {
		return nil, errors.New("its data tracks are scrambled: save the disc again without that option")
	}
	l, err := d.Layout()
	if err != nil {
		return nil, err
	}
	if need := int64(l.Sectors()) * cdsector.Size; need > img.Size {
		return nil, fmt.Errorf("%s is too short: it has %d bytes, and the tracks need %d", filepath.Base(img.Path), img.Size, need)
	}
	if sub != nil {
		if need := int64(l.Sectors()) * cdsector.SubSize; need > sub.Size {
			return nil, fmt.Errorf("%s is too short: it has %d bytes, and the tracks need %d", filepath.Base(sub.Path), sub.Size, need)
		}
	}
	files := []string{path, img.Path}
	if sub != nil {
		files = append(files, sub.Path)
	}
	var extents []disc.Extent
	at := int64(0) // sectors in the files
	for _, t := range l.Tracks() {
		e := disc.Extent{First: t.Begin(), Count: t.Sectors(), Source: img.ReaderAt, Offset: at * cdsector.Size}
		if sub != nil {
			e.Sub = &disc.SubExtent{Source: sub.ReaderAt, Offset: at * cdsector.SubSize}
		}
		if t.Mode.IsData() {
			t.Mode = modeOf(img, (at+int64(t.Pregap))*cdsector.Size, t.Mode)
		}
		extents = append(extents, e)
		at += int64(t.Sectors())
	}
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for _, t := range s.Tracks {
			if t.Mode == disc.Mode2 && s.Format == disc.FormatCDROM {
				s.Format = disc.FormatXA
			}
		}
	}
	return disc.NewImage(disc.Contents{Layout: l, Extents: extents, Files: files, Closers: closers})
}

// modeOf looks into the first sector of a data track: what [TRACK] says of the
// mode is wrong in some images.
func modeOf(r io.ReaderAt, at int64, stated disc.Mode) disc.Mode {
	var s [cdsector.Size]byte
	if _, err := r.ReadAt(s[:], at); err != nil || !cdsector.HasSync(&s) {
		return stated
	}
	switch s[15] & 3 {
	case 0:
		return disc.Mode0
	case 2:
		return disc.Mode2
	}
	return disc.Mode1
}

// Points of the table of contents (MMC-5 6.26.2.4).
const (
	pointFormat  = 0xA0
	pointLast    = 0xA1
	pointLeadOut = 0xA2
)

// Layout makes the layout that the table of contents and the tracks state. Errors
// about it are [*ParseError]s.
func (d *Descriptor) Layout() (*disc.Layout, error) {
	l := &disc.Layout{Medium: disc.CD, MCN: d.Catalog, CDText: d.CDText}
	for i := range d.Entries {
		if err := d.addEntry(l, &d.Entries[i]); err != nil {
			return nil, &ParseError{Line: d.Entries[i].Line, Msg: err.Error()}
		}
	}
	if len(l.Sessions) == 0 {
		return nil, &ParseError{Line: d.Entries[0].Line, Msg: "the table of contents has no track"}
	}
	for i := range l.Sessions {
		s := &l.Sessions[i]
		if s.LeadOut == 0 {
			return nil, &ParseError{Line: d.Entries[0].Line, Msg: fmt.Sprintf("session %d has no lead-out (point A2h)", s.Number)}
		}
		for j := range s.Tracks {
			t := &s.Tracks[j]
			t.End = s.LeadOut
			if j+1 < len(s.Tracks) {
				t.End = s.Tracks[j+1].Begin()
			}
			if t.End <= t.Start {
				return nil, &ParseError{Line: d.lineOf(t.Number), Msg: fmt.Sprintf("track %d starts at %d, and what follows it at %d", t.Number, t.Start, t.End)}
			}
		}
	}
	if err := l.Validate(); err != nil {
		return nil, &ParseError{Line: d.Entries[0].Line, Msg: err.Error()}
	}
	return l, nil
}

// lineOf is where the entry of a track stands.
func (d *Descriptor) lineOf(track int) int {
	for i := range d.Entries {
		if d.Entries[i].Point == track {
			return d.Entries[i].Line
		}
	}
	return d.Entries[0].Line
}

func (d *Descriptor) addEntry(l *disc.Layout, e *Entry) error {
	if e.ADR != 1 || e.Point > 99 && (e.Point < pointFormat || e.Point > pointLeadOut) {
		return nil
	}
	if e.Session < 1 || e.Session > 99 || e.Session > len(l.Sessions)+1 {
		return fmt.Errorf("an entry of session %d after those of session %d", e.Session, len(l.Sessions))
	}
	if e.Session > len(l.Sessions) {
		l.Sessions = append(l.Sessions, disc.Session{Number: e.Session})
	}
	s := &l.Sessions[e.Session-1]
	switch e.Point {
	case pointFormat:
		s.Format = disc.SessionFormat(e.P.S)
	case pointLast:
	case pointLeadOut:
		s.LeadOut = e.address()
	default:
		t, err := d.newTrack(e)
		if err != nil {
			return err
		}
		s.Tracks = append(s.Tracks, t)
	}
	return nil
}

// first is the number of the disc's first track.
func (d *Descriptor) first() int {
	n := 100
	for i := range d.Entries {
		if p := d.Entries[i].Point; p >= 1 && p < n {
			n = p
		}
	}
	return n
}

// newTrack makes the track of an entry, but for its end.
func (d *Descriptor) newTrack(e *Entry) (disc.Track, error) {
	t := disc.Track{Number: e.Point, Start: e.address(), Control: e.Control}
	if e.Control&disc.DataTrack != 0 {
		t.Mode = disc.Mode1
	}
	more := d.Tracks[e.Point]
	if more == nil {
		return t, nil
	}
	if t.Mode.IsData() && more.Mode == 2 {
		t.Mode = disc.Mode2
	}
	t.ISRC = more.ISRC
	one, ok := more.Indexes[1]
	if !ok {
		return t, nil
	}
	if zero, ok := more.Indexes[0]; ok {
		if t.Pregap = one - zero; t.Pregap < 0 {
			return t, fmt.Errorf("track %d: INDEX 0 at %d lies behind INDEX 1 at %d", t.Number, zero, one)
		}
	} else if e.Session == 1 && disc.LBA(one) == t.Start && t.Number == d.first() {
		t.Pregap = one // hidden audio: the first track needs no INDEX 0
	}
	for n := 2; n < 100; n++ {
		x, ok := more.Indexes[n]
		if !ok {
			break
		}
		t.Indexes = append(t.Indexes, t.Start+disc.LBA(x-one))
	}
	return t, nil
}
