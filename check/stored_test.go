package check

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"spindle/disc"
)

// What is hashed is what the file has of each sector, whatever stands between, and no sector
// that stands in no file.
func TestHashStored(t *testing.T) {
	const each, n = 2048, 700
	file := make([]byte, 2*each*n)
	for i := range file {
		file[i] = byte(i * 31 / 7)
	}
	gaps := sha256.New()
	for i := range n {
		gaps.Write(file[2*each*i:][:each])
	}
	plain := sha256.Sum256(file[:each*n])
	for name, test := range map[string]struct {
		stride int
		want   string
	}{
		"plain":   {0, hex.EncodeToString(plain[:])},
		"strided": {2 * each, hex.EncodeToString(gaps.Sum(nil))},
	} {
		img, err := disc.NewImage(disc.Contents{
			Layout: &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: n + 5, Tracks: []disc.Track{
				{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: n + 5}}}}},
			Extents: []disc.Extent{
				{Count: n, Source: bytes.NewReader(file), Form: disc.FormBlock, Stride: test.stride},
				{First: n, Count: 5, Form: disc.FormBlock},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if sum, size, err := HashStored(context.Background(), img, nil); err != nil || sum != test.want || size != each*n {
			t.Errorf("%s: %s, %d, %v", name, sum, size, err)
		}
	}
}
