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
	plain := drive.Reader{Drive: c.reader.Drive, Caps: withoutPointers(c.reader.Caps)}
	places := c.audioPlaces(0, perTransfer(c.reader.Drive.MaxTransfer(), cdsector.Size))
	compared, tries := false, streamTries
	if facts.Stream.Is(false) {
		tries = doubtfulTries
	}
	for range tries {
		ends := make([][]byte, len(places))
		for i, at := range places {
			buf := make([]byte, int(at.count)*cdsector.Size)
			if plain.Read(ctx, buf, at.first, int(at.count), drive.Audio) == nil {
				ends[i] = buf[max(0, len(buf)-streamOverlap*cdsector.Size):]
			}
		}
		for i, at := range places {
			n := len(ends[i]) / cdsector.Size
			again := make([]byte, n*cdsector.Size)
			if n == 0 || plain.Read(ctx, again, at.first+at.count-disc.LBA(n), n, drive.Audio) != nil || constant(again) {
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
