package scram

import (
	"errors"
	"io"
	"maps"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// positions are what the Q sub-channels of a dump say of the tracks.
type positions struct {
	tracks  map[int]*position
	order   []int // the tracks as they come
	leadOut disc.LBA
	again   bool // there are tracks behind the lead-out
	mcn     string
	isrcs   map[disc.LBA]string // where they stand
}

// A position is what is said of a track.
type position struct {
	control disc.Control
	start   disc.LBA
	known   bool // the start, of which a pregap states only when it comes
	pregap  disc.LBA
	gap     bool             // it has a pregap
	indexes map[int]disc.LBA // from 2 on
}

// readQ reads the Q of all sectors from address 0 on.
func (o *opener) readQ() (*positions, error) {
	p := &positions{tracks: make(map[int]*position), isrcs: make(map[disc.LBA]string)}
	const batch = 4096
	buf := make([]byte, batch*cdsector.SubSize)
	for a := disc.LBA(0); a < disc.MaxLBA; a += batch {
		if err := o.ctx.Err(); err != nil {
			return nil, err
		}
		n, err := o.sub.ReadAt(buf, int64(a-o.program.first)*cdsector.SubSize)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		for i := 0; i+cdsector.SubSize <= n; i += cdsector.SubSize {
			raw := (*[cdsector.SubSize]byte)(buf[i:])
			q := [cdsector.QSize]byte(raw[cdsector.QSize:])
			if o.program.raw {
				q = cdsector.DeinterleaveQ(raw)
			}
			if f, err := cdsector.DecodeQ(&q); err == nil && q != [cdsector.QSize]byte{} {
				p.add(a+disc.LBA(i/cdsector.SubSize), &f)
			}
		}
		if n < len(buf) {
			break
		}
	}
	if len(p.tracks) == 0 {
		return nil, nil
	}
	return p, nil
}

// add takes a frame, which holds together.
func (p *positions) add(a disc.LBA, q *cdsector.Q) {
	const firstSession = 1 // frames of the lead-in state no track
	switch {
	case q.ADR == 2 && p.mcn == "" && cdsector.ValidMCN(q.MCN):
		p.mcn = q.MCN
	case q.ADR == 3 && cdsector.ValidISRC(q.ISRC):
		p.isrcs[a] = q.ISRC
	case q.ADR != 1 || q.Track < firstSession || q.Abs != a.MSF():
	case q.Track == cdsector.LeadOut:
		if p.leadOut == 0 {
			p.leadOut = a - disc.LBA(q.Rel.Frames())
		}
	default:
		p.addTrack(a, q)
	}
}

func (p *positions) addTrack(a disc.LBA, q *cdsector.Q) {
	t := p.tracks[q.Track]
	if t == nil {
		t = &position{control: disc.Control(q.Control), indexes: make(map[int]disc.LBA)}
		p.tracks[q.Track] = t
		p.order = append(p.order, q.Track)
		p.again = p.again || p.leadOut != 0
	}
	switch rel := disc.LBA(q.Rel.Frames()); {
	case q.Index > 0 && !t.known:
		t.known, t.start = true, a-rel
	case q.Index == 0 && !t.gap:
		t.gap, t.pregap = true, a
		if !t.known {
			t.start = a + rel
		}
	}
	if q.Index > 1 {
		if _, ok := t.indexes[q.Index]; !ok {
			t.indexes[q.Index] = a
		}
	}
}

// sessions makes one session of the tracks.
func (p *positions) sessions() ([]disc.Session, error) {
	switch {
	case p.again:
		return nil, errorf("it has several sessions, and no .fulltoc beside it, which says where they are")
	case p.leadOut == 0:
		return nil, errorf("there is no .toc beside it, and its sub-channels do not say where the lead-out is")
	}
	s := disc.Session{Number: 1, LeadOut: p.leadOut}
	for _, n := range slices.Sorted(slices.Values(p.order)) {
		t := p.tracks[n]
		s.Tracks = append(s.Tracks, newTrack(n, byte(t.control), t.start))
	}
	return []disc.Session{s}, nil
}

// complete adds to the tracks of a layout what the sub-channels say besides. What does not fit
// is passed over.
func (p *positions) complete(l *disc.Layout) {
	l.MCN = p.mcn
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for k := range s.Tracks {
			t, end := &s.Tracks[k], s.LeadOut
			if k+1 < len(s.Tracks) {
				end = s.Tracks[k+1].Start
			}
			x := p.tracks[t.Number]
			switch {
			case i == 0 && k == 0 && t.Start > 0:
				t.Pregap = int(t.Start) // audio that is hidden before the first track
			case x != nil && k > 0 && x.gap && x.pregap > s.Tracks[k-1].Start && x.pregap < t.Start:
				t.Pregap = int(t.Start - x.pregap)
			}
			if x != nil {
				t.Indexes = x.between(t.Start, end)
			}
		}
		p.addISRCs(s)
	}
}

// between are the indexes from 2 on that stand between two addresses.
func (x *position) between(start, end disc.LBA) (all []disc.LBA) {
	for n := 2; ; n++ {
		at, ok := x.indexes[n]
		if !ok || at <= start || at >= end {
			return all
		}
		all, start = append(all, at), at
	}
}

// addISRCs gives each track the first ISRC that stands in it.
func (p *positions) addISRCs(s *disc.Session) {
	at := slices.Sorted(maps.Keys(p.isrcs))
	for k := range s.Tracks {
		t, end := &s.Tracks[k], s.LeadOut
		if k+1 < len(s.Tracks) {
			end = s.Tracks[k+1].Begin()
		}
		if i, _ := slices.BinarySearch(at, t.Start); i < len(at) && at[i] < end {
			t.ISRC = p.isrcs[at[i]]
		}
	}
}
