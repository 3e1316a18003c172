package album

import (
	"cmp"
	"context"
	"slices"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
)

// A Suspect is a run of samples of a sector that may be wrong: [First, End).
type Suspect struct {
	At         disc.LBA
	First, End int
}

// A Damaged is the audio of a disc that is not right yet, or not proven.
type Damaged struct {
	Layout *disc.Layout
	Read   func(ctx context.Context, p []byte, first disc.LBA) error // as of [Databases.Proven]
	// Suspects are the samples that may be wrong, and Proven what is right.
	Suspects []Suspect
	Proven   []Run
}

// A Repair is what makes audio right.
type Repair struct {
	Right   []Run      // the sectors that are right with it
	Changed []disc.LBA // those that it changes, in order

	first disc.LBA
	patch *ctdb.Patch
}

// Apply changes sectors from an address on.
func (r *Repair) Apply(first disc.LBA, sectors []byte) {
	r.patch.Apply(int64(first-r.first)*discid.SectorSamples, sectors)
}

// mostParity is for how many entries, those of the most people first, parity is asked for.
const mostParity = 3

// Repair finds what makes damaged audio that which CTDB has, or returns nil where that is out of its reach. parity returns the
// parity of those entries that it has. An entry that only one person submitted, who may be the owner of this disc, repairs nothing, nor
// does one that contradicts what is proven. Where the parity of several entries leads to a disc, it is that from which this
// one differs least. Where nothing but an entry speaks against what was read, the error may be a [*VersionError].
func (d *Databases) Repair(ctx context.Context, x Damaged, parity func(context.Context, []*ctdb.Entry) ([]*ctdb.Parity, error)) (*Repair, error) {
	p := check.NewProof(x.Layout)
	ids, err := discid.Of(x.Layout)
	if p == nil || p.CTDB == nil || err != nil || !slices.ContainsFunc(d.CTDB, func(e ctdb.Entry) bool { return e.Confidence >= leastConfidence }) {
		return nil, nil
	}
	if err := takeAll(ctx, p, x.Read); err != nil {
		return nil, err
	}
	matches, err := p.CTDB.Judge(ctx, d.CTDB, ids.CTDB)
	if err != nil {
		return nil, err
	}
	if len(x.Suspects) == 0 && slices.ContainsFunc(matches, isOwn) {
		return nil, nil
	}
	matches = d.trusted(matches)
	if i := slices.IndexFunc(matches, func(m ctdb.Match) bool { return m.Same }); i >= 0 {
		return x.repair(p, &ctdb.Patch{Offset: matches[i].Offset}), nil // nothing is wrong with it
	}
	matches = matches[:min(len(matches), mostParity)]
	if len(matches) == 0 {
		return nil, nil
	}
	var entries []*ctdb.Entry
	for _, m := range matches {
		entries = append(entries, m.Entry)
	}
	known, err := parity(ctx, entries)
	if err != nil {
		return nil, err
	}
	fix, err := x.byParity(ctx, p, matches, known)
	if fix != nil && d.InPlace && fix.patch.Offset != 0 {
		return nil, nil
	}
	return fix, err
}

// trusted are the entries that may repair, those that most people submitted first.
func (d *Databases) trusted(matches []ctdb.Match) []ctdb.Match {
	matches = slices.DeleteFunc(matches, func(m ctdb.Match) bool {
		return m.Entry.Confidence < leastConfidence || d.InPlace && m.Found && m.Offset != 0
	})
	slices.SortStableFunc(matches, func(a, b ctdb.Match) int { return cmp.Compare(b.Entry.Confidence, a.Entry.Confidence) })
	return matches
}

// isOwn reports whether somebody has read the same, of whom no second one says so: it may be another pressing.
func isOwn(m ctdb.Match) bool {
	return m.Same && m.Offset == 0 && m.Entry.Confidence < leastConfidence
}

// byParity looks for the smallest repair.
func (x *Damaged) byParity(ctx context.Context, p *check.Proof, matches []ctdb.Match, known []*ctdb.Parity) (best *Repair, err error) {
	samples, sectors := x.runs(p)
	var other *VersionError
	for _, m := range matches {
		for _, parity := range known {
			if !parity.Of(m.Entry) {
				continue
			}
			patch, err := p.CTDB.Repair(ctx, m, parity, samples, sectors)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil || best != nil && len(best.patch.Changes) <= len(patch.Changes) {
				continue
			}
			if r := x.repair(p, patch); r != nil {
				best, other = r, x.differs(p, &m, patch)
			}
		}
	}
	if other != nil {
		return nil, other
	}
	return best, nil
}

// runs are the suspected samples, and all samples of their sectors.
func (x *Damaged) runs(p *check.Proof) (samples, sectors []ctdb.Run) {
	start := p.Spans[0].First
	for _, s := range x.Suspects {
		at := int64(s.At-start) * discid.SectorSamples
		if s.At < start {
			continue
		}
		samples = append(samples, ctdb.Run{First: at + int64(s.First), End: at + int64(s.End)})
		if n := len(sectors); n == 0 || sectors[n-1].First != at {
			sectors = append(sectors, ctdb.Run{First: at, End: at + discid.SectorSamples})
		}
	}
	return samples, sectors
}

// repair is what a patch makes right, or nil where it contradicts what is proven, or changes what is no audio.
func (x *Damaged) repair(p *check.Proof, patch *ctdb.Patch) *Repair {
	r := &Repair{first: p.Spans[0].First, patch: patch}
	for _, c := range patch.Changes {
		const words = 2 * discid.SectorSamples
		at := r.first + disc.LBA(c.Word/words)
		if n := len(r.Changed); n > 0 && r.Changed[n-1] == at {
			continue
		}
		holds := func(s Run) bool { return s.First <= at && at < s.End }
		if slices.ContainsFunc(x.Proven, holds) || !slices.ContainsFunc(p.Spans, func(s discid.Span) bool { return holds(Run{s.First, s.End}) }) {
			return nil
		}
		r.Changed = append(r.Changed, at)
	}
	for _, s := range p.Spans {
		if run := covered(Run{s.First, s.End}, p, patch.Offset); run.First < run.End {
			r.Right = append(r.Right, run)
		}
	}
	for _, at := range r.Changed {
		if !slices.ContainsFunc(r.Right, func(s Run) bool { return s.First <= at && at < s.End }) {
			return nil // at the edge of what the checksum covers, which is not that of a sector at each offset
		}
	}
	return r
}
