package album

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image/audio"

	"github.com/google/go-cmp/cmp"
)

const discOf = "QTwL8UcZuqb7pxEYFgsq4C0bvn4-"

// An answer about discOf: a release of another medium only, one of two media, and one with a barcode.
const answer = `{"id":"` + discOf + `","sectors":60000,"offsets":[150],"releases":[
 {"id":"r0","title":"Not this disc","media":[{"position":1,"discs":[{"id":"other"}]}]},
 {"id":"r1","title":"Songs\u0007 of\nnobody","date":"2001-02","barcode":null,"release-group":{"id":"g1","primary-type":"Album"},
  "artist-credit":[{"name":"A","joinphrase":" & ","artist":{"id":"a1","name":"A"}},{"name":"B","joinphrase":"","artist":{"id":"a2","name":"Bee"}}],
  "label-info":[{"catalog-number":"L 1","label":{"id":"l1","name":"Label"}},{"catalog-number":"L 2","label":{"id":"l1","name":"Label"}},{"catalog-number":null,"label":null}],
  "media":[
   {"position":1,"discs":[{"id":"other"}],"tracks":[]},
   {"position":2,"title":"Live","format":"CD","discs":[{"id":"more"},{"id":"` + discOf + `"}],
    "pregap":{"id":"t0","position":0,"title":"Before","recording":{"id":"q0"}},
    "tracks":[
     {"id":"t1","position":1,"number":"1","title":"One","length":1000,"artist-credit":[{"name":"A","artist":{"id":"a1"}}],"recording":{"id":"q1","title":"one"}},
     {"id":"t2","position":2,"title":"Two","artist-credit":[{"name":"B","artist":{"id":"a2"}}],"recording":{"id":"q2"}}]}]},
 {"id":"r2","title":"Again","barcode":"012345678905","media":[{"position":1,"discs":[],"tracks":[{"position":1,"title":"Uno"}]}]}
]}`

func TestParseRelease(t *testing.T) {
	r, err := ParseRelease([]byte(answer), discOf, "")
	if err != nil {
		t.Fatal(err)
	}
	want := &Release{
		Among: 2,
		Tags: Tags{
			{"ALBUM", "Songs  of nobody"}, {"ALBUMARTIST", "A & B"}, {"DATE", "2001-02"}, {"TRACKTOTAL", "2"},
			{"DISCNUMBER", "2"}, {"DISCTOTAL", "2"}, {"DISCSUBTITLE", "Live"},
			{"LABEL", "Label"}, {"CATALOGNUMBER", "L 1"}, {"CATALOGNUMBER", "L 2"},
			{"MUSICBRAINZ_DISCID", discOf}, {"MUSICBRAINZ_ALBUMID", "r1"}, {"MUSICBRAINZ_RELEASEGROUPID", "g1"},
			{"MUSICBRAINZ_ALBUMARTISTID", "a1"}, {"MUSICBRAINZ_ALBUMARTISTID", "a2"},
		},
		Songs: map[int]Tags{
			0: {{"TITLE", "Before"}, {"MUSICBRAINZ_TRACKID", "q0"}, {"MUSICBRAINZ_RELEASETRACKID", "t0"}},
			1: {{"TITLE", "One"}, {"ARTIST", "A"}, {"MUSICBRAINZ_TRACKID", "q1"}, {"MUSICBRAINZ_RELEASETRACKID", "t1"}, {"MUSICBRAINZ_ARTISTID", "a1"}},
			2: {{"TITLE", "Two"}, {"ARTIST", "B"}, {"MUSICBRAINZ_TRACKID", "q2"}, {"MUSICBRAINZ_RELEASETRACKID", "t2"}, {"MUSICBRAINZ_ARTISTID", "a2"}},
		},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
}

// The catalogue number of the disc, an EAN, is the barcode of a release, a UPC.
func TestReleaseByBarcode(t *testing.T) {
	for mcn, want := range map[string]string{
		"0012345678905": "Again", "0000000000000": "Songs  of nobody", "9999999999999": "Songs  of nobody",
	} {
		r, err := ParseRelease([]byte(answer), discOf, mcn)
		if err != nil || r.Tags.Get("ALBUM") != want || r.ByBarcode != (want == "Again") {
			t.Errorf("%s: %+v, %v", mcn, r, err)
		}
	}
}

func TestBadRelease(t *testing.T) {
	release := func(fields string) string { return `{"id":"` + discOf + `","releases":[{` + fields + `}]}` }
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"nothing":      {"", ErrRelease},
		"page":         {"<html>", ErrRelease},
		"another":      {`{"id":"x","releases":[]}`, ErrRelease},
		"error":        {`{"error":"Not Found"}`, ErrRelease},
		"list":         {`[]`, ErrRelease},
		"two":          {answer + answer, ErrRelease},
		"long text":    {release(`"title":"` + strings.Repeat("x", mostText+1) + `"`), ErrRelease},
		"deep":         {release(`"title":` + strings.Repeat("[", 20000)), ErrRelease},
		"wrong type":   {release(`"title":5`), ErrRelease},
		"none":         {`{"id":"` + discOf + `"}`, ErrNoRelease},
		"no title":     {release(`"media":[{"tracks":[]}]`), ErrNoRelease},
		"no medium":    {release(`"title":"T"`), ErrNoRelease},
		"which medium": {release(`"title":"T","media":[{"position":1},{"position":2}]`), ErrNoRelease},
	} {
		if _, err := ParseRelease([]byte(test.text), discOf, ""); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range answer {
		if _, err := ParseRelease([]byte(answer[:i]), discOf, ""); err == nil {
			t.Errorf("cut at byte %d", i)
		}
	}
	if _, err := ParseRelease(make([]byte, MaxRelease+1), discOf, ""); !errors.Is(err, ErrRelease) {
		t.Error(err)
	}
}

// MusicBrainz stands over CD-TEXT, and a file of tags over both.
func TestPrecedence(t *testing.T) {
	a := &Album{Layout: &disc.Layout{}, Tags: Tags{{"ALBUM", "CD-TEXT"}, {"GENRE", "Jazz"}}}
	for n := range 4 {
		a.Songs = append(a.Songs, Song{Song: audio.Song{Number: n}, Tags: Tags{{"TITLE", fmt.Sprint("CD-TEXT ", n)}, {"COMPOSER", "C"}}})
	}
	r, err := ParseRelease([]byte(answer), discOf, "")
	if err != nil {
		t.Fatal(err)
	}
	a.ApplyRelease(r)
	if err := a.Apply([]byte("DATE=1999\nLABEL=\n[2]\nTITLE=Mine")); err != nil {
		t.Fatal(err)
	}
	got := []string{a.Title(), a.Tags.Get("GENRE"), a.Tags.Get("DATE"), a.Tags.Get("LABEL")}
	for _, s := range a.Songs {
		got = append(got, s.Tags.Get("TITLE"), s.Tags.Get("COMPOSER"))
	}
	want := []string{"Songs  of nobody", "Jazz", "1999", "", "Before", "C", "One", "C", "Mine", "C", "CD-TEXT 3", "C"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParseRelease(f *testing.F) {
	f.Add([]byte(answer))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseRelease(b, discOf, ""); err == nil && r.Tags.Get("ALBUM") == "" {
			t.Error("a release without a title")
		}
	})
}
