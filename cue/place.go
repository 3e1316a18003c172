package cue

import (
	"fmt"
	"io"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// Content is where a file that a sheet names has its sectors.
type Content struct {
	Source io.ReaderAt
	Offset int64 // of the first sector, in bytes
	End    int64 // after the last one
	// Swapped says that the most significant byte of a sample comes first.
	Swapped bool
	// Sound says that the file holds samples only, no data sectors.
	Sound bool
	// Cut says that the file ends before its content does.
	Cut bool
	// Absent is how many sectors the file would have, of which none is there: End is not used then.
	Absent int
	// Lack is how many sectors are missing at the end of a file that was cut short, beside the one that
	// [Sheet.Place] gives it there.
	Lack int
}

// Place lays out the disc that the sheet describes: what is where on it, and where
// in its files. files has one element for each of sh.Files. packs are the content
// of the CDTEXTFILE; where the sheet names none, they are made of the texts in it.
// Errors about the content are [*ParseError]s.
//
// Of a file that is too short for its tracks, or is absent, extents reach beyond [Content.End]. A track
// of which nothing says how long it was has one sector there.
func (sh *Sheet) Place(files []Content, packs []disc.Pack) (*disc.Layout, []disc.Extent, error) {
	if len(files) != len(sh.Files) {
		return nil, nil, fmt.Errorf("%d files for a sheet that names %d", len(files), len(sh.Files))
	}
	b := builder{sheet: sh}
	for _, f := range files {
		b.sources = append(b.sources, source{Content: f, at: f.Offset})
	}
	if err := b.placeTracks(); err != nil {
		return nil, nil, err
	}
	b.layout.MCN, b.layout.CDText = sh.Catalog, packs
	if sh.CDTextFile == "" {
		var err error
		if b.layout.CDText, b.layout.TextLost, err = sh.encodeTexts(); err != nil {
			return nil, nil, err
		}
	}
	return &b.layout, b.extents, nil
}

// source is a file of the sheet, and how far it is laid out.
type source struct {
	Content
	frame int   // how far segments have been laid out: sector
	at    int64 // and byte
}

type builder struct {
	sheet   *Sheet
	sources []source
	extents []disc.Extent
	layout  disc.Layout
}

func (b *builder) placeTracks() error {
	var at disc.LBA
	session := 0
	for i := range b.sheet.Tracks {
		t := &b.sheet.Tracks[i]
		first := t.Session != session
		if first {
			if session > 0 {
				at += disc.LBA(b.sheet.gap(session - 1))
			}
			session = t.Session
			b.layout.Sessions = append(b.layout.Sessions, disc.Session{Number: session})
		}
		s := &b.layout.Sessions[len(b.layout.Sessions)-1]
		track, err := b.placeTrack(i, at, first)
		if err != nil {
			return err
		}
		at = track.End
		s.Tracks = append(s.Tracks, track)
		s.LeadOut = at
		switch {
		case t.Type == CDI2336 || t.Type == CDI2352:
			s.Format = disc.FormatCDI
		case track.Mode == disc.Mode2 && s.Format == disc.FormatCDROM:
			s.Format = disc.FormatXA
		}
	}
	return nil
}

// placeTrack lays out one track from the address at on.
func (b *builder) placeTrack(i int, at disc.LBA, firstOfSession bool) (disc.Track, error) {
	t := &b.sheet.Tracks[i]
	mode, _ := t.Type.Mode()
	out := disc.Track{Number: t.Number, Mode: mode, Control: t.Control, ISRC: t.ISRC}
	pregap := t.Pregap
	if firstOfSession && pregap == addr.Pregap {
		// The two seconds that every session starts with are not part of
		// the image. Any other length is meant on top of them: that is how
		// EAC and whipper write silence that is hidden before track 1.
		pregap = 0
	}
	begin := at
	if pregap > 0 {
		at = b.silence(t, at, pregap)
	}
	if x := t.Indexes[0]; x.Number == 1 && x.Frame > 0 && b.firstInFile(i) {
		// The file starts before INDEX 01: that is a pregap that the sheet
		// forgot to name.
		n, err := b.place(t, Index{File: x.File}, x.Frame, at)
		if err != nil {
			return out, err
		}
		at += disc.LBA(n)
	}
	for k, x := range t.Indexes {
		switch {
		case x.Number == 1:
			out.Start = at
		case x.Number > 1:
			out.Indexes = append(out.Indexes, at)
		}
		n, err := b.place(t, x, b.segmentEnd(i, k), at)
		if err != nil {
			return out, err
		}
		at += disc.LBA(n)
	}
	out.Pregap = int(out.Start - begin)
	if t.Postgap > 0 {
		at = b.silence(t, at, t.Postgap)
	}
	out.End = at
	return out, nil
}

// firstInFile reports whether no track before the i-th uses its first file.
func (b *builder) firstInFile(i int) bool {
	file := b.sheet.Tracks[i].Indexes[0].File
	for _, t := range b.sheet.Tracks[:i] {
		for _, x := range t.Indexes {
			if x.File == file {
				return false
			}
		}
	}
	return true
}

// segmentEnd returns the frame at which the k-th index of the i-th track ends in
// its file, or -1 for the end of the file.
func (b *builder) segmentEnd(i, k int) int {
	file := b.sheet.Tracks[i].Indexes[k].File
	var next Index
	switch {
	case k+1 < len(b.sheet.Tracks[i].Indexes):
		next = b.sheet.Tracks[i].Indexes[k+1]
	case i+1 < len(b.sheet.Tracks):
		next = b.sheet.Tracks[i+1].Indexes[0]
	default:
		return -1
	}
	if next.File != file {
		return -1
	}
	return next.Frame
}

func (b *builder) silence(t *Track, at disc.LBA, n int) disc.LBA {
	form := disc.FormRaw
	switch mode, _ := t.Type.Mode(); mode {
	case disc.Mode1:
		form = disc.FormMode1
	case disc.Mode2:
		form = disc.FormXA1
	}
	b.extents = append(b.extents, disc.Extent{First: at, Count: n, Form: form})
	return at + disc.LBA(n)
}

// place lays out the sectors of a file from an index to frame end and returns
// their number.
func (b *builder) place(t *Track, x Index, end int, at disc.LBA) (int, error) {
	s := &b.sources[x.File]
	fail := func(format string, args ...any) error {
		return &ParseError{Line: t.Line, Msg: fmt.Sprintf("track %d: ", t.Number) + fmt.Sprintf(format, args...)}
	}
	form, stride := t.Type.form()
	if s.Absent > 0 {
		s.End = s.Offset + int64(s.Absent)*int64(stride)
	}
	if s.Sound && t.Type != Audio {
		return 0, fail("a sound file cannot hold data")
	}
	if s.Swapped && t.Type == Audio {
		form = disc.FormSwapped
	}
	if x.Frame < s.frame {
		return 0, fail("INDEX %02d at %s lies before what stands above it", x.Number, addr.Frames(x.Frame))
	}
	from := s.at + int64(x.Frame-s.frame)*int64(stride)
	if end < 0 {
		end = s.endFrame(x, from, stride)
	}
	n := end - x.Frame
	if n < 0 {
		return 0, fail("INDEX %02d at %s lies after the next index", x.Number, addr.Frames(x.Frame))
	}
	if s.End-s.Offset < int64(stride) && n > 0 {
		return 0, fail("%s is too short: it has %d bytes, and this track needs %d",
			b.sheet.Files[x.File].Name, s.End, from+int64(n)*int64(stride))
	}
	if n > 0 {
		e := disc.Extent{First: at, Count: n, Source: s.Source, Offset: from, Stride: stride, Form: form}
		if t.Type == CDG {
			e.Sub = &disc.SubExtent{Source: s.Source, Offset: from + cdsector.Size, Stride: stride, Interleaved: true}
		}
		b.extents = append(b.extents, e)
	}
	s.frame, s.at = end, from+int64(n)*int64(stride)
	return n, nil
}

// endFrame returns where the last index of a file ends, whose sectors begin at an offset. A
// sector of which only a part is there counts, and one where the file has none.
func (s *source) endFrame(x Index, from int64, stride int) int {
	left := max(0, s.End-from)
	frames := int(min(left/int64(stride), disc.MaxLBA))
	if partial := left%int64(stride) != 0; partial || s.Cut || frames == 0 && x.Number != 0 {
		frames++
	}
	return x.Frame + frames + s.Lack
}
