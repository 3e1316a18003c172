package album

import (
	"context"
	"errors"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/cdsector"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
)

// leastConfidence is how many people must have submitted what proves a track: one may have
// been the owner of this disc.
const leastConfidence = 2

// Databases are what other people's drives gave of a disc.
type Databases struct {
	AccurateRip accuraterip.Response
	CTDB        []ctdb.Entry
	// InPlace: what is the same at another offset proves nothing, because of how the disc was read.
	InPlace bool
}

// Empty reports whether nothing is there to compare with.
func (d *Databases) Empty() bool { return d.AccurateRip == nil && d.CTDB == nil }

// A Proof is what databases say of a track.
type Proof struct {
	// Silent: the samples of the track are zeros, as those of a drive that reads nothing, and that others have these, too, proves
	// nothing.
	Silent bool

	AccurateRip accuraterip.Result
	// CTDB is how many people submitted this track to CTDB, of CTDBTotal who submitted the
	// disc.
	CTDB, CTDBTotal int
	// CTDBMoved is how many submitted it with the samples Offset later or earlier: those of
	// another pressing, or of drives whose offset was not corrected.
	CTDBMoved, Offset int
	// MovedWhole: it was not only the track that they submitted so, but all of this disc.
	MovedWhole bool
}

// ByAccurateRip reports whether AccurateRip proves the track. Its checksums of version 1
// leave out some bits, and prove nothing alone.
func (p *Proof) ByAccurateRip() bool {
	return !p.Silent && p.AccurateRip.Outcome == accuraterip.Accurate && p.AccurateRip.V2 >= leastConfidence
}

// ByCTDB reports whether CTDB proves the track. At another offset, the checksum of a track is about other samples
// than those of its sectors, and that of the whole disc proves them.
func (p *Proof) ByCTDB() bool { return !p.Silent && (p.CTDB >= leastConfidence || p.movedWhole()) }

func (p *Proof) movedWhole() bool { return p.MovedWhole && p.CTDBMoved >= leastConfidence }

// judge compares the tracks of a disc, all of which were taken, with what the databases say.
func (d *Databases) judge(ctx context.Context, l *disc.Layout, x *check.Proof) ([]Proof, error) {
	var matches []ctdb.Match
	if ids, err := discid.Of(l); err == nil && len(d.CTDB) > 0 && x.CTDB != nil {
		if matches, err = x.CTDB.Judge(ctx, d.CTDB, ids.CTDB); err != nil {
			return nil, err
		}
	}
	return d.Judge(x, matches), nil
}

// Judge says of each track of a disc, all of which were taken, what the databases say of it. matches are what CTDB's entries are found to be.
func (d *Databases) Judge(x *check.Proof, matches []ctdb.Match) []Proof {
	proofs := make([]Proof, len(x.Spans))
	for i, s := range x.AccurateRip.Sums() {
		proofs[i].Silent = s.Silent
	}
	if d.AccurateRip != nil {
		for i, r := range x.AccurateRip.Judge(d.AccurateRip, x.Slots()) {
			proofs[i].AccurateRip = r
		}
	}
	for _, m := range matches {
		for i := range proofs {
			proofs[i].CTDBTotal += m.Entry.Confidence
			switch {
			case !m.Found || i >= len(m.Tracks) || !m.Tracks[i]:
			case m.Offset == 0:
				proofs[i].CTDB += m.Entry.Confidence
			default:
				proofs[i].moved(&m, d.InPlace)
			}
		}
	}
	return proofs
}

// moved takes an entry into account that has the track at another offset: all of the disc tells more than the track.
func (p *Proof) moved(m *ctdb.Match, inPlace bool) {
	whole := m.Same && !inPlace && m.Entry.Confidence >= leastConfidence
	switch {
	case p.CTDBMoved > 0 && m.Offset == p.Offset && whole == p.MovedWhole:
		p.CTDBMoved += m.Entry.Confidence
	case whole && !p.MovedWhole, whole == p.MovedWhole && m.Entry.Confidence > p.CTDBMoved:
		p.CTDBMoved, p.Offset, p.MovedWhole = m.Entry.Confidence, m.Offset, whole
	}
}

// A Run is a run of sectors, [First, End).
type Run struct{ First, End disc.LBA }

// Proven compares the audio of a disc with databases, and returns the sectors that they
// prove. read fills p with whole sectors from first on.
func (d *Databases) Proven(ctx context.Context, l *disc.Layout, read func(ctx context.Context, p []byte, first disc.LBA) error) ([]Run, error) {
	x := check.NewProof(l)
	if x == nil || d.Empty() {
		return nil, nil
	}
	if err := takeAll(ctx, x, read); err != nil {
		return nil, err
	}
	proofs, err := d.judge(ctx, l, x)
	if err != nil {
		return nil, err
	}
	var runs []Run
	for i, p := range proofs {
		if run := proven(i, &p, x); run.First < run.End {
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// takeAll takes all of the audio of a disc.
func takeAll(ctx context.Context, x *check.Proof, read func(ctx context.Context, p []byte, first disc.LBA) error) error {
	buf := make([]byte, 64*cdsector.Size)
	for _, s := range x.Spans {
		for at := s.First; at < s.End; {
			n := min(disc.LBA(len(buf)/cdsector.Size), s.End-at)
			p := buf[:int(n)*cdsector.Size]
			if err := errors.Join(read(ctx, p, at), x.Take(at, p)); err != nil {
				return err
			}
			at += n
		}
	}
	finish(x)
	return nil
}

// proven returns the sectors of a track that a database proves.
func proven(i int, p *Proof, x *check.Proof) Run {
	run := Run{x.Spans[i].First, x.Spans[i].End}
	switch {
	case p.Silent:
		return Run{}
	case p.ByAccurateRip():
		if i == 0 {
			run.First += accuraterip.Outside
		}
		if i == len(x.Spans)-1 {
			run.End -= accuraterip.Outside
		}
		return run
	case p.CTDB >= leastConfidence:
		return covered(run, x, 0)
	case p.movedWhole():
		return covered(run, x, p.Offset)
	}
	return Run{}
}

// covered is the part of a track that CTDB's checksums cover at an offset, in whole sectors. What is left
// out at the ends of the disc may be more than a track.
func covered(run Run, x *check.Proof, offset int) Run {
	first, end := x.CTDB.Covers(offset)
	start := x.Spans[0].First
	return Run{
		First: max(run.First, start+disc.LBA((first+discid.SectorSamples-1)/discid.SectorSamples)),
		End:   min(run.End, start+disc.LBA(end/discid.SectorSamples)),
	}
}

// finish takes what was left out at the end for silence.
func finish(p *check.Proof) { _ = p.Take(p.Spans[len(p.Spans)-1].End, nil) }
