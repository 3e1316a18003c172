package audio

import (
	"context"
	"fmt"
	"io"

	"spindle/disc"
)

// Join opens sound files as an audio CD with a track each, in order. All but the last are whole
// sectors: the error wraps [ErrNotCD] for songs that no rip of a CD made.
func Join(ctx context.Context, paths []string) (disc.Image, error) {
	s := disc.Session{Number: 1}
	c := disc.Contents{Files: paths}
	img, err := func() (disc.Image, error) {
		for i, path := range paths {
			f, err := Open(ctx, path)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			c.Closers = append(c.Closers, f)
			switch {
			case f.Size == 0 || f.Size%SectorSize != 0 && i < len(paths)-1:
				return nil, fmt.Errorf("%s: %w: %d bytes of samples are no whole number of sectors", path, ErrNotCD, f.Size)
			case f.Lack > 0:
				return nil, fmt.Errorf("%s: %w", path, io.ErrUnexpectedEOF)
			case i == 99 || int64(s.LeadOut)+f.Sectors() > disc.MaxLBA:
				return nil, fmt.Errorf("%s: %w: too much for one disc", path, ErrNotCD)
			}
			form := disc.FormRaw
			if f.Swapped {
				form = disc.FormSwapped
			}
			start, n := s.LeadOut, int(f.Sectors())
			s.LeadOut += disc.LBA(n)
			s.Tracks = append(s.Tracks, disc.Track{Number: i + 1, Start: start, End: s.LeadOut})
			c.Extents = append(c.Extents, disc.Extent{First: start, Count: n, Source: f.Padded(), Offset: f.Offset, Form: form})
		}
		c.Layout = &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{s}}
		return disc.NewImage(c)
	}()
	if err != nil {
		for _, x := range c.Closers {
			x.Close()
		}
	}
	return img, err
}
