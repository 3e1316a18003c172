// Package album makes an audio CD into songs: a sound file for each, named and tagged,
// with a CUE sheet that puts the disc together again.
//
// The songs of a disc are whole: every sample of its audio is in one of them, gaps
// included (see [audio.Songs]).
package album

import (
	"cmp"
	"slices"
	"strconv"

	"spindle/disc"
	"spindle/image/audio"
)

// An Album is an audio CD, or one that has audio among other things, and what is known of
// its songs.
type Album struct {
	Layout *disc.Layout
	Tags   Tags // of the album: ALBUM, ALBUMARTIST, DATE and so on
	Songs  []Song

	renamed bool // by Apply
}

// A Song is a song of an album, or what is hidden before the first (number 0).
type Song struct {
	audio.Song
	Tags Tags // its own: TITLE, ARTIST, ISRC and so on
}

// Of finds the songs of a disc, and names them by its CD-TEXT, in the first language that
// it has. A disc without audio gives an album without songs.
func Of(l *disc.Layout) *Album {
	a := &Album{Layout: l}
	var text disc.TextBlock
	if blocks := l.Texts(); len(blocks) > 0 {
		text = blocks[0]
	}
	a.Tags.Set("ALBUM", text.Text(disc.PackTitle, 0))
	a.Tags.Set("ALBUMARTIST", text.Text(disc.PackPerformer, 0))
	a.Tags.Set("GENRE", text.Genre)
	a.Tags.Set("MCN", l.MCN)
	for _, s := range audio.Songs(l) {
		song := Song{Song: s}
		if n := s.Number; n > 0 { // in CD-TEXT, 0 is the album
			song.Tags.Set("TITLE", text.Text(disc.PackTitle, n))
			song.Tags.Set("ARTIST", text.Text(disc.PackPerformer, n))
			song.Tags.Set("COMPOSER", text.Text(disc.PackComposer, n))
			song.Tags.Set("LYRICIST", text.Text(disc.PackSongwriter, n))
			song.Tags.Set("ARRANGER", text.Text(disc.PackArranger, n))
			song.Tags.Set("ISRC", s.Track.ISRC)
		}
		a.Songs = append(a.Songs, song)
	}
	return a
}

// Title returns what the album is called, or "".
func (a *Album) Title() string { return a.Tags.Get("ALBUM") }

// Artist returns whose it is, or "".
func (a *Album) Artist() string { return cmp.Or(a.Tags.Get("ALBUMARTIST"), a.Tags.Get("ARTIST")) }

// numbers are those of the first and the last track of the disc.
func (a *Album) numbers() (first, last int) {
	tracks := a.Layout.Tracks()
	if len(tracks) == 0 {
		return 1, 0
	}
	return tracks[0].Number, tracks[len(tracks)-1].Number
}

// comments are the tags of a song's file: its own, and the album's where it has none of
// that name.
func (a *Album) comments(s *Song) Tags {
	t := slices.Clone(s.Tags)
	for _, x := range a.Tags {
		if s.Tags.Get(x.Name) == "" {
			t = append(t, x)
		}
	}
	_, last := a.numbers()
	for _, x := range []Tag{
		{"ARTIST", a.Artist()},
		{"TRACKNUMBER", strconv.Itoa(s.Number)},
		{"TRACKTOTAL", strconv.Itoa(last)}, // which is not their count where the first is not 1
	} {
		if t.Get(x.Name) == "" {
			t.Set(x.Name, x.Value)
		}
	}
	return t
}
