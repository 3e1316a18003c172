package rip

import (
	"context"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/drive/known"
)

// Drives without accurate stream (MMC-6 5.3.10) begin to read audio some samples early or
// late after a seek. Two readings of the same sectors tell them from others.

const (
	// streamOverlap is how many sectors are read twice at a place.
	streamOverlap = 4
	// streamTries is how many times the places are gone through, and doubtfulTries where
	// the drive is known to begin elsewhere.
	streamTries, doubtfulTries = 3, 12
)

// displaced tries whether audio comes from where it is asked for. If that cannot be
// found out, the drive's own claim counts.
func (c *Contents) displaced(ctx context.Context, facts *known.Facts) (bool, error) {
	if !c.reader.Caps.Raw || firstAudio(c.Layout) == nil {
		return false, nil
	}
	plain := &drive.Reader{Drive: c.reader.Drive, Caps: withoutPointers(c.reader.Caps)}
	places := c.audioPlaces(0, perTransfer(c.reader.Drive.MaxTransfer(), cdsector.Size))
	compared, tries := false, streamTries
	if facts.Stream.Is(false) {
		tries = doubtfulTries
	}
	for range tries {
		ends := make([][]byte, len(places))
		for i, p := range places {
			ends[i] = p.readEnd(ctx, plain)
		}
		for i, p := range places {
			again := p.readAgain(ctx, plain, len(ends[i]))
			if again == nil || constant(again) {
				continue
			}
			if shift, same := shiftBetween(ends[i], again); same {
				compared = true
			} else if shift != 0 {
				return true, nil
			}
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	if compared {
		return false, nil
	}
	caps, err := c.reader.Drive.Capabilities(ctx)
	return err == nil && !caps.AccurateStream, ctx.Err()
}

// readEnd reads a place and returns the end of it that is read twice, or nil where it cannot be read.
func (p audioPlace) readEnd(ctx context.Context, r *drive.Reader) []byte {
	b := make([]byte, int(p.count)*cdsector.Size)
	if r.Read(ctx, b, p.first, int(p.count), drive.Audio) != nil {
		return nil
	}
	return b[max(0, len(b)-streamOverlap*cdsector.Size):]
}

// readAgain reads only the end of a place, of so many bytes. It returns nil where that cannot be read, or is nothing.
func (p audioPlace) readAgain(ctx context.Context, r *drive.Reader, size int) []byte {
	b := make([]byte, size)
	n := size / cdsector.Size
	if n == 0 || r.Read(ctx, b, p.first+p.count-disc.LBA(n), n, drive.Audio) != nil {
		return nil
	}
	return b
}
