package album

import (
	"context"
	"errors"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/cdsector"
)

// leastConfidence is how many people must have submitted what proves a track: one may have
// been the owner of this disc.
const leastConfidence = 2

// outside is how many sectors at either end of a disc's audio no checksum of AccurateRip
// covers.
const outside = 5

// A Run is a run of sectors, [First, End).
type Run struct{ First, End disc.LBA }

// Proven compares the audio of a disc with a response of AccurateRip, and returns the
// sectors that it proves. read fills p with whole sectors from first on.
func Proven(ctx context.Context, l *disc.Layout, response accuraterip.Response, read func(ctx context.Context, p []byte, first disc.LBA) error) ([]Run, error) {
	m := check.NewProof(l)
	if m == nil || response == nil {
		return nil, nil
	}
	buf := make([]byte, 64*cdsector.Size)
	for _, s := range m.Spans {
		for at := s.First; at < s.End; {
			n := min(disc.LBA(len(buf)/cdsector.Size), s.End-at)
			p := buf[:int(n)*cdsector.Size]
			if err := errors.Join(read(ctx, p, at), m.Take(at, p)); err != nil {
				return nil, err
			}
			at += n
		}
	}
	finish(m)
	var runs []Run
	for i, r := range m.AccurateRip.Judge(response, m.Slots()) {
		if !IsProof(&r) {
			continue
		}
		run := Run{m.Spans[i].First, m.Spans[i].End}
		if i == 0 {
			run.First += outside
		}
		if i == len(m.Spans)-1 {
			run.End -= outside
		}
		if run.First < run.End {
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// IsProof reports whether what AccurateRip says of a track proves it.
func IsProof(r *accuraterip.Result) bool {
	return (r.Outcome == accuraterip.Accurate || r.Outcome == accuraterip.OtherPressing) && r.Confidence() >= leastConfidence
}

// finish takes what was left out at the end for silence.
func finish(p *check.Proof) { _ = p.Take(p.Spans[len(p.Spans)-1].End, nil) }
