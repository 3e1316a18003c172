package discid

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"spindle/disc"
	"spindle/internal/corpus"
)

// Discs as MusicBrainz states them, under their ids.
func TestRealDiscs(t *testing.T) {
	for _, path := range corpus.Glob(t, "audio/arver/discs/*.json") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var x struct {
			Disc struct {
				ID      string `json:"id"`
				Sectors string `json:"sectors"`
				Offsets []int  `json:"offset-list"`
			} `json:"disc"`
		}
		if err := json.Unmarshal(b, &x); err != nil {
			t.Fatal(err)
		}
		end, err := strconv.Atoi(x.Disc.Sectors)
		if err != nil {
			t.Fatal(err)
		}
		c := TOC{First: 1, LeadOut: disc.LBA(end - 150)}
		for _, o := range x.Disc.Offsets {
			c.Tracks = append(c.Tracks, Track{Start: disc.LBA(o - 150)})
		}
		if ids, err := c.IDs(); err != nil || ids.MusicBrainz != x.Disc.ID {
			t.Errorf("%s: %s, %v", path, ids.MusicBrainz, err)
		}
	}
}
