package album

import (
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/cdsector"
	"spindle/disc/discid"
)

// A meter computes the checksums of tracks from samples that come in the order of the disc,
// some of which may be left out: those count as zeros.
type meter struct {
	spans []discid.Span
	sums  *accuraterip.Meter
	first disc.LBA // of the audio
	at    disc.LBA // of what comes next
	end   disc.LBA // of the audio
}

// newMeter makes the meter of the audio of a disc.
func newMeter(l *disc.Layout) *meter {
	m := &meter{spans: discid.Spans(l)}
	var tracks []accuraterip.Track
	for i, s := range m.spans {
		if i == 0 {
			m.first = s.First
		}
		m.end = s.End
		tracks = append(tracks, accuraterip.Track{
			First: int64(s.First-m.first) * discid.SectorSamples, End: int64(s.End-m.first) * discid.SectorSamples,
		})
	}
	m.at = m.first
	m.sums = accuraterip.NewMeter(tracks)
	return m
}

// write takes the sectors from at on.
func (m *meter) write(at disc.LBA, p []byte) {
	if at < m.first {
		p = p[min(len(p), int(m.first-at)*cdsector.Size):]
		at = m.first
	}
	if at > m.at {
		m.skip(at)
	}
	n := max(0, min(len(p)/cdsector.Size, int(m.end-at)))
	m.sums.Write(p[:n*cdsector.Size])
	m.at = at + disc.LBA(n)
}

// skip takes what was left out for silence.
func (m *meter) skip(to disc.LBA) {
	var silence [16 * cdsector.Size]byte
	for to = min(to, m.end); m.at < to; {
		n := min(16, int(to-m.at))
		m.sums.Write(silence[:n*cdsector.Size])
		m.at += disc.LBA(n)
	}
}

// finish returns the checksums of the tracks, in the order of the spans.
func (m *meter) finish() []accuraterip.Sums {
	m.skip(m.end)
	return m.sums.Sums()
}
