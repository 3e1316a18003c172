package burn

import (
	"context"

	"spindle/addr"
	"spindle/disc"
)

// A drive begins a session where the lead-out of the one before it, a lead-in and a pregap
// end, and nowhere else.

// inPlace returns the layout with each session but the last lengthened by the sectors that
// the next one begins later than a drive would begin it, so that all of them come where the
// image has them. Such are the run-out blocks of a track that was written at once, which a
// rip leaves out.
func (p *planner) inPlace(l *disc.Layout) *disc.Layout {
	l = l.Clone()
	added := 0
	for i := 1; i < len(l.Sessions); i++ {
		before := &l.Sessions[i-1]
		if n := l.Sessions[i].Tracks[0].Begin() - follows(before, i); n > 0 {
			before.LeadOut += n
			added += int(n)
		}
	}
	if added > 0 {
		p.plan.Notes = append(p.plan.Notes, Note{Code: NoteLengthened, Sectors: added})
	}
	return l
}

// follows is where the session after s begins, which is the i-th of a disc, counted from 1.
func follows(s *disc.Session, i int) disc.LBA {
	return s.LeadOut + disc.LBA(addr.SessionGap(i))
}

// moved is how far behind its place in the image the i-th session of a layout comes onto the
// disc, counted from 0, where the one before it is moved by shift: what there is too little
// room for begins later. Data in a later session, which count on their addresses, do so only
// where any place will do.
func (p *planner) moved(ctx context.Context, l *disc.Layout, i int, shift disc.LBA) (disc.LBA, error) {
	s := &l.Sessions[i]
	if i > 0 {
		shift = max(0, follows(&l.Sessions[i-1], i)+shift-s.Tracks[0].Begin())
	}
	if shift == 0 {
		return 0, nil
	}
	for j := range s.Tracks {
		t := &s.Tracks[j]
		var err error
		switch {
		case !t.Mode.IsData():
		case i == 0:
			err = p.address(ctx, t, shift+t.Start)
		case !p.o.AnyPlace:
			err = &Refusal{Kind: ErrAddress, Reason: MadeFor, Disc: p.m.Profile, A: int(t.Start), B: int(shift + t.Start)}
		}
		if err != nil {
			return 0, err
		}
	}
	return shift, nil
}
