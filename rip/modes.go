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
func (c *Contents) examineCD(ctx context.Context, opts ExamineOptions) error {
	if c.reader.Caps.Raw { // other drives do not show how sectors are coded
		for _, t := range c.Layout.Tracks() {
			if err := c.findMode(ctx, t); err != nil {
				return err
			}
		}
	}
	c.readCDText()
	if opts.Indexes {
		if err := c.scanQ(ctx); err != nil {
			return err
		}
	}
	if c.Layout.MCN == "" {
		if mcn, err := c.reader.Drive.MCN(ctx); err == nil && cdsector.ValidMCN(mcn) && mcn != "0000000000000" {
			c.Layout.MCN = mcn
		}
	}
	if err := c.Layout.Validate(); err != nil {
		return fmt.Errorf("%w: %w", drive.ErrTOC, err)
	}
	return ctx.Err()
}

// modeProbes is how many sectors at the start of a track are tried to find out
// its mode.
const modeProbes = 8

// modes are what the sectors of a track show its mode to be.
var modes = map[cdsector.Kind]disc.Mode{
	cdsector.Audio: disc.Audio,
	cdsector.Mode0: disc.Mode0,
	cdsector.Mode1: disc.Mode1,
	cdsector.Mode2: disc.Mode2, cdsector.Form1: disc.Mode2, cdsector.Form2: disc.Mode2,
}

func sawCoding(k cdsector.Kind) drive.Coding {
	if k == cdsector.Audio {
		return drive.Audio
	}
	return drive.Data
}

// findMode looks at the first sectors of a track: the TOC only says data or
// audio, and not always the truth.
func (c *Contents) findMode(ctx context.Context, t *disc.Track) error {
	n := min(modeProbes, int(t.End-t.Start))
	for i := range n {
		var s [cdsector.Size]byte
		at := t.Start + disc.LBA(i)
		err := c.reader.ReadRaw(ctx, &s, at, mmc.AnySector)
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
			c.note(Note{Code: NoteWrongKind, Track: t.Number, Coding: sawCoding(kind)})
		}
		if mode, ok := modes[kind]; ok {
			t.Mode = mode
		}
		return nil
	}
	if s := c.Layout.SessionOf(t.Number); t.Mode.IsData() && s.Format != disc.FormatCDROM {
		t.Mode = disc.Mode2
	}
	if t.Mode.IsData() {
		c.note(Note{Code: NoteModeUnread, Track: t.Number, Mode: t.Mode})
	}
	return nil
}

// splitByKind finds, without a sub-channel, where data end and audio begins
// between two tracks: what lies before the start of the later one is its pregap.
func (c *Contents) splitByKind(ctx context.Context) error {
	if !c.reader.Caps.Raw {
		return nil
	}
	for i := range c.Layout.Sessions {
		tracks := c.Layout.Sessions[i].Tracks
		for j := 1; j < len(tracks); j++ {
			t, next := &tracks[j-1], &tracks[j]
			if t.Mode.IsData() == next.Mode.IsData() {
				continue
			}
			low, high := t.Start, next.Start // low is of the one kind, high of the other
			for high-low > 1 {
				mid := low + (high-low)/2
				coding, err := c.codingAt(ctx, mid, drive.CodingOf(t))
				if err != nil {
					return err
				}
				if coding == drive.CodingOf(t) {
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

// codingAt says how a sector is recorded; one that cannot be read counts as
// expected.
func (c *Contents) codingAt(ctx context.Context, at disc.LBA, expected drive.Coding) (drive.Coding, error) {
	var s [cdsector.Size]byte
	err := c.reader.ReadRaw(ctx, &s, at, mmc.AnySector)
	switch {
	case err == nil && cdsector.HasSync(&s):
		return drive.Data, nil
	case err == nil:
		return drive.Audio, nil
	case !drive.Classify(err).OneCommand():
		return expected, err
	}
	return expected, nil
}

// readCDText takes over the packs of CD-TEXT that are whole.
func (c *Contents) readCDText() {
	b := c.Contents.CDText
	if len(b) < disc.PackSize {
		return
	}
	packs, bad, err := disc.ParsePacks(b)
	if err != nil {
		c.note(Note{Code: NoteBadCDText, Err: err})
		return
	}
	if bad > 0 {
		c.note(Note{Code: NoteDamagedCDText, Count: int64(bad), Total: int64(bad + len(packs))})
	}
	c.Layout.CDText = packs
}
