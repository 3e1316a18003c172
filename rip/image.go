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
func OpenDisc(ctx context.Context, dev *mmc.Drive) (disc.Image, error) {
	d, err := Survey(ctx, dev, SurveyOptions{Indexes: true})
	if err != nil {
		return nil, err
	}
	if d.Layout == nil {
		return nil, ErrBlank
	}
	if s, ok := d.source.(*cdSource); ok {
		s.c2, s.sub = mmc.NoC2, mmc.NoSub
	}
	if d.Layout.Medium == disc.CD && d.source.stride(false) != disc.CD.SectorSize() {
		return nil, fmt.Errorf("%w whole sectors", ErrCannotRead)
	}
	return &discImage{dev: dev, d: d}, nil
}

// discImage is a disc in a drive.
type discImage struct {
	disc.Plain // sub-channels, for one, are not read
	dev        *mmc.Drive
	d          *Contents
}

func (m *discImage) Layout() *disc.Layout { return m.d.Layout }

func (m *discImage) Close() error { return nil }

func (m *discImage) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	size := m.d.Layout.Medium.SectorSize()
	most := max(1, m.dev.MaxTransfer()/size)
	for len(p) > 0 {
		t := m.d.Layout.TrackAt(first)
		if t == nil {
			return fmt.Errorf("%w: %d", disc.ErrNoSector, first)
		}
		n := min(len(p)/size, most, int(t.End-first))
		if err := m.read(ctx, p[:n*size], first, n, !t.Mode.IsData()); err != nil {
			return err
		}
		p, first = p[n*size:], first+disc.LBA(n)
	}
	return nil
}

// read reads sectors of one track, one by one where they do not come together.
func (m *discImage) read(ctx context.Context, p []byte, first disc.LBA, n int, audio bool) error {
	got, err := m.d.source.read(ctx, m.dev, p, first, n, audio)
	if err = shortIs(err, got, len(p)); err == nil {
		return nil
	}
	if n == 1 || !drive.Classify(err).OneCommand() {
		return fmt.Errorf("sector %d cannot be read: %w", first, err)
	}
	for i := range n {
		size := len(p) / n
		if err := m.read(ctx, p[i*size:(i+1)*size], first+disc.LBA(i), 1, audio); err != nil {
			return err
		}
	}
	return nil
}
