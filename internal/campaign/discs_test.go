package campaign

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"spindle/disc"
	"spindle/internal/testdisc"
)

const dataSectors = 700

// dataDisc has one track of data.
func dataDisc(t testing.TB, medium disc.Medium) disc.Image {
	t.Helper()
	form := disc.FormBlock
	if medium == disc.CD {
		form = disc.FormMode1
	}
	l := &disc.Layout{Medium: medium, Sessions: []disc.Session{{Number: 1, LeadOut: dataSectors, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: dataSectors}}}}}
	return extents(t, l, disc.Extent{Count: dataSectors, Source: testdisc.Pattern{}, Form: form})
}

// silence is how many sectors of it are at either end of the audio disc.
const silence = 3

// damagedAt is a sector in the middle of a track of the audio disc.
const damagedAt = 700

// audioDisc has two tracks of audio and all that goes with them.
func audioDisc(t testing.TB) disc.Image {
	t.Helper()
	text := disc.TextBlock{Language: disc.LanguageEnglish}
	text.SetText(disc.PackTitle, 0, "Campaign")
	packs, err := disc.EncodeCDText([]disc.TextBlock{text}, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	l := &disc.Layout{MCN: "4012345678901", CDText: packs, Sessions: []disc.Session{{Number: 1, LeadOut: 1200, Tracks: []disc.Track{
		{Number: 1, End: 550, ISRC: "GBAYE6700001"},
		{Number: 2, Pregap: 50, Start: 600, Indexes: []disc.LBA{800}, End: 1200, ISRC: "GBAYE6700002"},
	}}}}
	// It begins and ends with silence, as discs do: a drive with a read offset does
	// not give the last samples.
	return extents(t, l, disc.Extent{Count: silence, Form: disc.FormRaw},
		disc.Extent{First: silence, Count: 1200 - 2*silence, Source: testdisc.Pattern{}, Form: disc.FormRaw},
		disc.Extent{First: 1200 - silence, Count: silence, Form: disc.FormRaw})
}

func extents(t testing.TB, l *disc.Layout, e ...disc.Extent) disc.Image {
	t.Helper()
	img, err := disc.NewExtentImage(l, e)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// content names what goes with the sectors of a CD.
func content(l *disc.Layout) string {
	s := fmt.Sprintf("mcn=%s text=%d", l.MCN, len(l.CDText))
	for _, t := range l.Tracks() {
		s += fmt.Sprintf(" %d:%s/%d", t.Number, t.ISRC, len(t.Indexes))
	}
	return s
}

// differences are the sectors in which two images differ.
func differences(want, got disc.Image) (different []disc.LBA, err error) {
	ctx := context.Background()
	n := want.Layout().End()
	if l := got.Layout(); l == nil || l.End() < n {
		return nil, fmt.Errorf("the layout is %+v", l)
	}
	size := want.Layout().Medium.SectorSize()
	a, b := make([]byte, size), make([]byte, size)
	for at := range n {
		if err := want.ReadSectors(ctx, a, at); err != nil {
			return nil, err
		}
		if err := got.ReadSectors(ctx, b, at); err != nil {
			return nil, err
		}
		if !bytes.Equal(a, b) {
			different = append(different, at)
		}
	}
	return different, nil
}
