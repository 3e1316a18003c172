package main

import (
	"bytes"
	"context"
	"fmt"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// A cutDisc is a disc of one data track, of which only the beginning counts. What
// lies behind that is in no track.
type cutDisc struct {
	on     disc.Image
	layout *disc.Layout
}

func (c *cutDisc) Layout() *disc.Layout { return c.layout }

func (c *cutDisc) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if err := c.inside(len(p)/c.layout.Medium.SectorSize(), first); err != nil {
		return err
	}
	return c.on.ReadSectors(ctx, p, first)
}

func (c *cutDisc) ReadUser(ctx context.Context, p []byte, first disc.LBA) (bool, error) {
	if err := c.inside(len(p)/cdsector.UserSize, first); err != nil {
		return false, err
	}
	return c.on.ReadUser(ctx, p, first)
}

// inside refuses sectors behind the end.
func (c *cutDisc) inside(n int, first disc.LBA) error {
	if end := first + disc.LBA(n); end > c.layout.End() {
		return fmt.Errorf("%w: %d", disc.ErrNoSector, end-1)
	}
	return nil
}

func (c *cutDisc) Subchannels() disc.Subchannels { return c.on.Subchannels() }

func (c *cutDisc) ExtentAt(a disc.LBA) (disc.Extent, bool) {
	e, ok := c.on.ExtentAt(a)
	if !ok || a >= c.layout.End() {
		return disc.Extent{}, false
	}
	e.Count = min(e.Count, int(c.layout.End()-a))
	return e, true
}

func (c *cutDisc) Flaws() disc.Flaws { return c.on.Flaws().Clip(-disc.MaxLBA, c.layout.End()) }

func (c *cutDisc) Files() []string { return c.on.Files() }

func (c *cutDisc) Close() error { return c.on.Close() }

// cutToImage leaves out of a recordable disc what does not belong to the image that was
// burned onto it: the rest of a disc that is overwritten, the padding and the run-out
// blocks of a CD, other sessions. Of a disc that has nothing else, it returns nil.
func cutToImage(ctx context.Context, d *mmc.Drive, on, img disc.Image) (*cutDisc, error) {
	m, err := drive.Survey(ctx, d, drive.ForReading)
	if err != nil {
		return nil, err
	}
	ours := img.Layout().Tracks()
	if len(ours) != 1 || !ours[0].Mode.IsData() {
		return nil, nil
	}
	most := 0
	switch {
	case drive.Overwritable(m.Profile):
		most = disc.MaxLBA
	case m.Profile == mmc.ProfileCDR || m.Profile == mmc.ProfileCDRW:
		most = 302 // four seconds, and two run-out blocks
	}
	runs := sessionRuns(on.Layout(), m.Contents)
	if len(runs) > 1 {
		most = 302
	}
	n := ours[0].End - ours[0].Start
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		more := int(r.End - r.First - n)
		padded := more > most && len(runs) == 1 && drive.Recordable(m.Profile) && zerosBehind(ctx, on, r.First+n, r.End)
		if more < 0 || more > most && !padded || more == 0 && len(runs) == 1 || i > 0 && !beginsAlike(ctx, on, img, r.First) {
			continue
		}
		l := on.Layout().Clone()
		l.Sessions = l.Sessions[:1]
		s := &l.Sessions[0]
		s.Tracks = []disc.Track{{Number: 1, Mode: r.mode, Control: disc.DataTrack, Start: r.First, End: r.First + n}}
		s.LeadOut = r.First + n
		return &cutDisc{on, l}, nil
	}
	return nil, nil
}

// A sessionRun is a run of data that was recorded at once.
type sessionRun struct {
	drive.Stretch
	mode disc.Mode
}

// sessionRuns returns the data tracks of a CD, or the tracks of another disc.
func sessionRuns(l *disc.Layout, c *drive.Contents) []sessionRun {
	var all []sessionRun
	if c != nil && len(c.Recorded) > 1 {
		for _, s := range c.Recorded {
			all = append(all, sessionRun{s, disc.Mode1})
		}
		return all
	}
	for _, t := range l.Tracks() {
		if t.Mode.IsData() {
			all = append(all, sessionRun{drive.Stretch{First: t.Start, End: t.End}, t.Mode})
		}
	}
	if len(all) != len(l.Tracks()) {
		return nil // audio is compared track by track
	}
	return all
}

// beginsAlike reports whether an image begins as the disc does at an address: the first
// blocks of a file system say which one it is.
func beginsAlike(ctx context.Context, on, img disc.Image, at disc.LBA) bool {
	const blocks = 24
	t := img.Layout().Tracks()[0]
	a, b := make([]byte, blocks*cdsector.UserSize), make([]byte, blocks*cdsector.UserSize)
	return t.Sectors() >= blocks && readUserAt(ctx, img, a, t.Start) == nil && readUserAt(ctx, on, b, at) == nil && bytes.Equal(a, b)
}

// zerosBehind reports whether a disc holds nothing but zeros in a run of sectors: what a burn
// of a stream fills the size with that was stated before its end was known.
func zerosBehind(ctx context.Context, on disc.Image, first, end disc.LBA) bool {
	const batch = 256
	p := make([]byte, batch*cdsector.UserSize)
	for at := first; at < end; at += batch {
		n := min(batch, end-at)
		if readUserAt(ctx, on, p[:n*cdsector.UserSize], at) != nil {
			return false
		}
		for _, b := range p[:n*cdsector.UserSize] {
			if b != 0 {
				return false
			}
		}
	}
	return true
}

// readUserAt reads the user data of sectors.
func readUserAt(ctx context.Context, img disc.Image, p []byte, at disc.LBA) error {
	if done, err := img.ReadUser(ctx, p, at); done || err != nil {
		return err
	}
	size := img.Layout().Medium.SectorSize()
	raw := make([]byte, len(p)/cdsector.UserSize*size)
	if err := img.ReadSectors(ctx, raw, at); err != nil {
		return err
	}
	for ; len(p) > 0; p, raw = p[cdsector.UserSize:], raw[size:] {
		block := raw[:min(size, cdsector.UserSize)]
		if size == cdsector.Size {
			var err error
			if block, err = cdsector.Block((*[cdsector.Size]byte)(raw)); err != nil {
				return err
			}
		}
		copy(p[:cdsector.UserSize], block)
	}
	return nil
}
