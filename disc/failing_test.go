package disc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"spindle/disc"
)

// failing has so many bytes, and then none that can be read.
type failing int64

var errBlock = errors.New("a damaged block")

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if n := int64(f) - at; n < int64(len(p)) {
		return int(max(0, n)), errBlock
	}
	return len(p), nil
}

// An error names the sector that cannot be read, not the first of those that were asked for.
func TestErrorNamesSector(t *testing.T) {
	for name, stride := range map[string]int{"user data": 2048, "sectors": 2352, "with sub-channels": 2448} {
		t.Run(name, func(t *testing.T) {
			form := disc.FormRaw
			if stride == 2048 {
				form = disc.FormMode1
			}
			const good = 70
			l := &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{{
				Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 100}}, LeadOut: 100,
			}}}
			img, err := disc.NewImage(disc.Contents{Layout: l, Extents: []disc.Extent{
				{First: 0, Count: 100, Source: failing(good*stride + 9), Form: form, Stride: stride},
			}})
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("sector %d: ", good)
			if err := img.ReadSectors(t.Context(), make([]byte, 90*2352), 5); !errors.Is(err, errBlock) || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v", err)
			}
			if handled, err := img.ReadUser(t.Context(), make([]byte, 90*2048), 5); handled && (!errors.Is(err, errBlock) || !strings.HasPrefix(err.Error(), want)) {
				t.Errorf("%v", err)
			}
		})
	}
}
