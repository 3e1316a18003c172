package rip

import (
	"context"
	"fmt"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// OpenDisc surveys the disc in a drive and gives it as an image, whose sectors
// are read from the drive as they are asked for.
func OpenDisc(ctx context.Context, d *mmc.Drive) (disc.Image, error) {
	c, err := survey(ctx, d, ExamineOptions{Indexes: true})
	if err != nil {
		return nil, err
	}
	if c.Layout == nil {
		return nil, c.Unread()
	}
	c.leaveOutRunOuts(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m := &discImage{layout: c.Layout, reader: drive.Reader{Drive: d, Caps: drive.ReadCaps{Raw: c.reader.Caps.Raw}}}
	if tracks := c.Layout.Tracks(); c.Layout.Medium != disc.CD {
		m.regions = isoRegions(c.Contents.Recorded, int64(c.Layout.End()), tracks[0])
	}
	if c.Layout.Medium == disc.CD && !m.reader.Caps.Raw {
		return nil, fmt.Errorf("%w whole sectors", ErrCannotRead)
	}
	return m, nil
}

// discImage is a disc in a drive.
type discImage struct {
	disc.Plain // sub-channels, for one, are not read
	layout     *disc.Layout
	reader     drive.Reader
	regions    regions // of a DVD or BD: gaps between its sessions are zeros
}

func (m *discImage) Layout() *disc.Layout { return m.layout }

func (m *discImage) Close() error { return nil }

func (m *discImage) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	size := m.layout.Medium.SectorSize()
	most := max(1, m.reader.Drive.MaxTransfer()/size)
	for len(p) > 0 {
		t := m.layout.TrackAt(first)
		if t == nil {
			return fmt.Errorf("%w: %d", disc.ErrNoSector, first)
		}
		n := min(len(p)/size, most, int(t.End-first))
		void := notVoid
		if g := m.regions.find(int64(first) * mmc.BlockSize); g != nil {
			n, void = min(n, int(g.last()-first)), g.void
		}
		if void != notVoid {
			clear(p[:n*size])
		} else if err := m.read(ctx, p[:n*size], first, n, drive.CodingOf(t)); err != nil {
			return err
		}
		p, first = p[n*size:], first+disc.LBA(n)
	}
	return nil
}

// read reads sectors of one track, one by one where they do not come together.
func (m *discImage) read(ctx context.Context, p []byte, first disc.LBA, n int, k drive.Coding) error {
	err := m.reader.Read(ctx, p, first, n, k)
	if err == nil {
		return nil
	}
	if n == 1 || !drive.Classify(err).OneCommand() {
		return fmt.Errorf("sector %d cannot be read: %w", first, err)
	}
	for i := range n {
		size := len(p) / n
		if err := m.read(ctx, p[i*size:(i+1)*size], first+disc.LBA(i), 1, k); err != nil {
			return err
		}
	}
	return nil
}
