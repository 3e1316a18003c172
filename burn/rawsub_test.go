package burn

import (
	"bytes"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// Raw writing sends the sub-channels that are saved with an image, wrong on purpose or not.
func TestRawSavedSubchannels(t *testing.T) {
	const sectors = 300
	l := &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{{Number: 1, LeadOut: sectors, Tracks: []disc.Track{{Number: 1, End: sectors}}}}}
	saved := make([]byte, sectors*cdsector.SubSize)
	for i := range saved {
		saved[i] = byte(i * i >> 2)
	}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Source: bytes.NewReader(make([]byte, sectors*cdsector.Size)),
		Sub: &disc.SubExtent{Source: bytes.NewReader(saved)}}})
	if err != nil {
		t.Fatal(err)
	}
	maker := newRawMaker(ImageSource("", img), -20000)
	for _, test := range []struct {
		at    disc.LBA
		saved bool
	}{{-20000, false}, {-1, false}, {0, true}, {150, true}, {sectors - 1, true}, {sectors, false}} {
		var p [cdsector.Size + cdsector.SubSize]byte
		if err := maker.read(t.Context(), p[:], test.at); err != nil {
			t.Fatal(err)
		}
		var sub [cdsector.SubSize]byte
		cdsector.Deinterleave(&sub, (*[cdsector.SubSize]byte)(p[cdsector.Size:]))
		if test.saved {
			if want := saved[int(test.at)*cdsector.SubSize:][:cdsector.SubSize]; !bytes.Equal(sub[:], want) {
				t.Errorf("sector %d: % x, want % x", test.at, sub, want)
			}
			continue
		}
		if _, err := cdsector.DecodeQ((*[cdsector.QSize]byte)(sub[cdsector.QSize:])); err != nil && test.at > -20000 {
			t.Errorf("sector %d: %v", test.at, err)
		}
	}
}
