package drive

import (
	"context"

	"spindle/addr"
	"spindle/scsi/mmc"
)

// A Stretch is a run of sectors that are recorded.
type Stretch struct{ First, End addr.LBA }

// mostTracks bounds how many tracks are asked for; a DVD+R has up to 153, and a BD-R
// more than anybody records.
const mostTracks = 1000

// sequential reports whether discs of a profile are recorded from the inside to the
// outside, in tracks, with gaps between their sessions.
func sequential(p mmc.Profile) bool {
	return Recordable(p) && !Overwritable(p) && KindOf(p) != KindOf(mmc.ProfileCDR)
}

// surveyRecorded asks for the tracks of a DVD±R or BD-R. Between two sessions lie zones
// that hold no data and cannot be read (MMC-6 4.3.6, 4.4.4). What makes no sense is as
// if nothing was said.
func (c *Contents) surveyRecorded(ctx context.Context, d *mmc.Drive, m *Medium) {
	if !sequential(m.Profile) || m.Info == nil || m.Info.LastTrackInLast < 2 || m.Info.LastTrackInLast > mostTracks {
		return
	}
	var all []Stretch
	for n := 1; n <= m.Info.LastTrackInLast; n++ {
		t, err := d.TrackInfo(ctx, n)
		if err != nil {
			return
		}
		if n < m.Info.LastTrackInLast || m.Info.Status != mmc.DiscAppendable {
			t.NextWritableValid = false // of a closed track, some drives leave it set
		}
		s, ok := recordedOf(&t, addr.LBA(c.Capacity))
		if !ok {
			continue
		}
		if k := len(all) - 1; k >= 0 && s.First < all[k].End {
			return
		}
		if k := len(all) - 1; k >= 0 && anyBlock(ctx, d, all[k].End, s.First) {
			all[k].End = s.First // no gap, whatever the drive says of its tracks
		}
		all = append(all, s)
	}
	c.Recorded = all
}

// anyBlock reports whether the first, the middle or the last block of some can be read.
func anyBlock(ctx context.Context, d *mmc.Drive, first, end addr.LBA) bool {
	if first >= end {
		return false
	}
	block := make([]byte, mmc.BlockSize)
	for _, at := range [...]addr.LBA{first, first + (end-first)/2, end - 1} {
		if n, err := d.Read10(ctx, block, at); err == nil && n == len(block) {
			return true
		}
	}
	return false
}

// recordedOf returns what of a track is recorded, up to the end of the disc.
func recordedOf(t *mmc.TrackInfo, end addr.LBA) (Stretch, bool) {
	s := Stretch{t.Start, min(end, t.Start+addr.LBA(min(t.Size, 1<<30)))}
	if t.NextWritableValid && t.NextWritable >= t.Start {
		s.End = min(s.End, t.NextWritable)
	}
	return s, !t.Blank && s.First >= 0 && s.First < s.End
}
