package ctdb

import (
	"cmp"
	"context"
)

// A Match is how a disc came out beside an entry.
type Match struct {
	Entry *Entry
	// Found reports whether the audio of the entry was found on the disc, whole or in part. At Offset,
	// in samples, the disc has its samples so many later than the entry.
	Found  bool
	Offset int
	Same   bool   // the disc is the same
	Tracks []bool // the tracks that are the same

	guess int // the offset at which one track is the same
}

// Judge compares the disc, all of which was written, with entries of the same audio tracks; id is
// the TOCID of the disc. Entries of other discs are left out. A CRC of 0 is none. The
// error is that of ctx.
func (m *Meter) Judge(ctx context.Context, entries []Entry, id string) ([]Match, error) {
	var matches []Match
	for i := range entries {
		e := &entries[i]
		ids, err := e.TOC.IDs()
		if err == nil && ids.CTDB == id && (len(e.TrackCRCs) == 0 || len(e.TrackCRCs) == len(m.tracks)) {
			matches = append(matches, Match{Entry: e, Tracks: make([]bool, len(m.tracks))})
		}
	}
	votes := m.votes(matches)
	searches := 0
	for i := range matches {
		x := &matches[i]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.whole(x)
		if !x.Found {
			m.byVotes(x, votes[i])
		}
		if !x.Found && searches < maxSearches {
			searches++
			x.Offset, x.Found = m.search(ctx, x.Entry.syndrome)
		}
		for t := range x.Tracks {
			x.Tracks[t] = x.Same || x.Found && m.sameTrack(x, t)
		}
	}
	return matches, ctx.Err()
}

// maxSearches is for how many entries all offsets are decoded.
const maxSearches = 16

func (m *Meter) sameTrack(x *Match, t int) bool {
	if t >= len(x.Entry.TrackCRCs) {
		return false
	}
	crc, ok := m.tracks[t].at(int64(x.Offset))
	return ok && crc != 0 && crc == x.Entry.TrackCRCs[t]
}

// whole looks for the whole disc.
func (m *Meter) whole(x *Match) {
	for o, crc := range m.disc.all() {
		if crc == x.Entry.CRC && crc != 0 && m.alike(x.Entry.syndrome, o, 0) && m.confirmed(x, o) {
			x.Found, x.Same, x.Offset = true, true, o
			return
		}
	}
}

// confirmed reports whether more than the CRC of the disc fits at an offset other than 0: among thousands
// of them, one may fit by chance.
func (m *Meter) confirmed(x *Match, o int) bool {
	if o == 0 || len(x.Entry.syndrome) >= minParity {
		return true
	}
	at := Match{Entry: x.Entry, Offset: o}
	for t := range m.tracks {
		if m.sameTrack(&at, t) {
			return true
		}
	}
	return false
}

// alike reports whether column 0 has a syndrome at an offset, but for some errors. A syndrome that is
// not known fits.
func (m *Meter) alike(s []uint16, o, errs int) bool {
	if len(s) == 0 {
		return true
	}
	d := decoder{rows: m.rows}
	n := errsIn(&d, m.column(0, o), s)
	return n >= 0 && n <= errs
}

// errsIn counts the wrong words by which a column has another syndrome than it should have, or returns
// -1 where these are not fewer than parity can tell from chance.
func errsIn(d *decoder, own syndrome, stated []uint16) int {
	n := len(stated)
	for i := range own {
		if i < n {
			own[i] ^= stated[i]
		} else {
			own[i] = 0
		}
	}
	if _, degree := d.locate(&own, n, nil); 2*degree >= n {
		return -1
	}
	errs, ok := d.decode(&own, n, nil)
	if !ok {
		return -1
	}
	return len(errs)
}

// votes returns, for each match, how many tracks are the same at each offset. Tracks of silence are
// the same at each offset, and have no vote.
func (m *Meter) votes(matches []Match) []map[int]int {
	votes := make([]map[int]int, len(matches))
	for i := range votes {
		votes[i] = make(map[int]int)
	}
	for t := range m.tracks {
		byCRC := make(map[uint32][]int)
		for i := range matches {
			if crcs := matches[i].Entry.TrackCRCs; t < len(crcs) && crcs[t] != 0 {
				byCRC[crcs[t]] = append(byCRC[crcs[t]], i)
			}
		}
		a, _ := m.tracks[t].at(0)
		if b, ok := m.tracks[t].at(1); len(byCRC) == 0 || !ok || a == b {
			continue
		}
		for o, crc := range m.tracks[t].all() {
			for _, i := range byCRC[crc] {
				votes[i][o]++
			}
		}
	}
	return votes
}

// byVotes takes the offset at which most tracks are the same. One track among
// thousands of offsets may be the same by chance: then column 0 has to be, too.
func (m *Meter) byVotes(x *Match, votes map[int]int) {
	best := 0
	for o, n := range votes {
		if c := cmp.Or(n-votes[best], best*best-o*o, o-best); c > 0 {
			best = o
		}
	}
	n := votes[best]
	x.guess = best
	switch s := x.Entry.syndrome; {
	case n == 0:
	case n > 1, len(s) >= minParity && m.alike(s, best, len(s)/2-1):
		x.Found, x.Offset = true, best
	}
}

// search looks for the offset at which column 0 has a syndrome, with the fewest errors that can be decoded.
func (m *Meter) search(ctx context.Context, stated []uint16) (offset int, ok bool) {
	d := decoder{rows: m.rows}
	fewest := len(stated)
	if fewest < minParity {
		return 0, false
	}
	for i := range 2*MaxOffset + 1 {
		o := nearest(i)
		if n := errsIn(&d, m.column(0, o), stated); n >= 0 && n < fewest {
			fewest, offset = n, o
		}
		if fewest == 0 || ctx.Err() != nil {
			break
		}
	}
	return offset, fewest < len(stated)
}
