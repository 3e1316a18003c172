package rip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"spindle/disc"
	"spindle/drive"
	"spindle/iso"
	"spindle/scsi/mmc"
)

// Errors about what an ISO can hold.
var (
	// ErrNotISO: the disc is none that a file of 2048-byte sectors can hold.
	ErrNotISO = errors.New("an ISO cannot hold this disc")
	// ErrNotCD: only CDs have tracks that a CUE sheet describes.
	ErrNotCD = errors.New("a CUE sheet describes CDs only")
	// ErrNoSubchannel: the drive does not give the raw sub-channel.
	ErrNoSubchannel = errors.New("this drive does not give the sub-channel")
)

// isoSectors decides how many sectors of 2048 bytes the image of a data disc
// has. A block of the volume is never left out.
func (c *Contents) isoSectors(ctx context.Context, opts Options) (int64, error) {
	tracks := c.Layout.Tracks()
	if c.Layout.Medium != disc.CD {
		n := int64(c.Layout.End())
		if end := c.contentEnd(ctx); !opts.Whole && end < n {
			c.note(Note{Code: NoteContentEnds, Count: end, Total: n})
			return end, nil
		}
		return c.largest(n, FromDrive), nil
	}
	if len(tracks) != 1 || tracks[0].Mode != disc.Mode1 || tracks[0].Begin() != 0 {
		return 0, fmt.Errorf("%w: %s", ErrNotISO, describeTracks(tracks))
	}
	return c.largest(int64(tracks[0].Sectors()), FromTOC), ctx.Err()
}

// contentEnd returns where the content of an overwritable disc ends: that is as large as
// it was formatted, whatever is on it. Partitions count (isohybrid images have some behind
// the file system), and so does everything where there is no file system.
func (c *Contents) contentEnd(ctx context.Context) int64 {
	all := int64(c.Layout.End())
	if !drive.Overwritable(c.Profile) || c.Volume == nil {
		return all
	}
	var block [mmc.BlockSize]byte
	if c.reader.ReadUser(ctx, block[:], 0) != nil {
		return all
	}
	return min(all, max(c.Volume.Blocks(), partitionsEnd(&block)))
}

// partitionsEnd returns the block of 2048 bytes behind the last partition that the first
// block of a disc names, in a master boot record or in the header of a GUID partition table
// (UEFI 5.2.1, 5.3.2); 0: none.
func partitionsEnd(block *[mmc.BlockSize]byte) int64 {
	const sector = 512
	end := int64(0)
	if block[510] != 0x55 || block[511] != 0xAA {
		return 0
	}
	for entry := block[446:510]; len(entry) > 0; entry = entry[16:] {
		if kind := entry[4]; kind != 0 && kind != 0xEE {
			first, n := binary.LittleEndian.Uint32(entry[8:]), binary.LittleEndian.Uint32(entry[12:])
			end = max(end, int64(first)+int64(n))
		}
	}
	if gpt := block[sector:]; string(gpt[:8]) == "EFI PART" {
		if backup := binary.LittleEndian.Uint64(gpt[32:]); backup < 1<<40 {
			end = max(end, int64(backup)+1)
		}
	}
	return (end*sector + mmc.BlockSize - 1) / mmc.BlockSize
}

// describeTracks says what keeps a CD from being an ISO.
func describeTracks(tracks []*disc.Track) string {
	if len(tracks) > 1 {
		for _, t := range tracks {
			if !t.Mode.IsData() {
				return fmt.Sprintf("it has %d tracks, some of them audio", len(tracks))
			}
		}
		return fmt.Sprintf("it has %d tracks", len(tracks))
	}
	if tracks[0].Begin() != 0 {
		return "its data do not start at sector 0"
	}
	return "its track is " + tracks[0].Mode.String()
}

// largest weighs what the volume says against what the drive says. The larger is
// ripped; when the volume is the larger one, or clearly the smaller, the user
// is informed.
func (c *Contents) largest(n int64, who SizeSource) int64 {
	if c.Volume == nil {
		c.note(Note{Code: NoteNoVolume, Total: n, Source: who})
		return n
	}
	v := c.Volume.Blocks()
	switch {
	case v > disc.MaxLBA: // no disc is that large
		c.note(Note{Code: NoteNoVolume, Total: n, Source: who})
	case v > n:
		c.note(Note{Code: NoteVolumeLarger, Count: v, Total: n, Source: who})
		return v
	case v < n && len(c.Contents.Recorded) < 2: // further sessions lie behind it
		c.note(Note{Code: NoteVolumeSmaller, Count: v, Total: n, Source: who})
	}
	return n
}

// LastVolume reads the descriptors of the file system that a computer shows: that of the
// last session with one. It is nil where there is none, and [Contents.Volume] where that
// is of the only session.
func (c *Contents) LastVolume(ctx context.Context) *iso.Volume {
	if c.Layout == nil {
		return nil
	}
	all := &userData{ctx: ctx, reader: c.reader, track: &disc.Track{End: c.Layout.End()}}
	starts := c.sessionStarts()
	for i := len(starts) - 1; i > 0; i-- {
		if v, err := iso.ReadSession(all, int64(starts[i]), int64(c.Layout.End())); err == nil {
			return v
		}
	}
	return c.Volume
}

// sessionStarts returns where the data of each session begins.
func (c *Contents) sessionStarts() []disc.LBA {
	var starts []disc.LBA
	for _, s := range c.Layout.Sessions {
		if i := slices.IndexFunc(s.Tracks, func(t disc.Track) bool { return t.Mode.IsData() }); i >= 0 {
			starts = append(starts, s.Tracks[i].Start)
		}
	}
	if c.Contents.Recorded != nil { // of a disc whose layout has one track
		starts = starts[:0]
	}
	for _, x := range c.Contents.Recorded {
		starts = append(starts, x.First)
	}
	return starts
}
