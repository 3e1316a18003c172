package rip

import (
	"context"
	"errors"
	"fmt"

	"spindle/disc"
	"spindle/drive"
	"spindle/iso"
	"spindle/scsi/mmc"
)

// Contents is what the sectors of a disc show, beside what the drive says.
type Contents struct {
	*drive.Medium
	// Layout is that of the survey with what its sectors show: modes, pregaps,
	// indexes, codes. It is nil for a blank disc.
	Layout *disc.Layout
	Volume *iso.Volume // of the first data track; nil where there is none
	// VolumeAt is where that track starts.
	VolumeAt disc.LBA
	// Notes are things the user should know.
	Notes []Note

	reader *drive.Reader
	// runOuts has the tracks that end in run-out blocks which are still part of the
	// track, because another follows.
	runOuts map[int]bool
}

func (c *Contents) note(n Note) { c.Notes = append(c.Notes, n) }

// ErrBlank means that the disc has no content to read.
var ErrBlank = errors.New("the disc is blank")

// ErrBrokenOff is an [ErrBlank] for a disc whose only session was begun and never closed: a drive reads nothing of it.
var ErrBrokenOff = fmt.Errorf("%w to a drive that only reads: its burn was interrupted", ErrBlank)

// Unread is the error for a disc without a Layout.
func (c *Contents) Unread() error {
	if c.Unclosed || c.Info != nil && (c.Info.LastSession == mmc.SessionIncomplete || c.Info.LastSession == mmc.SessionDamaged) {
		return ErrBrokenOff
	}
	return ErrBlank
}

// ExamineOptions say how closely to look.
type ExamineOptions struct {
	// Indexes: find pregaps, indexes, ISRCs and the catalogue number by
	// reading the Q sub-channel. It takes seeks: some seconds a track.
	Indexes bool
}

// Examine looks at the sectors of the disc that a survey [drive.ForReading] found,
// for what the table of contents does not say. The survey stays as it is. A
// blank disc is no error: its Layout is nil.
func Examine(ctx context.Context, d *mmc.Drive, m *drive.Medium, opts ExamineOptions) (*Contents, error) {
	c := &Contents{Medium: m}
	if m.Unclosed {
		c.note(Note{Code: NoteUnclosed})
	}
	if m.Contents == nil {
		return c, nil
	}
	c.Layout = m.Contents.Layout.Clone()
	var err error
	if c.reader, err = drive.NewReader(ctx, d, m); err != nil {
		return nil, err
	}
	if c.Layout.Medium == disc.CD {
		if err := c.examineCD(ctx, opts); err != nil {
			return nil, err
		}
	}
	c.readVolume(ctx)
	return c, ctx.Err()
}

// survey asks what is in a drive and looks at it.
func survey(ctx context.Context, d *mmc.Drive, opts ExamineOptions) (*Contents, error) {
	m, err := drive.Survey(ctx, d, drive.ForReading)
	if err != nil {
		return nil, err
	}
	return Examine(ctx, d, m, opts)
}

// readVolume reads the file system's descriptors in the first data track.
// Without any, or when they cannot be read, Volume stays nil.
func (c *Contents) readVolume(ctx context.Context) {
	for _, t := range c.Layout.Tracks() {
		if !t.Mode.IsData() {
			continue
		}
		r := &userData{ctx: ctx, reader: c.reader, track: t}
		if v, err := iso.ReadVolume(r, int64(t.End-t.Start)); err == nil {
			c.Volume, c.VolumeAt = v, t.Start
			return
		}
	}
}

// userData is the 2048-byte user data of a data track, as an io.ReaderAt.
type userData struct {
	ctx    context.Context // io.ReaderAt has none
	reader *drive.Reader
	track  *disc.Track
}

func (u *userData) ReadAt(p []byte, off int64) (int, error) {
	for done := 0; done < len(p); {
		at := u.track.Start + disc.LBA((off+int64(done))/iso.BlockSize)
		var block [iso.BlockSize]byte
		if at >= u.track.End {
			return done, fmt.Errorf("block %d lies behind the track", at)
		}
		if err := u.reader.ReadUser(u.ctx, block[:], at); err != nil {
			return done, err
		}
		done += copy(p[done:], block[(off+int64(done))%iso.BlockSize:])
	}
	return len(p), nil
}
