package rip

import (
	"context"
	"fmt"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// examineCD looks at the sectors of each track, and at the Q sub-channel.
func (d *Contents) examineCD(ctx context.Context, dev *mmc.Drive, opts SurveyOptions) error {
	d.source = newSource(ctx, dev, d)
	for _, t := range d.Layout.Tracks() {
		if _, ok := d.source.(*cdSource); !ok {
			break // such a drive does not show how sectors are coded
		}
		if err := d.findMode(ctx, dev, t); err != nil {
			return err
		}
	}
	d.readCDText()
	if opts.Indexes {
		if err := d.scanQ(ctx, dev); err != nil {
			return err
		}
	}
	if d.Layout.MCN == "" {
		if mcn, err := dev.MCN(ctx); err == nil && cdsector.ValidMCN(mcn) && mcn != "0000000000000" {
			d.Layout.MCN = mcn
		}
	}
	if err := d.Layout.Validate(); err != nil {
		return fmt.Errorf("%w: %w", drive.ErrTOC, err)
	}
	return ctx.Err()
}

// modeProbes is how many sectors at the start of a track are tried to find out
// its mode.
const modeProbes = 8

// findMode looks at the first sectors of a track: the TOC only says data or
// audio, and not always the truth.
func (d *Contents) findMode(ctx context.Context, dev *mmc.Drive, t *disc.Track) error {
	n := min(modeProbes, int(t.End-t.Start))
	for i := range n {
		var s [cdsector.Size]byte
		at := t.Start + disc.LBA(i)
		err := d.source.readRaw(ctx, dev, s[:], at, mmc.AnySector)
		if err != nil {
			if !drive.Classify(err).OneCommand() {
				return err
			}
			continue
		}
		kind := cdsector.Classify(&s)
		isData := kind != cdsector.Audio
		if isData != t.Mode.IsData() {
			if !isData && i+1 < n {
				continue // a damaged sync pattern, perhaps
			}
			d.note("The table of contents says that track %d is %s, but its sectors are %s.",
				t.Number, audioOrData(t.Mode.IsData()), audioOrData(isData))
		}
		switch kind {
		case cdsector.Audio:
			t.Mode = disc.Audio
		case cdsector.Mode0:
			t.Mode = disc.Mode0
		case cdsector.Mode1:
			t.Mode = disc.Mode1
		case cdsector.Mode2, cdsector.Form1, cdsector.Form2:
			t.Mode = disc.Mode2
		}
		return nil
	}
	if s := d.Layout.SessionOf(t.Number); t.Mode.IsData() && s.Format != disc.FormatCDROM {
		t.Mode = disc.Mode2
	}
	if t.Mode.IsData() {
		d.note("The first sectors of track %d cannot be read; it is taken for %s.", t.Number, t.Mode)
	}
	return nil
}

// splitByKind finds, without a sub-channel, where data end and audio begins
// between two tracks: what lies before the start of the later one is its pregap.
func (d *Contents) splitByKind(ctx context.Context, dev *mmc.Drive) error {
	if _, ok := d.source.(*cdSource); !ok {
		return nil
	}
	for i := range d.Layout.Sessions {
		tracks := d.Layout.Sessions[i].Tracks
		for j := 1; j < len(tracks); j++ {
			t, next := &tracks[j-1], &tracks[j]
			if t.Mode.IsData() == next.Mode.IsData() {
				continue
			}
			low, high := t.Start, next.Start // low is of the one kind, high of the other
			for high-low > 1 {
				mid := low + (high-low)/2
				data, err := d.holdsData(ctx, dev, mid, t.Mode.IsData())
				if err != nil {
					return err
				}
				if data == t.Mode.IsData() {
					low = mid
				} else {
					high = mid
				}
			}
			t.End, next.Pregap = high, int(next.Start-high)
		}
	}
	return nil
}

// holdsData reports whether a sector is one of data. Of one that cannot be read
// nothing is known: then the answer is what was expected.
func (d *Contents) holdsData(ctx context.Context, dev *mmc.Drive, at disc.LBA, expected bool) (bool, error) {
	var s [cdsector.Size]byte
	err := d.source.readRaw(ctx, dev, s[:], at, mmc.AnySector)
	if err == nil {
		return cdsector.HasSync(&s), nil
	}
	if !drive.Classify(err).OneCommand() {
		return false, err
	}
	return expected, nil
}

func audioOrData(data bool) string {
	if data {
		return "data"
	}
	return "audio"
}

// readCDText takes over the packs of CD-TEXT that are whole.
func (d *Contents) readCDText() {
	b := d.Medium.Contents.CDText
	if len(b) < disc.PackSize {
		return
	}
	packs, bad, err := disc.ParsePacks(b)
	if err != nil {
		d.note("The disc has CD-TEXT that cannot be read: %v.", err)
		return
	}
	if bad > 0 {
		d.note("%d of %d packs of CD-TEXT are damaged and left out.", bad, bad+len(packs))
	}
	d.Layout.CDText = packs
}
