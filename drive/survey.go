package drive

import (
	"context"
	"errors"
	"fmt"

	"spindle/addr"
	"spindle/disc"
	"spindle/scsi/mmc"
)

// Parts say what a survey asks for.
type Parts uint8

// The parts. Without any, a survey gives what both have in common.
const (
	ForReading Parts = 1 << iota // what is on the disc: the fields of Contents
	ForWriting                   // how it can be written: the fields of Recording
)

// A Medium is what a drive says about the disc in it. It is plain data: a survey
// fills it in, and nothing changes it afterwards.
type Medium struct {
	Profile mmc.Profile
	Config  *mmc.Configuration // nil: a drive older than MMC-2
	Info    *mmc.DiscInfo      // nil: the drive does not say
	// Contents and Recording are nil where they were not asked for. A blank
	// disc has no Contents, and a pressed one no Recording.
	Contents  *Contents
	Recording *Recording
	// Unclosed: the only session was never closed, so that the drive gives no
	// table of contents, and there are no Contents.
	Unclosed bool
}

// Contents is what a drive says is on a disc.
type Contents struct {
	// Layout is what the table of contents states; of DVDs and BDs, one track.
	// Modes are data or audio as it claims: Mode1 stands for data of any mode.
	Layout *disc.Layout
	// ID identifies the disc: a hash of its table of contents.
	ID         string
	CDText     []byte // packs as the drive gives them, 18 bytes each; nil: none
	Capacity   int64  // of READ CAPACITY, in blocks of 2048 bytes; 0: unknown
	Protection Protection
	// Recorded is what is recorded of a DVD±R or BD-R of several tracks; nil: all.
	Recorded []Stretch
	DVD      *mmc.DVDPhysical // nil: not a DVD, or the drive does not say
}

// Protection is a copy protection that a disc states to have.
type Protection string

// The protections.
const (
	Unprotected Protection = ""
	CSS         Protection = "CSS"
	CPRM        Protection = "CPRM"
	AACS        Protection = "AACS"
)

// ErrTOC is returned by [Survey] when the table of contents makes no sense.
var ErrTOC = errors.New("the disc's table of contents makes no sense")

// Kind is the family of the disc.
func (m *Medium) Kind() disc.Medium { return KindOf(m.Profile) }

// KindOf returns the family of the discs of a profile.
func KindOf(p mmc.Profile) disc.Medium {
	switch {
	case p.IsBD():
		return disc.BD
	case p.IsDVD():
		return disc.DVD
	}
	return disc.CD
}

// Survey waits for the disc in the drive and asks what the parts want to know. A
// blank disc is no error. Answers that a drive refuses to give stay empty, as
// long as the rest makes sense without them. The errors are those of
// [WaitReady], [ErrTOC], and what the device failed with.
func Survey(ctx context.Context, d *mmc.Drive, parts Parts) (*Medium, error) {
	if err := WaitReady(ctx, d, ReadyLimit); err != nil {
		return nil, err
	}
	m := new(Medium)
	if err := m.configuration(ctx, d); err != nil {
		return nil, err
	}
	info, err := d.DiscInfo(ctx)
	switch {
	case err == nil:
		m.Info = &info
	case parts&ForWriting != 0 && Recordable(m.Profile), !Classify(err).OneCommand():
		return nil, err
	}
	if m.Config == nil && m.Info != nil {
		if err := m.guessProfile(ctx, d); err != nil {
			return nil, err
		}
	}
	if parts&ForReading != 0 {
		if err := m.contents(ctx, d); err != nil {
			return nil, err
		}
	}
	if parts&ForWriting != 0 && Recordable(m.Profile) {
		if m.Recording, err = surveyRecording(ctx, d, m); err != nil {
			return nil, err
		}
	}
	return m, ctx.Err()
}

// configuration asks for the profile. Drives older than MMC-2 have none: they
// read CDs.
func (m *Medium) configuration(ctx context.Context, d *mmc.Drive) error {
	var err error
	m.Config, err = d.Configuration(ctx)
	switch {
	case err == nil:
		m.Profile = m.Config.Profile
	case Classify(err) == Refused:
		m.Config, m.Profile = nil, mmc.ProfileCDROM
	default:
		return err
	}
	return nil
}

// guessProfile finds out what CD is in a drive that knows no profiles. Of a drive that
// reads DVDs, nothing can be concluded: such a drive knows them, and something between
// it and the computer does not.
func (m *Medium) guessProfile(ctx context.Context, d *mmc.Drive) error {
	caps, err := d.Capabilities(ctx)
	switch {
	case err != nil && !Classify(err).Answered():
		return err
	case err != nil || caps.ReadDVDROM:
	case m.Info.Erasable && caps.WriteCDRW:
		m.Profile = mmc.ProfileCDRW
	case m.Info.Status != mmc.DiscComplete && caps.WriteCDR:
		m.Profile = mmc.ProfileCDR
	}
	return nil
}

// blank reports whether the disc says that nothing is on it. BD-Rs say so
// wrongly once they are formatted: their capacity decides.
func (m *Medium) blank() bool { return m.Info != nil && m.Info.Status == mmc.DiscBlank }

// contents finds out what is on the disc.
func (m *Medium) contents(ctx context.Context, d *mmc.Drive) error {
	if m.blank() && !m.Profile.IsBD() {
		return nil
	}
	c := new(Contents)
	capacity, err := d.Capacity(ctx)
	switch {
	case err == nil && capacity.BlockSize == mmc.BlockSize:
		c.Capacity = capacity.Blocks
	case err != nil && !Classify(err).OneCommand():
		return err
	}
	if m.Profile.IsCD() || m.Profile == mmc.ProfileNone {
		err = c.surveyCD(ctx, d)
		if m.isUnclosed(err) {
			m.Unclosed = true
			return nil
		}
	} else if c.Capacity <= 1 && (m.blank() || c.Capacity == 1) {
		return nil // READ CAPACITY of a blank disc gives block 0 as the last one
	} else {
		err = c.surveyDVD(ctx, d, m)
	}
	if err == nil {
		m.Contents = c
	}
	return err
}

// isUnclosed reports whether err, of asking for the table of contents, is what a
// drive says of a disc whose only session is still open.
func (m *Medium) isUnclosed(err error) bool {
	return m.Info != nil && m.Info.Status != mmc.DiscComplete && Classify(err).OneCommand()
}

// surveyDVD makes the layout of a DVD or BD: one track from block 0.
func (c *Contents) surveyDVD(ctx context.Context, d *mmc.Drive, m *Medium) error {
	if c.Capacity == 0 {
		return fmt.Errorf("%w: the drive does not say how large it is", ErrUnreadable)
	}
	medium := disc.DVD
	if m.Profile.IsBD() {
		medium = disc.BD
	}
	end := addr.LBA(min(c.Capacity, disc.MaxLBA))
	c.Layout = &disc.Layout{Medium: medium, Sessions: []disc.Session{{
		Number: 1, LeadOut: end,
		Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: end}},
	}}}
	c.ID = hashLayout(c.Layout)
	if medium == disc.BD {
		c.structuresBD(ctx, d, m.Config)
	} else {
		c.structuresDVD(ctx, d)
	}
	c.surveyRecorded(ctx, d, m)
	if b := c.Layout.LayerBreak; b < 0 || b >= end {
		c.Layout.LayerBreak = 0
	}
	return ctx.Err()
}

func (c *Contents) structuresBD(ctx context.Context, d *mmc.Drive, conf *mmc.Configuration) {
	if layers, err := d.BDInfo(ctx); err == nil {
		c.Layout.LayerBreak = addr.LBA(mmc.BDLayerBreak(layers))
	}
	if conf != nil && conf.Has(mmc.FeatureAACS) {
		c.Protection = AACS
	}
}

// protections are those of the copyright information of a DVD.
var protections = map[mmc.Protection]Protection{mmc.ProtectionCSS: CSS, mmc.ProtectionCPRM: CPRM}

func (c *Contents) structuresDVD(ctx context.Context, d *mmc.Drive) {
	if p, err := d.DVDPhysical(ctx); err == nil {
		c.DVD = &p
		c.Layout.LayerBreak = addr.LBA(p.LayerBreak())
	}
	if r, err := d.DVDCopyright(ctx); err == nil {
		c.Protection = protections[r.Protection]
	}
}
