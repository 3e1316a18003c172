package folder

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"spindle/album"
	"spindle/cue"
	"spindle/disc"
)

// codesOf takes over the ISRCs that a sheet states of tracks. One that cannot be read states none.
func codesOf(l *disc.Layout, sheet []byte) *disc.Layout {
	l = l.Clone()
	var codes [100]string
	if s, err := cue.Parse(bytes.NewReader(sheet)); err == nil {
		for i := range s.Tracks {
			codes[s.Tracks[i].Number%len(codes)] = s.Tracks[i].ISRC
		}
	}
	for _, t := range l.Tracks() {
		t.ISRC = codes[t.Number%len(codes)]
	}
	return l
}

// states reports whether a sheet of which the log has no checksum, as logs of early versions have none, states nothing that
// would be lost with it: it has the texts of the album, and the tracks where the log says that its songs are. Gaps, indexes
// and codes are those of the disc, which are compared, or read again.
func (p *Plan) states(text []byte, a *album.Album) bool {
	was, err := cue.Parse(bytes.NewReader(text))
	if err != nil || len(p.songs) == 0 {
		return false
	}
	now, err := cue.Parse(bytes.NewReader(a.Sheet(p.songs).Bytes()))
	if err != nil || was.Text != now.Text || len(was.Tracks) != len(now.Tracks) {
		return false
	}
	for _, c := range was.Comments {
		if !slices.Contains(now.Comments, c) {
			return false
		}
	}
	for i := range was.Tracks {
		if !sameTrack(was, now, i) {
			return false
		}
	}
	return true
}

// sameTrack reports whether two sheets have the same texts of a track, and the same place.
func sameTrack(a, b *cue.Sheet, i int) bool {
	x, y := &a.Tracks[i], &b.Tracks[i]
	file, frame := begins(a, x)
	otherFile, otherFrame := begins(b, y)
	return x.Number == y.Number && x.Type == y.Type && x.Text == y.Text && len(x.Comments) == 0 &&
		file == otherFile && frame == otherFrame
}

// begins says where a track has its INDEX 01: in which file, without its suffix, as an
// absent one may get another.
func begins(s *cue.Sheet, t *cue.Track) (file string, frame int) {
	for _, x := range t.Indexes {
		if x.Number == 1 {
			name := s.Files[x.File].Name
			return strings.TrimSuffix(name, path.Ext(name)), x.Frame
		}
	}
	return "", 0
}
