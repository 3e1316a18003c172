package album

import (
	"slices"
	"testing"

	"spindle/disc"
	"spindle/internal/testdisc/testimage"
)

// What a text says of the album counts for each song, whatever the disc says of it; what it
// says of a song counts more.
func TestTextOverDisc(t *testing.T) {
	img := testimage.Open(t, "audio")
	l := *img.Layout()
	texts := make([]string, len(l.Tracks())+1)
	for i := range texts {
		texts[i] = "CD-TEXT"
	}
	packs, err := disc.EncodeCDText([]disc.TextBlock{{Texts: map[disc.PackType][]string{
		disc.PackTitle: texts, disc.PackPerformer: texts, disc.PackComposer: texts,
	}}}, 1, len(l.Tracks()))
	if err != nil {
		t.Fatal(err)
	}
	l.CDText = packs
	const sheet = "FILE x.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nPERFORMER Own\nINDEX 01 00:10:00\nTRACK 03 AUDIO\nINDEX 01 00:20:00\nTRACK 04 AUDIO\nINDEX 01 00:30:00\n"
	for name, test := range map[string]struct {
		text, album string
		artists     []string
		composer    string
		title       string
	}{
		"nothing":         {"", "CD-TEXT", []string{"CD-TEXT", "CD-TEXT"}, "CD-TEXT", "CD-TEXT"},
		"artist":          {"ARTIST=Top\n[2]\nARTIST=Own\n", "Top", []string{"Top", "Own"}, "CD-TEXT", "CD-TEXT"},
		"a compilation":   {"ALBUMARTIST=Various\n", "Various", []string{"CD-TEXT", "CD-TEXT"}, "CD-TEXT", "CD-TEXT"},
		"both":            {"ALBUMARTIST=Various\nARTIST=Top\n", "Various", []string{"Top", "Top"}, "CD-TEXT", "CD-TEXT"},
		"composer":        {"COMPOSER=Top\n", "CD-TEXT", []string{"CD-TEXT", "CD-TEXT"}, "Top", "CD-TEXT"},
		"no composer":     {"COMPOSER=\n", "CD-TEXT", []string{"CD-TEXT", "CD-TEXT"}, "", "CD-TEXT"},
		"a song's artist": {"[1]\nARTIST=Own\n", "CD-TEXT", []string{"Own", "CD-TEXT"}, "CD-TEXT", "CD-TEXT"},
		"sheet":           {"PERFORMER Top\nTITLE x\n" + sheet, "Top", []string{"Top", "Own"}, "CD-TEXT", "CD-TEXT"},
		"sheet, songs":    {sheet, "CD-TEXT", []string{"CD-TEXT", "Own"}, "CD-TEXT", "CD-TEXT"},
	} {
		a := Of(&l)
		if err := a.Apply([]byte(test.text)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := []string{a.comments(&a.Songs[0]).Get("ARTIST"), a.comments(&a.Songs[1]).Get("ARTIST")}
		one := a.comments(&a.Songs[0])
		if a.Artist() != test.album || !slices.Equal(got, test.artists) || one.Get("COMPOSER") != test.composer || one.Get("TITLE") != test.title {
			t.Errorf("%s: %q, %q, %v", name, a.Artist(), got, one)
		}
	}
}
