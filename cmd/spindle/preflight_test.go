package main

import (
	"bytes"
	"testing"

	"spindle/disc"
)

// Each data track counts, not only the first one.
func TestStoresEDC(t *testing.T) {
	file := bytes.NewReader(make([]byte, 600*2352))
	for _, test := range []struct {
		first, second disc.Form
		want          bool
	}{
		{disc.FormMode1, disc.FormMode1, false},
		{disc.FormRaw, disc.FormMode1, true},
		{disc.FormMode1, disc.FormRaw, true},
	} {
		l := &disc.Layout{Sessions: []disc.Session{{Number: 1, LeadOut: 600, Tracks: []disc.Track{
			{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 300},
			{Number: 2, Mode: disc.Mode1, Control: disc.DataTrack, Start: 300, End: 600},
		}}}}
		img, err := disc.NewExtentImage(l, []disc.Extent{
			{Count: 300, Source: file, Form: test.first},
			{First: 300, Count: 300, Source: file, Form: test.second},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := storesEDC(img); got != test.want {
			t.Errorf("forms %v and %v: %t", test.first, test.second, got)
		}
	}
}
