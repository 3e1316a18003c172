package album

import (
	"fmt"
	"slices"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
)

// A VersionError is what [Databases.Repair] returns where nothing speaks against what was read, and CTDB has another version of the
// disc: it may be another edition, or damage that the drive concealed and that nothing tells from one.
type VersionError struct {
	Confidence int               // how many people submitted it
	Tracks     []TrackDifference // in order
}

// A TrackDifference is how many samples of a track differ.
type TrackDifference struct{ Number, Samples int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("another version of the disc, which differs in %d tracks", len(e.Tracks))
}

// mostConcealed is how many sectors of a disc a drive is believed to conceal damage in: more of them are another edition.
const mostConcealed = 16

// differs returns the VersionError of a patch that no sign of damage asks for; nil: it repairs damage that was concealed. That is so
// where the disc is proven to be of the same pressing: all tracks that the patch leaves alone are there in the entry, at the same offset, and it changes few
// sectors of others.
func (x *Damaged) differs(p *check.Proof, m *ctdb.Match, patch *ctdb.Patch) *VersionError {
	if len(x.Suspects) > 0 {
		return nil
	}
	return OtherVersion(p, m, patch)
}

// OtherVersion returns what a patch changes that makes a rip without any sign of damage that of an entry; nil: it repairs damage.
func OtherVersion(p *check.Proof, m *ctdb.Match, patch *ctdb.Patch) *VersionError {
	if len(patch.Changes) == 0 {
		return nil
	}
	e := &VersionError{Confidence: m.Entry.Confidence}
	changed, sectors := changedBy(p, patch)
	same, other, sums := 0, 0, p.AccurateRip.Sums()
	for i, n := range changed {
		switch {
		case n > 0:
			e.Tracks = append(e.Tracks, TrackDifference{p.Spans[i].Track, n})
		case i < len(sums) && sums[i].Silent: // silence is that of every pressing
		case m.Found && m.Offset == patch.Offset && i < len(m.Tracks) && m.Tracks[i]:
			same++
		default:
			other++
		}
	}
	if same > 0 && other == 0 && sectors <= mostConcealed {
		return nil
	}
	return e
}

// changedBy counts the samples that a patch changes in each track, and the sectors.
func changedBy(p *check.Proof, patch *ctdb.Patch) (samples []int, sectors int) {
	samples = make([]int, len(p.Spans))
	lastSector, lastSample := int64(-1), int64(-1)
	for _, c := range patch.Changes {
		sample := c.Word / 2
		if sample == lastSample {
			continue
		}
		lastSample = sample
		if s := sample / discid.SectorSamples; s != lastSector {
			sectors, lastSector = sectors+1, s
		}
		at := p.Spans[0].First + disc.LBA(sample/discid.SectorSamples)
		if i := slices.IndexFunc(p.Spans, func(s discid.Span) bool { return s.First <= at && at < s.End }); i >= 0 {
			samples[i]++
		}
	}
	return samples, sectors
}
