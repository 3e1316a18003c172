package check

import (
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/cdsector"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
)

// A Proof takes the sectors of an audio CD as they pass, for what databases of CDs state of its tracks.
type Proof struct {
	Spans       []discid.Span
	AccurateRip *accuraterip.Meter
	CTDB        *ctdb.Meter // nil for a disc that is too short for it

	first, at, end disc.LBA
}

// NewProof prepares for a disc, or returns nil for one without an audio track.
func NewProof(l *disc.Layout) *Proof {
	if l.Medium != disc.CD {
		return nil
	}
	spans := discid.Spans(l)
	if len(spans) == 0 {
		return nil
	}
	p := &Proof{Spans: spans, first: spans[0].First, at: spans[0].First, end: spans[len(spans)-1].End}
	var rip []accuraterip.Track
	var db []ctdb.Track
	for _, s := range spans {
		first, end := p.sample(s.First), p.sample(s.End)
		rip, db = append(rip, accuraterip.Track{First: first, End: end}), append(db, ctdb.Track{First: first, End: end})
	}
	p.AccurateRip = accuraterip.NewMeter(rip)
	p.CTDB, _ = ctdb.NewMeter(db) // it fails only for a disc that is too short
	return p
}

// sample returns where a sector begins in the audio.
func (p *Proof) sample(a disc.LBA) int64 { return int64(a-p.first) * discid.SectorSamples }

// silence stands for sectors that no audio track has.
var silence [cdsector.Size]byte

// Take takes the sectors from an address on. They come in order. Those of no audio track are
// silence, whatever stands there: data between two tracks, and what lies between sessions.
func (p *Proof) Take(first disc.LBA, sectors []byte) error {
	end := first + disc.LBA(len(sectors)/cdsector.Size)
	for _, s := range p.Spans {
		from, to := max(first, s.First, p.at), min(end, s.End)
		if from >= to {
			continue
		}
		if err := p.silent(from); err != nil {
			return err
		}
		if err := p.write(sectors[int(from-first)*cdsector.Size : int(to-first)*cdsector.Size]); err != nil {
			return err
		}
		p.at = to
	}
	return p.silent(min(end, p.end))
}

// silent goes on to a sector with silence.
func (p *Proof) silent(to disc.LBA) error {
	for ; p.at < to; p.at++ {
		if err := p.write(silence[:]); err != nil {
			return err
		}
	}
	return nil
}

func (p *Proof) write(b []byte) error {
	if _, err := p.AccurateRip.Write(b); err != nil || p.CTDB == nil {
		return err
	}
	_, err := p.CTDB.Write(b)
	return err
}

// Complete reports whether all of the audio was taken.
func (p *Proof) Complete() bool { return p.at == p.end }

// Slots returns the place of each audio track in the table of contents.
func (p *Proof) Slots() []int {
	var all []int
	for _, s := range p.Spans {
		all = append(all, s.Slot)
	}
	return all
}

// Runs returns flawed sectors as runs of samples of the audio.
func (p *Proof) Runs(flaws disc.Flaws) []ctdb.Run {
	var runs []ctdb.Run
	for _, f := range flaws {
		if first, end := max(f.First, p.first), min(f.End(), p.end); first < end {
			runs = append(runs, ctdb.Run{First: p.sample(first), End: p.sample(end)})
		}
	}
	return runs
}
