package main

import (
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

// cutToImage leaves out of a recordable disc what follows the image that was burned
// onto it: the rest of a disc that is overwritten, or the padding and the run-out
// blocks of a CD. Of a disc that may not have such a rest, it returns nil.
func cutToImage(ctx context.Context, d *mmc.Drive, on, img disc.Image) (*cutDisc, error) {
	m, err := drive.Survey(ctx, d, 0)
	if err != nil {
		return nil, err
	}
	most := 0
	switch {
	case drive.Overwritable(m.Profile):
		most = disc.MaxLBA
	case m.Profile == mmc.ProfileCDR || m.Profile == mmc.ProfileCDRW:
		most = 302 // four seconds, and two run-out blocks
	}
	theirs, ours := on.Layout().Tracks(), img.Layout().Tracks()
	if len(theirs) != 1 || len(ours) != 1 || !theirs[0].Mode.IsData() || !ours[0].Mode.IsData() {
		return nil, nil
	}
	n := ours[0].End - ours[0].Start
	if more := int(theirs[0].End-theirs[0].Start) - int(n); more <= 0 || more > most {
		return nil, nil
	}
	l := on.Layout().Clone()
	s := &l.Sessions[0]
	s.Tracks[0].End = s.Tracks[0].Start + n
	s.LeadOut = s.Tracks[0].End
	return &cutDisc{on, l}, nil
}
