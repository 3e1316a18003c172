package nrg

import (
	"fmt"
	"io"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// Open opens a Nero image.
func Open(path string) (disc.Image, error) { return format.OpenPath(path, openFile) }

func openFile(f *format.File) (disc.Image, error) {
	img, err := open(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return img, nil
}

func open(f *format.File) (disc.Image, error) {
	t, err := readTable(f, f.Size)
	if err != nil {
		return nil, err
	}
	b := builder{file: f.ReaderAt, size: f.Size}
	b.layout.MCN, b.layout.CDText = t.mcn, t.cdText
	for i := range t.sessions {
		s := &t.sessions[i]
		b.layout.Sessions = append(b.layout.Sessions, disc.Session{Number: i + 1, Format: s.toc})
		if len(s.dao) > 0 {
			err = b.addDAO(s)
		} else {
			err = b.addTAO(s)
		}
		if err != nil {
			return nil, fmt.Errorf("session %d: %w", i+1, err)
		}
	}
	b.chooseMedium(t.media)
	return disc.NewImage(disc.Contents{Layout: &b.layout, Extents: b.extents, Files: []string{f.Path}, Closers: []io.Closer{f}})
}

type builder struct {
	file    io.ReaderAt
	size    int64
	layout  disc.Layout
	extents []disc.Extent
	number  int // of the last track
	at      disc.LBA
}

// leadInPregap is the two seconds before the first track of a session. Nero
// stores them; they are not part of a disc.Image.
const leadInPregap = 150

func (b *builder) session() *disc.Session { return &b.layout.Sessions[len(b.layout.Sessions)-1] }

// add places a track whose first sector in the file, at byte offset, is the one
// at begin.
func (b *builder) add(t disc.Track, c coding, begin disc.LBA, offset int64) error {
	n := int64(t.End - begin)
	if offset+n*int64(c.stride) > b.size {
		return fmt.Errorf("%w: track %d ends at byte %d of a file of %d; was it cut short?",
			ErrFormat, t.Number, offset+n*int64(c.stride), b.size)
	}
	if t.Mode.IsData() {
		t.Control |= disc.DataTrack
	}
	e := disc.Extent{First: begin, Count: int(n), Source: b.file, Offset: offset, Stride: c.stride, Form: c.form}
	if c.stride == cdsector.Size+cdsector.SubSize {
		e.Sub = &disc.SubExtent{Source: b.file, Offset: offset + cdsector.Size, Stride: c.stride, Interleaved: true}
	}
	b.extents = append(b.extents, e)
	s := b.session()
	if t.Mode == disc.Mode2 && s.Format == disc.FormatCDROM {
		s.Format = disc.FormatXA
	}
	s.Tracks = append(s.Tracks, t)
	s.LeadOut, b.at, b.number = t.End, t.End, t.Number
	return nil
}

// addDAO places the tracks of a session in disc-at-once form: CUES or CUEX says
// where they are on the disc, DAOI or DAOX where in the file.
func (b *builder) addDAO(s *session) error {
	for i := range s.dao {
		d := &s.dao[i]
		number := b.number + 1
		c, err := codingOf(d.mode)
		if err != nil {
			return err
		}
		if c.stride != d.sectorSize {
			return fmt.Errorf("%w: track %d has sectors of %d bytes in mode %#02x", ErrFormat, number, d.sectorSize, d.mode)
		}
		points := s.points(number)
		if len(points) == 0 || points[len(points)-1].index == 0 {
			return fmt.Errorf("%w: no start of track %d", ErrFormat, number)
		}
		begin := points[0].at
		t := disc.Track{Number: number, Mode: c.mode, Control: points[0].control, ISRC: d.isrc}
		for _, p := range points {
			switch {
			case p.index == 1:
				t.Start = p.at
			case p.index > 1:
				t.Indexes = append(t.Indexes, p.at)
			}
		}
		stride := int64(c.stride)
		before, length := (d.start-d.pregap)/stride, (d.end-d.start)/stride
		if int64(t.Start-begin) != before || length > disc.MaxLBA {
			return fmt.Errorf("%w: track %d has %d sectors of pregap in the file and %d on the disc",
				ErrFormat, number, before, t.Start-begin)
		}
		t.End = t.Start + disc.LBA(length)
		offset := d.pregap
		if i == 0 { // the pregap that every session has
			skip := min(disc.LBA(leadInPregap), t.Start-begin)
			if len(b.layout.Sessions) == 1 {
				skip = min(max(0, -begin), t.Start-begin)
			}
			begin += skip
			offset += int64(skip) * stride
		}
		t.Pregap = int(t.Start - begin)
		if err := b.add(t, c, begin, offset); err != nil {
			return err
		}
	}
	if p := s.points(cdsector.LeadOut); len(p) > 0 {
		if out := p[len(p)-1].at; out >= b.at {
			b.session().LeadOut = out
		}
	}
	return nil
}

// addTAO places the tracks of a session in track-at-once form. The pregaps
// between them are not in the file: they are silent.
func (b *builder) addTAO(s *session) error {
	if len(s.tao) == 0 {
		return fmt.Errorf("%w: it has no track", ErrFormat)
	}
	if n := len(b.layout.Sessions); n > 1 {
		b.at += disc.LBA(addr.SessionGap(n - 1))
	}
	for i, e := range s.tao {
		c, err := codingOf(e.mode)
		if err != nil {
			return err
		}
		n := e.size / int64(c.stride)
		if n == 0 || n > disc.MaxLBA {
			return fmt.Errorf("%w: track %d has %d bytes", ErrFormat, b.number+1, e.size)
		}
		t := disc.Track{Number: b.number + 1, Mode: c.mode, Start: max(b.at, e.at)}
		if gap := t.Start - b.at; i > 0 && gap > 0 {
			t.Pregap = int(gap)
			silent := disc.Extent{First: b.at, Count: int(gap), Form: disc.FormRaw}
			if c.mode.IsData() {
				silent.Form = disc.FormMode1
			}
			b.extents = append(b.extents, silent)
		}
		t.End = t.Start + disc.LBA(n)
		if err := b.add(t, c, t.Start, e.offset); err != nil {
			return err
		}
	}
	return nil
}

// largestCD is 90 minutes.
const largestCD = 90 * 60 * 75

// largestDVD is that of a DVD+R DL, in sectors.
const largestDVD = 4173824

// chooseMedium finds out whether the image is one of a DVD or a BD: a single
// track of user data that no CD holds, or of which MTYP says so.
func (b *builder) chooseMedium(media uint32) {
	if len(b.extents) != 1 || b.extents[0].Form != disc.FormMode1 {
		return
	}
	end := b.layout.End()
	switch {
	case end > largestDVD || media&mediaCD == 0 && media&mediaBDs != 0:
		b.layout.Medium = disc.BD
	case end > largestCD || media&mediaCD == 0 && media&mediaDVDs != 0:
		b.layout.Medium = disc.DVD
	default:
		return
	}
	b.extents[0].Form = disc.FormBlock
}
