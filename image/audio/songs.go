package audio

import "spindle/disc"

// A Song is the audio that becomes one file: the sectors [Start, End).
type Song struct {
	// Number is that of the track, or 0 for what is hidden before track 1.
	Number int
	// Track is the track that the song is the body of. For number 0, it is the one
	// whose INDEX 00 hides it.
	Track      *disc.Track
	Start, End disc.LBA
}

// Bytes is the size of its samples.
func (s *Song) Bytes() int64 { return int64(s.End-s.Start) * SectorSize }

// Songs divides the audio of a disc so that none is lost: every sector of an audio
// track, gaps included, is in exactly one song, and no sector of a data track is in any.
//
// A song lasts from INDEX 01 of its track to INDEX 01 of the next, so that a gap (INDEX
// 00) ends the song before it, as Exact Audio Copy and players have it. Where there is no
// song for a gap to end, behind a data track or at the start of a later session, it begins
// its own. The gap before a data track belongs to that track, and is data. INDEX 00 of the
// first track of the disc is song 0; the two seconds before LBA 0, which every disc has,
// are not part of it.
func Songs(l *disc.Layout) []Song {
	var songs []Song
	for i := range l.Sessions {
		tracks := l.Sessions[i].Tracks
		var before *Song // that a gap can end
		for j := range tracks {
			t := &tracks[j]
			if t.Mode.IsData() {
				before = nil
				continue
			}
			own := Song{t.Number, t, t.Start, t.End}
			switch hidden := max(t.Begin(), 0); {
			case before != nil && before.End == t.Begin():
				before.End = t.Start
			case i > 0 || j > 0:
				own.Start = t.Begin()
			case hidden < t.Start:
				songs = append(songs, Song{0, t, hidden, t.Start})
			}
			songs = append(songs, own)
			before = &songs[len(songs)-1]
		}
	}
	return songs
}
