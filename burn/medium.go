package burn

import (
	"context"
	"fmt"
	"math"
	"slices"

	"spindle/addr"
	"spindle/disc"
	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// Medium is the disc in a drive, as one who wants to write it sees it.
type Medium struct {
	Profile  mmc.Profile
	ID       string // maker and model of the blank, or empty
	Status   mmc.DiscStatus
	Erasable bool
	// Damaged: a burn that failed has left a session that cannot be gone on
	// with.
	Damaged bool
	// Formatted tells of media that have to be; Background is the state of a
	// DVD+RW's format (0 none, 1 suspended, 2 running, 3 complete).
	Formatted    bool
	Intermediate bool // a DVD-RW that grows with what is written
	Background   uint8
	Sessions     int
	LastTrack    int      // in which writing goes on, or that would be begun
	Open         bool     // the last session is open, and holds something
	NextWritable disc.LBA // where writing goes on; 0 on a blank disc
	Capacity     int      // sectors from address 0 on
	Free         int      // sectors that can still be written
	Formats      []mmc.FormatCapacity
	Speeds       []int // kB/s, highest first; empty: the drive does not say
	LeadInStart  disc.LBA
	Layer0       int // sectors of the first layer; 0: one layer, or cannot be chosen

	Simulates    bool // can be written with the laser off
	UnderrunFree bool
	AtOnce       bool // session (CD) or disc (DVD-R) at once
	InPackets    bool // DVD-R incremental
	RawWrite     bool
	Writes       bool // the drive can write it at all
}

// Kind is the family of the disc.
func (m *Medium) Kind() disc.Medium {
	switch {
	case m.Profile.IsBD():
		return disc.BD
	case m.Profile.IsDVD():
		return disc.DVD
	}
	return disc.CD
}

// random reports whether the disc is written at any place.
func (m *Medium) random() bool {
	switch m.Profile {
	case mmc.ProfileDVDRAM, mmc.ProfileDVDRWRO, mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL, mmc.ProfileBDRE:
		return true
	}
	return false
}

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

// State is what the disc is good for.
func (m *Medium) State() DiscState {
	switch {
	case m.random():
		return Overwritable
	case m.Damaged:
		return Spoiled
	case m.Status == mmc.DiscBlank:
		return StillBlank
	case m.Status == mmc.DiscAppendable:
		return Appendable
	}
	return Complete
}

// Survey asks a drive what disc it holds and how it can be written. The drive must
// be ready.
func Survey(ctx context.Context, d *mmc.Drive) (*Medium, error) {
	if err := drive.WaitReady(ctx, d, drive.ReadyLimit); err != nil {
		return nil, err
	}
	conf, err := d.Configuration(ctx)
	if err != nil {
		return nil, err
	}
	m := &Medium{Profile: conf.Profile}
	if m.Profile == mmc.ProfileNone {
		return nil, drive.ErrNoMedium
	}
	m.features(conf)
	info, err := d.DiscInfo(ctx)
	if err != nil {
		return nil, err
	}
	m.Status, m.Erasable, m.Sessions, m.LastTrack = info.Status, info.Erasable, info.Sessions, info.LastTrackInLast
	m.Background = info.BackgroundFormat
	m.Open = info.Status == mmc.DiscAppendable && info.LastSession == mmc.SessionIncomplete
	m.Damaged = info.LastSession == mmc.SessionDamaged
	if m.Formats, err = d.FormatCapacities(ctx); err != nil && !drive.Classify(err).Answered() {
		return nil, err
	}
	if len(m.Formats) > 0 {
		m.Formatted = m.Formats[0].Type == 2
		m.Intermediate = m.Profile == mmc.ProfileDVDRWRO && m.Formats[0].Type == 3
	}
	if err := m.place(ctx, d); err != nil {
		return nil, err
	}
	if err := m.speeds(ctx, d); err != nil {
		return nil, err
	}
	m.ID = d.MediaID(ctx, m.Profile)
	if m.Profile == mmc.ProfileDVDPlusRDL {
		if n, fixed, err := d.Layer0Capacity(ctx); err == nil && !fixed {
			m.Layer0 = int(n)
		}
	}
	return m, ctx.Err()
}

// features takes what the drive can do with the disc.
func (m *Medium) features(conf *mmc.Configuration) {
	switch {
	case m.Profile == mmc.ProfileCDR || m.Profile == mmc.ProfileCDRW:
		w := conf.Feature(mmc.FeatureCDMastering)
		if w != nil && w.Current {
			cd := w.CDWrite()
			m.AtOnce, m.RawWrite, m.Simulates, m.UnderrunFree = cd.SessionAtOnce, cd.Raw, cd.TestWrite, cd.BufferUnderrunFree
			m.Writes = true
		}
		if w := conf.Feature(mmc.FeatureCDTrackAtOnce); w != nil && w.Current {
			cd := w.CDWrite()
			m.Simulates = m.Simulates || cd.TestWrite
			m.UnderrunFree = m.UnderrunFree || cd.BufferUnderrunFree
			m.Writes = true
		}
	case m.Profile == mmc.ProfileDVDR || m.Profile == mmc.ProfileDVDRW || m.Profile == mmc.ProfileDVDRDL:
		w := conf.Feature(mmc.FeatureDVDRWrite)
		m.Writes = w != nil && w.Current
		if m.Writes {
			b := append(slices.Clone(w.Data), 0)[0]
			m.AtOnce, m.Simulates, m.UnderrunFree = true, b&4 != 0, b&0x40 != 0
		}
		m.InPackets = conf.Has(mmc.FeatureIncremental)
	case m.Profile == mmc.ProfileDVDRWRO:
		m.Writes = conf.Has(mmc.FeatureRigidOverwrite) || conf.Has(mmc.FeatureRestrictedOverwrite)
	case m.Profile == mmc.ProfileDVDRAM:
		m.Writes = conf.Has(mmc.FeatureRandomWritable)
	case m.Profile == mmc.ProfileDVDPlusRW, m.Profile == mmc.ProfileDVDPlusRWDL:
		m.Writes = writeBit(conf, mmc.FeatureDVDPlusRW) || writeBit(conf, mmc.FeatureDVDPlusRWDL)
	case m.Profile == mmc.ProfileDVDPlusR:
		m.Writes = writeBit(conf, mmc.FeatureDVDPlusR)
	case m.Profile == mmc.ProfileDVDPlusRDL:
		m.Writes = writeBit(conf, mmc.FeatureDVDPlusRDL)
	case m.Profile == mmc.ProfileBDR, m.Profile == mmc.ProfileBDRE:
		m.Writes = conf.Has(mmc.FeatureBDWrite)
	}
	if m.random() || m.Profile.IsBD() || m.Profile == mmc.ProfileDVDPlusR || m.Profile == mmc.ProfileDVDPlusRDL {
		m.UnderrunFree = true // as these kinds of media always are
	}
}

// writeBit reports whether a feature is current and has its Write bit set.
func writeBit(conf *mmc.Configuration, code mmc.FeatureCode) bool {
	f := conf.Feature(code)
	return f != nil && f.Current && len(f.Data) > 0 && f.Data[0]&1 != 0
}

// place finds where writing can go on, and how much fits.
func (m *Medium) place(ctx context.Context, d *mmc.Drive) error {
	if m.random() {
		return m.placeRandom(ctx, d)
	}
	if m.Status == mmc.DiscComplete || !m.Writes {
		return nil
	}
	cd := m.Kind() == disc.CD
	t, err := openTrack(ctx, d, m.Profile, m.LastTrack)
	switch {
	case err != nil && !drive.Classify(err).Answered():
		return err
	case err != nil:
		m.Damaged = m.Status != mmc.DiscBlank
		return nil
	}
	m.LastTrack = t.Track
	// A BD-R that was formatted, and not yet written, calls itself appendable
	// (libburn).
	if m.Profile == mmc.ProfileBDR && m.Status == mmc.DiscAppendable && !m.Open && t.Start == 0 && t.NextWritable == 0 {
		m.Status = mmc.DiscBlank
	}
	m.NextWritable = writePoint(&t)
	m.Damaged = m.Damaged || t.Damaged || m.Status == mmc.DiscAppendable && !t.NextWritableValid
	m.Free = int(t.Free)
	m.Capacity = int(m.NextWritable) + m.Free
	if cd {
		if a, err := d.ATIP(ctx); err == nil {
			m.LeadInStart = addr.MSFFromBytes(a.LeadIn).LBA()
			if end := addr.MSFFromBytes(a.LeadOut).LBA(); end > 0 {
				m.Capacity = int(end)
				m.Free = max(0, m.Capacity-int(m.NextWritable))
			}
		} else if !drive.Classify(err).Answered() {
			return err
		}
	}
	return nil
}

func (m *Medium) placeRandom(ctx context.Context, d *mmc.Drive) error {
	if len(m.Formats) == 0 {
		c, err := d.Capacity(ctx)
		if err != nil {
			return err
		}
		m.Capacity, m.Formatted = int(c.Blocks), true
	}
	if len(m.Formats) > 0 && m.Formatted {
		m.Capacity = int(m.Formats[0].Blocks)
	}
	if m.Profile == mmc.ProfileDVDPlusRW && m.Background == 0 {
		m.Formatted = false
	}
	if !m.Formatted {
		for _, f := range m.Formats[min(1, len(m.Formats)):] {
			m.Capacity = max(m.Capacity, int(f.Blocks))
		}
	}
	if m.Intermediate {
		m.Formatted = true
	}
	m.Free = m.Capacity
	return nil
}

// speeds lists how fast the drive writes the disc.
func (m *Medium) speeds(ctx context.Context, d *mmc.Drive) error {
	list, err := d.WriteSpeeds(ctx)
	if err != nil && scsi.SenseOf(err) == nil && ctx.Err() != nil {
		return ctx.Err()
	}
	for _, s := range list {
		if s.Write > 0 {
			m.Speeds = append(m.Speeds, s.Write)
		}
	}
	if len(m.Speeds) == 0 {
		if c, err := d.Capabilities(ctx); err == nil {
			m.Speeds = c.WriteSpeeds
		}
	}
	slices.Sort(m.Speeds)
	slices.Reverse(m.Speeds)
	m.Speeds = slices.Compact(m.Speeds)
	return nil
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
		return fmt.Errorf("a %s %w", m.Profile, ErrNotWritable)
	case m.Status == mmc.DiscComplete && !m.random() && !m.Erasable:
		return fmt.Errorf("this %s is complete and %w again", m.Profile, ErrNotWritable)
	case m.Damaged && !m.Erasable:
		return fmt.Errorf("a burn that failed has spoiled this %s, which %w", m.Profile, ErrNotWritable)
	case !m.Writes && !(m.Erasable && m.Status == mmc.DiscComplete):
		return fmt.Errorf("a %s %w in this drive", m.Profile, ErrNotWritable)
	}
	return nil
}
