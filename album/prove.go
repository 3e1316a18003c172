package album

import (
	"context"

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
	m := newMeter(l)
	if len(m.spans) == 0 || response == nil {
		return nil, nil
	}
	buf := make([]byte, 64*cdsector.Size)
	for _, s := range m.spans {
		for at := s.First; at < s.End; {
			n := min(disc.LBA(len(buf)/cdsector.Size), s.End-at)
			p := buf[:int(n)*cdsector.Size]
			if err := read(ctx, p, at); err != nil {
				return nil, err
			}
			m.write(at, p)
			at += n
		}
	}
	m.finish()
	var runs []Run
	for i, r := range m.judge(response) {
		if !IsProof(&r) {
			continue
		}
		run := Run{m.spans[i].First, m.spans[i].End}
		if i == 0 {
			run.First += outside
		}
		if i == len(m.spans)-1 {
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

// judge compares the tracks with a response, once all is written.
func (m *meter) judge(response accuraterip.Response) []accuraterip.Result {
	var slots []int
	for _, s := range m.spans {
		slots = append(slots, s.Slot)
	}
	return m.sums.Judge(response, slots)
}
