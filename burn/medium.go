package burn

import (
	"context"
	"math"
	"slices"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// Medium is what a writer needs to know about the disc in a drive.
type Medium struct {
	Profile mmc.Profile
	drive.Recording
}

// Kind is the family of the disc.
func (m *Medium) Kind() disc.Medium { return drive.KindOf(m.Profile) }

// random reports whether the disc is written at any place.
func (m *Medium) random() bool { return drive.Overwritable(m.Profile) }

// blocking is the number of sectors that are written together.
func (m *Medium) blocking() int {
	switch m.Kind() {
	case disc.BD:
		return 32
	case disc.DVD:
		return 16
	}
	return 1
}

// linkSize is the link size of packets on DVD-R: the first that the drive lists (libburn),
// or the usual one.
func (m *Medium) linkSize() uint8 {
	if m.LinkSize > 0 {
		return m.LinkSize
	}
	return 16
}

// State is what the disc is good for.
func (m *Medium) State() DiscState {
	switch {
	case m.random():
		return Overwritable
	case m.Damaged:
		return Spoiled
	case m.NoPoint:
		return Unknown
	case m.Status == mmc.DiscBlank:
		return StillBlank
	case m.Status == mmc.DiscAppendable:
		return Appendable
	}
	return Complete
}

// Survey waits for the disc in a drive and asks how it can be written.
func Survey(ctx context.Context, d *mmc.Drive) (*Medium, error) {
	m, err := drive.Survey(ctx, d, drive.ForWriting)
	if err != nil {
		return nil, err
	}
	return MediumOf(m)
}

// MediumOf takes from a survey [drive.ForWriting] what a writer needs to know.
// The survey stays as it is.
func MediumOf(m *drive.Medium) (*Medium, error) {
	switch {
	case m.Config == nil && m.Recording == nil:
		return nil, &Refusal{Kind: ErrNotWritable, Reason: UnknownDisc}
	case m.Profile == mmc.ProfileNone:
		return nil, drive.ErrNoMedium
	}
	w := &Medium{Profile: m.Profile}
	switch {
	case m.Recording != nil:
		w.Recording = *m.Recording
	case m.Info != nil: // a pressed disc
		w.Status = m.Info.Status
	}
	w.Formats, w.Speeds = slices.Clone(w.Formats), slices.Clone(w.Speeds)
	return w, nil
}

// SpeedX gives a speed in kB/s as a multiple of 1x.
func (m *Medium) SpeedX(kBps int) float64 {
	return math.Round(float64(kBps)*1000/speedUnit(m.Profile)*10) / 10
}

// chooseSpeed returns the highest speed that is not above x times 1x, in kB/s;
// where the drive lists none, the one asked for. Zero leaves it to the drive.
func (m *Medium) chooseSpeed(x float64) int {
	if len(m.Speeds) == 0 {
		return int(x * speedUnit(m.Profile) / 1000)
	}
	if x <= 0 {
		return m.Speeds[0]
	}
	for _, s := range m.Speeds {
		if m.SpeedX(s) <= x+0.05 {
			return s
		}
	}
	return m.Speeds[len(m.Speeds)-1]
}

// Slower returns the next lower speed, as a multiple of 1x, or the same where
// there is none.
func (m *Medium) Slower(x float64) float64 {
	now := m.chooseSpeed(x)
	for _, s := range m.Speeds {
		if s < now {
			return m.SpeedX(s)
		}
	}
	return m.SpeedX(now)
}

// Writable says why the disc cannot be written, or nil.
func (m *Medium) Writable() error {
	switch {
	case m.Profile == mmc.ProfileCDROM || m.Profile == mmc.ProfileDVDROM || m.Profile == mmc.ProfileBDROM:
		return &Refusal{Kind: ErrNotWritable, Reason: ReadOnlyDisc, Disc: m.Profile}
	case m.Status == mmc.DiscComplete && !m.random() && !m.Erasable:
		return &Refusal{Kind: ErrNotWritable, Reason: DiscIsComplete, Disc: m.Profile}
	case m.NoPoint && !m.Erasable:
		return &Refusal{Kind: ErrNotWritable, Reason: NoWritePoint, Disc: m.Profile}
	case m.Damaged && !m.Erasable:
		return &Refusal{Kind: ErrNotWritable, Reason: DiscIsSpoiled, Disc: m.Profile}
	case !m.Writes && !(m.Erasable && m.Status == mmc.DiscComplete):
		return &Refusal{Kind: ErrNotWritable, Reason: DriveReadsOnly, Disc: m.Profile}
	}
	return nil
}
