package album

import (
	"testing"

	"spindle/disc"
)

// later is the second disc of a set, whose tracks are 13 and 14.
func later(t *testing.T) *disc.Layout {
	t.Helper()
	l := record(t)
	l.Sessions[0].Tracks = l.Sessions[0].Tracks[:2]
	l.Sessions[0].LeadOut = l.Sessions[0].Tracks[1].End
	block := disc.TextBlock{Language: disc.LanguageEnglish}
	for n, s := range map[int]string{0: "Album", 13: "One", 14: "Two"} {
		block.SetText(disc.PackTitle, n, s)
	}
	var err error
	if l.CDText, err = disc.EncodeCDText([]disc.TextBlock{block}, 13, 14); err != nil {
		t.Fatal(err)
	}
	for i := range l.Sessions[0].Tracks {
		l.Sessions[0].Tracks[i].Number = 13 + i
	}
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	return l
}

// Where the first track is not number 1, all that names songs is given to the right ones: CD-TEXT by the number,
// sheets and releases, which may count from 1, by the order.
func TestFirstTrackIsNotOne(t *testing.T) {
	const tracks = "FILE x.wav WAVE\n  TRACK 01 AUDIO\n    TITLE One\n    INDEX 01 00:00:00\n  TRACK 02 AUDIO\n    TITLE Two\n    ISRC DEA120000002\n    INDEX 01 00:02:00\n"
	release := &Release{Tags: Tags{{"ALBUM", "Album"}, {"TRACKTOTAL", "2"}}, Songs: map[int]Tags{0: {{"TITLE", "Hidden"}}, 1: {{"TITLE", "One"}}, 2: {{"TITLE", "Two"}}}}
	for name, apply := range map[string]func(*Album) error{
		"CD-TEXT": func(*Album) error { return nil },
		"sheet":   func(a *Album) error { return a.Apply([]byte(tracks)) },
		"release": func(a *Album) error { a.ApplyRelease(release); return nil },
	} {
		l := later(t)
		if name != "CD-TEXT" {
			l.CDText = nil
		}
		a := Of(l)
		if err := apply(a); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, want := range []string{"One", "Two"} {
			s := &a.Songs[i+1] // behind what is hidden
			tags := a.comments(s)
			if tags.Get("TITLE") != want || s.Number != 13+i || tags.Get("TRACKTOTAL") != "14" {
				t.Errorf("%s: song %d: %v", name, s.Number, tags)
			}
		}
		if got := a.comments(&a.Songs[0]).Get("TITLE"); name == "release" && got != "Hidden" {
			t.Errorf("%s: what is hidden is called %q", name, got)
		}
	}
}
