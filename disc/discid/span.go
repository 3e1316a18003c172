package discid

import "spindle/disc"

// SectorSamples is the number of stereo samples in a sector of audio.
const SectorSamples = 588

// A Span is where the databases see an audio track: from INDEX 01 to INDEX 01 of the next
// track, whose pregap belongs to it.
type Span struct {
	Track      int // its number
	Slot       int // its place in the table of contents, from 0
	First, End disc.LBA
}

// Spans returns the audio tracks of a disc. Before a data track of another session the audio
// ends where the table of contents lets expect it, as in the databases; if the image has less
// than that, at its end.
func Spans(l *disc.Layout) []Span {
	tracks := l.Tracks()
	var spans []Span
	for i, t := range tracks {
		if t.Mode.IsData() {
			continue
		}
		s := Span{Track: t.Number, Slot: i, First: t.Start, End: t.End}
		if i+1 < len(tracks) {
			next := tracks[i+1]
			switch other := l.SessionOf(next.Number) != l.SessionOf(t.Number); {
			case !next.Mode.IsData() && !other:
				s.End = next.Start
			case next.Mode.IsData() && other:
				if e := next.Start - sessionGap; e > t.Start && e < t.End {
					s.End = e
				}
			}
		}
		spans = append(spans, s)
	}
	return spans
}
