package rip

import (
	"context"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/iso"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// runOutBlocks is the number of blocks that end a data track which was written at once
// and that hold no data (MMC-6 4.2.3.9.1).
const runOutBlocks = 2

// An ending is what the last two sectors of a data track turn out to be.
type ending uint8

const (
	endsInData    ending = iota // sectors like any others, be they damaged
	endsInRunOut                // run-out blocks
	endsUnclearly               // run-out blocks or damage: nothing tells which
)

// leaveOutRunOuts takes the run-out blocks that end the sessions of a CD out of its
// layout, and notes which other tracks end in some. A block that the volume counts as its
// own is never one.
func (c *Contents) leaveOutRunOuts(ctx context.Context) {
	c.eachRunOut(ctx, func(s *disc.Session, j int) bool {
		t := &s.Tracks[j]
		if j+1 < len(s.Tracks) {
			c.inTheMiddle(t)
			return true
		}
		t.End -= runOutBlocks
		s.LeadOut = t.End
		return true
	})
}

// resumeRunOuts finds the run-out blocks of a rip that is resumed with the layout of its
// first run: those that end sessions are left out of it.
func (c *Contents) resumeRunOuts(ctx context.Context) {
	c.eachRunOut(ctx, func(s *disc.Session, j int) bool {
		if j+1 == len(s.Tracks) {
			return false
		}
		c.inTheMiddle(&s.Tracks[j])
		return true
	})
}

func (c *Contents) inTheMiddle(t *disc.Track) {
	if c.runOuts == nil {
		c.runOuts = make(map[int]bool)
	}
	c.runOuts[t.Number] = true
}

// eachRunOut calls do for each track that ends in run-out blocks. It notes when do acted on
// one, and which tracks may end so.
func (c *Contents) eachRunOut(ctx context.Context, do func(s *disc.Session, j int) bool) {
	if c.Layout == nil || c.Layout.Medium != disc.CD || !c.reader.Caps.Raw {
		return
	}
	noted := false
	for i := range c.Layout.Sessions {
		s := &c.Layout.Sessions[i]
		for j := range s.Tracks {
			t := &s.Tracks[j]
			if !t.Mode.IsData() || t.End-t.Start <= runOutBlocks {
				continue
			}
			switch c.endOf(ctx, t) {
			case endsInRunOut:
				if do(s, j) && !noted {
					c.note(Note{Code: NoteRunOut})
					noted = true
				}
			case endsUnclearly:
				c.note(Note{Code: NoteMaybeRunOut, Track: t.Number})
			}
		}
	}
}

// endOf finds out what ends a track. Blocks that cannot be read are run-out blocks only on a recordable disc, as
// nothing else is written track at once, and where something more says so: the drive,
// or a file system with nothing but padding behind it.
func (c *Contents) endOf(ctx context.Context, t *disc.Track) ending {
	first, volume := t.End-runOutBlocks, c.volumeEnd(t)
	if volume > first {
		return endsInData
	}
	end, refused := c.lastBlocks(ctx, first)
	if end != endsUnclearly {
		return end
	}
	good, padding := c.goodBlock(ctx, first-1)
	if !good {
		return endsInData // this is damage at the end of the disc
	}
	recordable := c.recordable(ctx)
	switch {
	case recordable && (refused || volume == first || volume > 0 && padding):
		return endsInRunOut
	case recordable || refused:
		return endsUnclearly
	}
	return endsInData
}

// lastBlocks reads the blocks that may be run-out blocks, which are those that are marked in the upper bits of their
// mode byte. Where none can be read, it is unclear what they are; refused says that the drive said of all
// that they are no data.
func (c *Contents) lastBlocks(ctx context.Context, first disc.LBA) (end ending, refused bool) {
	var s [cdsector.Size]byte
	refusals := 0
	for i := range disc.LBA(runOutBlocks) {
		err := c.reader.ReadRaw(ctx, &s, first+i, mmc.AnySector)
		switch {
		case err == nil && cdsector.HasSync(&s) && s[15]>>5 != 0:
			return endsInRunOut, false
		case err == nil, !drive.Classify(err).OneCommand():
			return endsInData, false
		case scsi.IsSense(err, scsi.IllegalRequest, scsi.ASCIllegalModeForTrack, scsi.AnyQualifier):
			refusals++
		}
	}
	return endsUnclearly, refusals == runOutBlocks
}

// goodBlock reports whether a block can be read, and whether it is padding.
func (c *Contents) goodBlock(ctx context.Context, at disc.LBA) (good, padding bool) {
	var s [cdsector.Size]byte
	if c.reader.ReadRaw(ctx, &s, at, mmc.AnySector) != nil {
		return false, false
	}
	user, err := cdsector.Block(&s)
	return true, err == nil && len(user) == iso.BlockSize && allZero(user)
}

// volumeEnd returns where the file system of a track ends; 0: not known.
func (c *Contents) volumeEnd(t *disc.Track) disc.LBA {
	if c.Volume == nil || t.Start != c.VolumeAt {
		return 0
	}
	return t.Start + disc.LBA(min(c.Volume.Blocks(), disc.MaxLBA))
}

// recordable reports whether a CD is one that can be written.
func (c *Contents) recordable(ctx context.Context) bool {
	if c.Profile == mmc.ProfileCDR || c.Profile == mmc.ProfileCDRW {
		return true
	}
	_, err := c.reader.Drive.ATIP(ctx)
	return err == nil
}
