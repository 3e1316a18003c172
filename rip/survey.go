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

// A Disc is what a drive says is in it.
type Disc struct {
	Profile mmc.Profile
	Config  *mmc.Configuration // nil for a drive that has none
	Info    *mmc.DiscInfo      // nil for a drive that cannot say
	Layout  *disc.Layout       // nil for a blank disc
	// TOC identifies the disc: the hash of its table of contents.
	TOC    string
	Volume *iso.Volume // of the first data track; nil where there is none
	// VolumeAt is where that track starts.
	VolumeAt disc.LBA
	Capacity int64 // what READ CAPACITY says, in blocks; 0 if it says nothing
	// Protection names a copy protection that the disc has, or is empty.
	Protection string
	DVD        *mmc.DVDPhysical
	// Notes are things the user should know.
	Notes []string

	source sectorSource
}

func (d *Disc) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// Blank reports whether nothing is on the disc.
func (d *Disc) Blank() bool {
	return d.Info != nil && d.Info.Status == mmc.DiscBlank && !d.Profile.IsBD() || d.Layout == nil
}

// Errors of [Survey].
var (
	// ErrBlank: the disc has no content to read.
	ErrBlank = errors.New("the disc is blank")
	// ErrTOC: the table of contents makes no sense.
	ErrTOC = errors.New("the disc's table of contents makes no sense")
)

// SurveyOptions say how closely to look.
type SurveyOptions struct {
	// Indexes: find pregaps, indexes, ISRCs and the catalogue number by
	// reading the Q sub-channel. It takes seeks: some seconds a track.
	Indexes bool
}

// Survey waits for the disc in the drive and finds out what is on it. A blank
// disc is no error: its Layout is nil.
func Survey(ctx context.Context, dev *mmc.Drive, opts SurveyOptions) (*Disc, error) {
	if err := drive.WaitReady(ctx, dev, drive.ReadyLimit); err != nil {
		return nil, err
	}
	d := new(Disc)
	var err error
	if d.Config, err = dev.Configuration(ctx); err != nil {
		if drive.Classify(err) != drive.Refused {
			return nil, err
		}
		d.Profile = mmc.ProfileCDROM // drives older than MMC-2
	} else {
		d.Profile = d.Config.Profile
	}
	if info, err := dev.DiscInfo(ctx); err == nil {
		d.Info = &info
		if info.Status == mmc.DiscBlank && !d.Profile.IsBD() {
			return d, nil
		}
	} else if !drive.Classify(err).OneCommand() {
		return nil, err
	}
	if c, err := dev.Capacity(ctx); err == nil && c.BlockSize == iso.BlockSize {
		d.Capacity = c.Blocks
	} else if err != nil && !drive.Classify(err).OneCommand() {
		return nil, err
	}
	if d.Profile.IsCD() || d.Profile == mmc.ProfileNone {
		err = d.surveyCD(ctx, dev, opts)
	} else {
		err = d.surveyDVD(ctx, dev)
	}
	if err != nil {
		return nil, err
	}
	if d.Layout != nil {
		d.readVolume(ctx, dev)
	}
	return d, ctx.Err()
}

// surveyDVD makes the layout of a DVD or BD: one track from block 0.
func (d *Disc) surveyDVD(ctx context.Context, dev *mmc.Drive) error {
	if d.Capacity <= 1 {
		if d.Info != nil && d.Info.Status == mmc.DiscBlank || d.Capacity == 1 {
			return nil
		}
		return fmt.Errorf("%w: the drive does not say how large it is", drive.ErrUnreadable)
	}
	medium := disc.DVD
	if d.Profile.IsBD() {
		medium = disc.BD
	}
	end := disc.LBA(min(d.Capacity, disc.MaxLBA))
	d.Layout = &disc.Layout{Medium: medium, Sessions: []disc.Session{{
		Number: 1, LeadOut: end,
		Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: end}},
	}}}
	d.source = blockSource{}
	d.TOC = hashLayout(d.Layout)
	if medium == disc.BD {
		if layers, err := dev.BDInfo(ctx); err == nil {
			d.Layout.LayerBreak = disc.LBA(mmc.BDLayerBreak(layers))
		}
		if d.Config != nil && d.Config.Has(mmc.FeatureAACS) {
			d.Protection = "AACS"
		}
	} else {
		if p, err := dev.DVDPhysical(ctx); err == nil {
			d.DVD = &p
			d.Layout.LayerBreak = disc.LBA(p.LayerBreak())
		}
		if c, err := dev.DVDCopyright(ctx); err == nil {
			switch c.Protection {
			case 1:
				d.Protection = "CSS"
			case 2:
				d.Protection = "CPRM"
			}
		}
	}
	if b := d.Layout.LayerBreak; b < 0 || b >= end {
		d.Layout.LayerBreak = 0
	}
	return ctx.Err()
}

// readVolume reads the file system's descriptors in the first data track.
// Without any, or when they cannot be read, Volume stays nil.
func (d *Disc) readVolume(ctx context.Context, dev *mmc.Drive) {
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
