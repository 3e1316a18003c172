package disc

import "slices"

// Clone returns a copy of the layout that shares nothing with it.
func (l *Layout) Clone() *Layout {
	c := *l
	c.CDText = slices.Clone(l.CDText)
	c.Sessions = slices.Clone(l.Sessions)
	for i := range c.Sessions {
		tracks := slices.Clone(c.Sessions[i].Tracks)
		for j := range tracks {
			tracks[j].Indexes = slices.Clone(tracks[j].Indexes)
		}
		c.Sessions[i].Tracks = tracks
	}
	return &c
}
