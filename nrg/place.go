package nrg

import (
	"fmt"
	"io"
	"slices"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// Place lays out the disc that the table describes: what is where on it, and where
// in the file, which has the given size. Errors wrap [ErrFormat].
func (t *Table) Place(file io.ReaderAt, size int64) (*disc.Layout, []disc.Extent, error) {
	b := builder{file: file, size: size}
	b.layout.MCN, b.layout.CDText = t.MCN, t.CDText
	for i := range t.Sessions {
		s := &t.Sessions[i]
		b.layout.Sessions = append(b.layout.Sessions, disc.Session{Number: i + 1, Format: s.Format})
		place := b.addTAO
		if len(s.DAO) > 0 {
			place = b.addDAO
		}
		if err := place(s); err != nil {
			return nil, nil, fmt.Errorf("session %d: %w", i+1, err)
		}
	}
	b.chooseMedium(t.Media)
	return &b.layout, b.extents, nil
}

type builder struct {
	file    io.ReaderAt
	size    int64
	layout  disc.Layout
	extents []disc.Extent
	number  int // of the last track
	at      disc.LBA
}

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
func (b *builder) addDAO(s *Session) error {
	for i := range s.DAO {
		if err := b.addDAOTrack(s, i); err != nil {
			return err
		}
	}
	if p := s.points(cdsector.LeadOut); len(p) > 0 {
		if out := p[len(p)-1].At; out >= b.at {
			b.session().LeadOut = out
		}
	}
	return nil
}

// addDAOTrack places a track of a session in disc-at-once form, the i-th.
func (b *builder) addDAOTrack(s *Session, i int) error {
	d, number := &s.DAO[i], b.number+1
	c, err := d.Mode.coding()
	if err != nil {
		return err
	}
	if c.stride != d.SectorSize {
		return fmt.Errorf("%w: track %d has sectors of %d bytes in mode %#02x", ErrFormat, number, d.SectorSize, d.Mode)
	}
	t, begin, ok := s.cued(number)
	if !ok {
		return fmt.Errorf("%w: no start of track %d", ErrFormat, number)
	}
	t.Mode, t.ISRC = c.mode, d.ISRC
	stride := int64(c.stride)
	before, length := (d.Start-d.Pregap)/stride, (d.End-d.Start)/stride
	if int64(t.Start-begin) != before || length > disc.MaxLBA {
		return fmt.Errorf("%w: track %d has %d sectors of pregap in the file and %d on the disc",
			ErrFormat, number, before, t.Start-begin)
	}
	t.End = t.Start + disc.LBA(length)
	offset := d.Pregap
	if i == 0 {
		skip := b.ownPregap(begin, t.Start)
		begin += skip
		offset += int64(skip) * stride
	}
	t.Pregap = int(t.Start - begin)
	return b.add(t, c, begin, offset)
}

// ownPregap returns how many sectors from begin to start are the pregap that every session has, which no image
// holds.
func (b *builder) ownPregap(begin, start disc.LBA) disc.LBA {
	if len(b.layout.Sessions) == 1 {
		return min(max(0, -begin), start-begin)
	}
	return min(disc.LBA(addr.Pregap), start-begin)
}

// cued returns what the cue points say of a track, and where its pregap begins. It reports whether they say
// where the track starts.
func (s *Session) cued(number int) (t disc.Track, begin disc.LBA, ok bool) {
	points := s.points(number)
	if len(points) == 0 {
		return t, 0, false
	}
	t = disc.Track{Number: number, Control: points[0].Control}
	for _, p := range points {
		switch {
		case p.Index == 1:
			t.Start, ok = p.At, true
		case p.Index > 1:
			t.Indexes = append(t.Indexes, p.At)
		}
	}
	return t, points[0].At, ok
}

// addTAO places the tracks of a session in track-at-once form. The pregaps
// between them are not in the file: they are silent.
func (b *builder) addTAO(s *Session) error {
	if len(s.TAO) == 0 {
		return fmt.Errorf("%w: it has no track", ErrFormat)
	}
	if n := len(b.layout.Sessions); n > 1 {
		b.at += disc.LBA(addr.SessionGap(n - 1))
	}
	for i, e := range s.TAO {
		c, err := e.Mode.coding()
		if err != nil {
			return err
		}
		n := e.Size / int64(c.stride)
		if n == 0 || n > disc.MaxLBA {
			return fmt.Errorf("%w: track %d has %d bytes", ErrFormat, b.number+1, e.Size)
		}
		t := disc.Track{Number: b.number + 1, Mode: c.mode, Start: max(b.at, e.At)}
		if gap := t.Start - b.at; i > 0 && gap > 0 {
			t.Pregap = int(gap)
			silent := disc.Extent{First: b.at, Count: int(gap), Form: disc.FormRaw}
			if c.mode.IsData() {
				silent.Form = disc.FormMode1
			}
			b.extents = append(b.extents, silent)
		}
		t.End = t.Start + disc.LBA(n)
		if err := b.add(t, c, t.Start, e.Offset); err != nil {
			return err
		}
	}
	return nil
}

// chooseMedium finds out whether the image is one of a DVD or a BD: tracks of user data
// only that no CD holds, or of which MTYP says so.
func (b *builder) chooseMedium(media uint32) {
	if slices.ContainsFunc(b.extents, func(e disc.Extent) bool { return e.Form != disc.FormMode1 }) || len(b.extents) == 0 {
		return
	}
	end := b.layout.End()
	switch {
	case end > disc.LargestDVD || media&mediaCD == 0 && media&mediaBDs != 0:
		b.layout.Medium = disc.BD
	case end > disc.LargestCD || media&mediaCD == 0 && media&mediaDVDs != 0:
		b.layout.Medium = disc.DVD
	default:
		return
	}
	for i := range b.extents {
		b.extents[i].Form = disc.FormBlock
	}
}
