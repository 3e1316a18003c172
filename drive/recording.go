package drive

import (
	"context"
	"slices"

	"spindle/addr"
	"spindle/disc"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// Recording is what a drive says about writing on the disc in it.
type Recording struct {
	ID       string // maker and model of the blank, or empty
	Status   mmc.DiscStatus
	Erasable bool
	Damaged  bool // a failed burn left a session that cannot be resumed
	NoPoint  bool // something is on it, and the drive does not say where writing continues
	// Formatted tells of media that have to be; Background is the state of a
	// DVD+RW's format.
	Formatted    bool
	Intermediate bool // a DVD-RW that grows with what is written
	Background   mmc.BackgroundFormat
	Sessions     int
	Format       mmc.SessionFormat // of the sessions of a CD that has some
	LastTrack    int               // in which writing continues, or that would be started
	Open         bool              // the last session is open, and holds something
	NextWritable addr.LBA          // where writing continues; 0 on a blank disc
	Capacity     int               // sectors from address 0 on
	Free         int               // sectors that can still be written
	Formats      []mmc.FormatCapacity
	Speeds       []int // kB/s, highest first; empty: the drive does not say
	LeadInStart  addr.LBA
	Layer0       int // sectors of the first layer; 0: one layer, or cannot be chosen

	// What the drive can do with the kind of disc in it.
	Writes       bool  // write it at all
	Simulates    bool  // write it with the laser off
	UnderrunFree bool  // wait for data in the middle of a track
	AtOnce       bool  // session (CD) or disc (DVD-R) at once
	InPackets    bool  // DVD-R incremental
	LinkSize     uint8 // of its packets, in blocks, as the drive lists it first; 0: it lists none
	RawWrite     bool  // CD: whole sectors with their sub-channel
}

// Overwritable reports whether discs of a profile are written at any place, and
// again and again.
func Overwritable(p mmc.Profile) bool {
	switch p {
	case mmc.ProfileDVDRAM, mmc.ProfileDVDRWRO, mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL, mmc.ProfileBDRE:
		return true
	}
	return false
}

// Recordable reports whether discs of a profile can be written at all.
func Recordable(p mmc.Profile) bool {
	switch p {
	case mmc.ProfileCDROM, mmc.ProfileDVDROM, mmc.ProfileBDROM:
		return false
	}
	return p.IsCD() || p.IsDVD() || p.IsBD()
}

// surveyRecording asks how the disc can be written.
func surveyRecording(ctx context.Context, d *mmc.Drive, m *Medium) (*Recording, error) {
	p, info := m.Profile, m.Info
	r := new(Recording)
	r.Status, r.Erasable, r.Sessions, r.LastTrack = info.Status, info.Erasable, info.Sessions, info.LastTrackInLast
	r.Background, r.Format = info.BackgroundFormat, info.DiscType
	r.Open = info.Status == mmc.DiscAppendable && info.LastSession == mmc.SessionIncomplete
	r.Damaged = info.LastSession == mmc.SessionDamaged
	r.features(m.Config, p)
	if err := r.legacy(ctx, d, m); err != nil {
		return nil, err
	}
	var err error
	if r.Formats, err = d.FormatCapacities(ctx); err != nil && !Classify(err).Answered() {
		return nil, err
	}
	if len(r.Formats) > 0 {
		r.Formatted = r.Formats[0].State == mmc.CapacityFormatted
		r.Intermediate = p == mmc.ProfileDVDRWRO && r.Formats[0].State == mmc.CapacityUnknown
	}
	if err := r.place(ctx, d, p); err != nil {
		return nil, err
	}
	if err := r.speeds(ctx, d); err != nil {
		return nil, err
	}
	r.ID = d.MediaID(ctx, p)
	if p == mmc.ProfileDVDPlusRDL {
		if c, err := d.LayerCapacity(ctx); err == nil && !c.Fixed {
			r.Layer0 = int(c.Layer0)
		}
	}
	return r, ctx.Err()
}

// writeFeatures are, by profile, those of which a drive has one when it writes such discs.
var writeFeatures = map[mmc.Profile][]mmc.FeatureCode{
	mmc.ProfileCDR:         {mmc.FeatureCDMastering, mmc.FeatureCDTrackAtOnce},
	mmc.ProfileCDRW:        {mmc.FeatureCDMastering, mmc.FeatureCDTrackAtOnce},
	mmc.ProfileDVDR:        {mmc.FeatureDVDRWrite},
	mmc.ProfileDVDRW:       {mmc.FeatureDVDRWrite},
	mmc.ProfileDVDRDL:      {mmc.FeatureDVDRWrite},
	mmc.ProfileDVDRWRO:     {mmc.FeatureRigidOverwrite, mmc.FeatureRestrictedOverwrite},
	mmc.ProfileDVDRAM:      {mmc.FeatureRandomWritable},
	mmc.ProfileDVDPlusRW:   {mmc.FeatureDVDPlusRW, mmc.FeatureDVDPlusRWDL},
	mmc.ProfileDVDPlusRWDL: {mmc.FeatureDVDPlusRW, mmc.FeatureDVDPlusRWDL},
	mmc.ProfileDVDPlusR:    {mmc.FeatureDVDPlusR},
	mmc.ProfileDVDPlusRDL:  {mmc.FeatureDVDPlusRDL},
	mmc.ProfileBDR:         {mmc.FeatureBDWrite},
	mmc.ProfileBDRE:        {mmc.FeatureBDWrite},
}

// features takes what the drive can do with the disc. A disc that has to be erased
// first makes no feature current that it will have then: how the drive writes counts
// nevertheless.
func (r *Recording) features(conf *mmc.Configuration, p mmc.Profile) {
	r.Writes = slices.ContainsFunc(writeFeatures[p], func(code mmc.FeatureCode) bool { return writes(conf, code) })
	erase := r.Erasable && (r.Status == mmc.DiscComplete || r.Damaged)
	able := func(code mmc.FeatureCode) *mmc.Feature { // or nil
		if f := conf.Feature(code); f != nil && (f.Current || erase) {
			return f
		}
		return nil
	}
	switch p {
	case mmc.ProfileCDR, mmc.ProfileCDRW:
		r.cdFeatures(able(mmc.FeatureCDMastering), able(mmc.FeatureCDTrackAtOnce))
	case mmc.ProfileDVDR, mmc.ProfileDVDRW, mmc.ProfileDVDRDL:
		if f := able(mmc.FeatureDVDRWrite); f != nil {
			dvd := f.DVDRWrite()
			r.AtOnce, r.Simulates, r.UnderrunFree = true, dvd.TestWrite, dvd.BufferUnderrunFree
		}
		if f := able(mmc.FeatureIncremental); f != nil {
			r.InPackets = true
			if sizes := f.Incremental().LinkSizes; len(sizes) > 0 {
				r.LinkSize = uint8(sizes[0])
			}
		}
	}
	if Overwritable(p) || p.IsBD() || p == mmc.ProfileDVDPlusR || p == mmc.ProfileDVDPlusRDL {
		r.UnderrunFree = true // as these kinds of media always are
	}
}

// cdFeatures takes what the drive can do with a CD from the features of writing it in
// sessions and in tracks, of which either may be nil.
func (r *Recording) cdFeatures(mastering, track *mmc.Feature) {
	if mastering != nil {
		cd := mastering.CDWrite()
		r.AtOnce, r.RawWrite, r.Simulates, r.UnderrunFree = cd.SessionAtOnce, cd.Raw, cd.TestWrite, cd.BufferUnderrunFree
	}
	if track != nil {
		cd := track.CDWrite()
		r.Simulates = r.Simulates || cd.TestWrite
		r.UnderrunFree = r.UnderrunFree || cd.BufferUnderrunFree
	}
}

// legacy finds out about CDs what a drive does not state by features: some drives are
// older than features, and some burn sessions at once without listing the feature (wodim,
// cdrdao and libburn try mode page 05h, too).
func (r *Recording) legacy(ctx context.Context, d *mmc.Drive, m *Medium) error {
	if !m.Profile.IsCD() || m.Config != nil && m.Config.Has(mmc.FeatureCDMastering) {
		return nil
	}
	if m.Config == nil {
		caps, err := d.Capabilities(ctx)
		if err != nil && !Classify(err).Answered() {
			return err
		}
		r.Writes, r.Simulates, r.UnderrunFree = caps.WriteCDR, caps.TestWrite, caps.BufferUnderrunFree
		if m.Profile == mmc.ProfileCDRW {
			r.Writes = caps.WriteCDRW
		}
	}
	if !r.Writes || r.Status == mmc.DiscComplete && !r.Erasable {
		return nil
	}
	err := d.SetWriteParameters(ctx, mmc.WriteParameters{Type: mmc.WriteSessionAtOnce, Block: mmc.BlockAudio, UnderrunFree: r.UnderrunFree})
	if err != nil && !Classify(err).Answered() {
		return err
	}
	r.AtOnce = err == nil
	return nil
}

// writes reports whether a feature is current and covers writing. Those of DVD+R and
// DVD+RW say by a flag whether they do.
func writes(conf *mmc.Configuration, code mmc.FeatureCode) bool {
	switch code {
	case mmc.FeatureDVDPlusRW, mmc.FeatureDVDPlusRWDL, mmc.FeatureDVDPlusR, mmc.FeatureDVDPlusRDL:
		return conf.Has(code) && conf.Feature(code).DVDPlus().Write
	}
	return conf.Has(code)
}

// place finds where writing can continue, and how much fits.
func (r *Recording) place(ctx context.Context, d *mmc.Drive, p mmc.Profile) error {
	if Overwritable(p) {
		return r.placeRandom(ctx, d, p)
	}
	cd := KindOf(p) == disc.CD
	if r.Status == mmc.DiscComplete || !r.Writes {
		if cd && r.Erasable {
			return r.groove(ctx, d)
		}
		return nil
	}
	t, err := openTrack(ctx, d, p, r.LastTrack)
	switch {
	case err != nil && !Classify(err).Answered():
		return err
	case err != nil:
		r.NoPoint = r.Status != mmc.DiscBlank
		return nil
	}
	r.placeAt(p, &t)
	if !cd {
		return nil
	}
	if err := r.groove(ctx, d); err != nil {
		return err
	}
	r.Free = max(0, r.Capacity-int(r.NextWritable))
	return nil
}

// placeAt takes from the track in which writing continues where it does, and how much fits.
func (r *Recording) placeAt(p mmc.Profile, t *mmc.TrackInfo) {
	r.LastTrack = t.Track
	// A BD-R that was formatted, and not yet written, calls itself appendable
	// (libburn).
	if p == mmc.ProfileBDR && r.Status == mmc.DiscAppendable && !r.Open && t.Start == 0 && t.NextWritable == 0 {
		r.Status = mmc.DiscBlank
	}
	r.NextWritable = writePoint(t)
	r.Damaged = r.Damaged || t.Damaged || r.Status == mmc.DiscAppendable && !t.NextWritableValid
	r.Free = int(t.Free)
	r.Capacity = int(r.NextWritable) + r.Free
}

// groove takes from the groove of a CD (ATIP) where its lead-in begins, and how much it
// holds.
func (r *Recording) groove(ctx context.Context, d *mmc.Drive) error {
	a, err := d.ATIP(ctx)
	switch {
	case err == nil:
		r.LeadInStart = a.LeadIn.LBA()
		if end := a.LeadOut.LBA(); end > 0 {
			r.Capacity = int(end)
		}
	case !Classify(err).Answered():
		return err
	}
	return nil
}

func (r *Recording) placeRandom(ctx context.Context, d *mmc.Drive, p mmc.Profile) error {
	if len(r.Formats) == 0 {
		c, err := d.Capacity(ctx)
		if err != nil {
			return err
		}
		r.Capacity, r.Formatted = int(c.Blocks), true
	}
	if len(r.Formats) > 0 && r.Formatted {
		r.Capacity = int(r.Formats[0].Blocks)
	}
	if p == mmc.ProfileDVDPlusRW && r.Background == mmc.BackgroundNone {
		r.Formatted = false
	}
	if !r.Formatted {
		for _, f := range r.Formats[min(1, len(r.Formats)):] {
			r.Capacity = max(r.Capacity, int(f.Blocks))
		}
	}
	if r.Intermediate {
		r.Formatted = true
	}
	r.Free = r.Capacity
	return nil
}

// speeds lists how fast the drive writes the disc.
func (r *Recording) speeds(ctx context.Context, d *mmc.Drive) error {
	list, err := d.WriteSpeeds(ctx)
	if err != nil && scsi.SenseOf(err) == nil && ctx.Err() != nil {
		return ctx.Err()
	}
	for _, s := range list {
		if s.Write > 0 {
			r.Speeds = append(r.Speeds, s.Write)
		}
	}
	if len(r.Speeds) == 0 {
		if c, err := d.Capabilities(ctx); err == nil {
			r.Speeds = c.WriteSpeeds
		}
	}
	slices.Sort(r.Speeds)
	slices.Reverse(r.Speeds)
	r.Speeds = slices.Compact(r.Speeds)
	return nil
}

// NextWritable asks where writing continues, on a disc of profile p.
func NextWritable(ctx context.Context, d *mmc.Drive, p mmc.Profile) (addr.LBA, error) {
	info, err := d.DiscInfo(ctx)
	if err != nil {
		return 0, err
	}
	t, err := openTrack(ctx, d, p, info.LastTrackInLast)
	return writePoint(&t), err
}

// asksForOpenTrack reports whether a medium has a name for the track in which
// writing continues; of others it is the last one (libburn).
func asksForOpenTrack(p mmc.Profile) bool {
	return p.IsCD() || p == mmc.ProfileDVDPlusR || p == mmc.ProfileDVDPlusRDL
}

// openTrack asks for the track in which writing continues.
func openTrack(ctx context.Context, d *mmc.Drive, p mmc.Profile, last int) (mmc.TrackInfo, error) {
	if !asksForOpenTrack(p) {
		return d.TrackInfo(ctx, last)
	}
	t, err := d.TrackInfo(ctx, mmc.OpenTrackCD)
	if Classify(err) != Refused {
		return t, err
	}
	// A drive that does not know the name may know the number.
	for _, n := range []int{last, last + 1} {
		if t, err := d.TrackInfo(ctx, n); err == nil && t.NextWritableValid {
			return t, nil
		}
	}
	return t, err
}

// writePoint is where writing continues in a track. On a blank CD a drive may state
// the address of the pregap: the beginning of the track is meant.
func writePoint(t *mmc.TrackInfo) addr.LBA {
	if !t.NextWritableValid {
		return t.Start
	}
	return max(t.NextWritable, t.Start)
}
