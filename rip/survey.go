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
	Notes []string

	source sectorSource
}

func (d *Contents) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// ErrBlank: the disc has no content to read.
var ErrBlank = errors.New("the disc is blank")

// SurveyOptions say how closely to look.
type SurveyOptions struct {
	// Indexes: find pregaps, indexes, ISRCs and the catalogue number by
	// reading the Q sub-channel. It takes seeks: some seconds a track.
	Indexes bool
}

// Survey waits for the disc in the drive and finds out what is on it. A blank
// disc is no error: its Layout is nil.
func Survey(ctx context.Context, dev *mmc.Drive, opts SurveyOptions) (*Contents, error) {
	m, err := drive.Survey(ctx, dev, drive.ForReading)
	if err != nil {
		return nil, err
	}
	return Examine(ctx, dev, m, opts)
}

// Examine looks at the sectors of the disc that a survey [drive.ForReading] found,
// for what the table of contents does not say. The survey stays as it is.
func Examine(ctx context.Context, dev *mmc.Drive, m *drive.Medium, opts SurveyOptions) (*Contents, error) {
	d := &Contents{Medium: m}
	if m.Unclosed {
		d.note("The session on this disc was never closed, so its contents cannot be read.")
	}
	if m.Contents == nil {
		return d, nil
	}
	d.Layout = m.Contents.Layout.Clone()
	d.source = blockSource{}
	if d.Layout.Medium == disc.CD {
		if err := d.examineCD(ctx, dev, opts); err != nil {
			return nil, err
		}
	}
	d.readVolume(ctx, dev)
	return d, ctx.Err()
}

// readVolume reads the file system's descriptors in the first data track.
// Without any, or when they cannot be read, Volume stays nil.
func (d *Contents) readVolume(ctx context.Context, dev *mmc.Drive) {
	for _, t := range d.Layout.Tracks() {
		if !t.Mode.IsData() {
			continue
		}
		r := &userData{ctx: ctx, dev: dev, source: d.source, base: t.Start, track: t}
		if v, err := iso.ReadVolume(r, int64(t.End-t.Start)); err == nil {
			d.Volume, d.VolumeAt = v, t.Start
			return
		}
	}
}

// userData reads the 2048-byte user data of a data track through the drive. It
// is an io.ReaderAt for whole blocks.
type userData struct {
	ctx    context.Context
	dev    *mmc.Drive
	source sectorSource
	base   disc.LBA
	track  *disc.Track
}

func (u *userData) ReadAt(p []byte, off int64) (int, error) {
	for done := 0; done < len(p); {
		at := u.base + disc.LBA((off+int64(done))/iso.BlockSize)
		var block [iso.BlockSize]byte
		if at >= u.track.End {
			return done, fmt.Errorf("block %d lies behind the track", at)
		}
		if err := u.source.readUser(u.ctx, u.dev, block[:], at); err != nil {
			return done, err
		}
		done += copy(p[done:], block[(off+int64(done))%iso.BlockSize:])
	}
	return len(p), nil
}
