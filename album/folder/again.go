package folder

import (
	"slices"

	"spindle/album"
	"spindle/disc"
	"spindle/image/riplog"
)

// Songs that a rip read once, and that nothing proves, are made again where that is asked for: what is read now takes their place
// only if it is right. Until then they are compared with the disc as all that is there.

// once reports whether a song was read once, and nothing proves it, nor anything that this version knows. One of an image may be proven elsewhere, and what was repaired is not
// read again, as no drive may give it.
func once(s *riplog.Song) bool {
	by := s.Proof.By
	return !s.Data && !s.Proof.Repaired && (by == riplog.OneRead || by == riplog.Unproven || by == riplog.Unknown)
}

// Once returns the songs that are there, and as their log says, but were read once, and that nothing proves.
func (p *Plan) Once() (songs []riplog.Song) {
	for i := range p.same {
		if once(&p.same[i]) {
			songs = append(songs, p.same[i])
		}
	}
	return songs
}

// again takes a song that is there, and as its log says, for one to be made again, if it is such a song.
func (p *Plan) again(s *riplog.Song) {
	if p.Force || len(s.Flaws) > 0 || !once(s) {
		return
	}
	p.Again, p.same = append(p.Again, *s), append(p.same, *s)
	p.Own = append(p.Own, p.paths(s)...)
}

// Yield lets the songs stay that were to be made again, and some sectors of which the new reading has not right. It returns
// them.
func (p *Plan) Yield(bad func(first, end disc.LBA) bool) (stays []riplog.Song) {
	p.Again = slices.DeleteFunc(p.Again, func(s riplog.Song) bool {
		if !bad(s.First, s.End) {
			return false
		}
		stays = append(stays, s)
		return true
	})
	if len(stays) == 0 {
		return nil
	}
	p.whole = false
	p.Kept = append(p.Kept, stays...)
	slices.SortFunc(p.Kept, func(a, b riplog.Song) int { return int(a.First) - int(b.First) })
	p.makes = slices.DeleteFunc(p.makes, func(n int) bool { return p.keeps(n, false) })
	return stays
}

// A Wrong is a song that stays, and is not right.
type Wrong struct {
	riplog.Song
	Found album.Finding // [album.Same]: the log calls sectors of it not right
	Err   error         // why it is [album.Unreadable]
}
