package dat

import (
	"errors"
	"io"
	"strings"

	"spindle/disc/digest"
)

// A Match is what DAT files say about a disc.
type Match struct {
	Name string // of the disc; empty: none lists it
	// Near is a disc of which some of the tracks, but not all, are those that were looked
	// for. It is empty where there is none, or where Name is not.
	Near string
	// Differ are the numbers of the tracks that are others, or missing, in Near.
	Differ []int
	Tracks int    // that were looked for
	File   string // the DAT file that lists Name or Near, where an index knows it
}

// Find looks for a disc in a DAT file, which is read as a stream. The errors are those of
// [Reader.Next].
func Find(r io.Reader, d Disc) (Match, error) {
	m := Match{Tracks: len(d.Tracks)}
	games := NewReader(r)
	for {
		g, err := games.Next()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return Match{}, err
		}
		if m.take(g, d) {
			return m, nil
		}
	}
}

// take compares a game with the disc, and reports whether it is that.
func (m *Match) take(g *Game, d Disc) bool {
	if g.is(d) {
		m.Name, m.Near, m.Differ = g.Name, "", nil
		return true
	}
	if differ := g.differences(d); len(differ) < m.Tracks && (m.Near == "" || len(differ) < len(m.Differ)) {
		m.Near, m.Differ = g.Name, differ
	}
	return false
}

// is reports whether the files of a game that hold sectors are the tracks, or the whole, of
// the disc.
func (g *Game) is(d Disc) bool {
	roms := g.tracks()
	if len(roms) == 1 && roms[0].is(d.Whole) {
		return true
	}
	return len(roms) == len(d.Tracks) && len(g.differences(d)) == 0
}

// differences returns the numbers of the tracks of the disc that are not those of the game.
func (g *Game) differences(d Disc) []int {
	roms := g.tracks()
	var differ []int
	for i, t := range d.Tracks {
		if i >= len(roms) || !roms[i].is(t.Sums) {
			differ = append(differ, t.Number)
		}
	}
	return differ
}

// is compares by the strongest hash that the DAT file states.
func (r ROM) is(s digest.Sums) bool {
	switch {
	case r.Size != 0 && r.Size != s.Size:
		return false
	case r.SHA1 != "":
		return strings.EqualFold(r.SHA1, s.SHA1)
	case r.MD5 != "":
		return strings.EqualFold(r.MD5, s.MD5)
	}
	return r.CRC32 != "" && strings.EqualFold(r.CRC32, s.CRC32)
}
