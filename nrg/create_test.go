package nrg

import (
	"bytes"
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/image/format"

	"github.com/google/go-cmp/cmp"
)

// blocks is an image of a DVD or a BD.
func blocks(t *testing.T, m disc.Medium, sectors int) disc.Image {
	t.Helper()
	b := make([]byte, sectors*2048)
	for i := range sectors {
		binary.LittleEndian.PutUint32(b[i*2048:], uint32(i))
	}
	l := &disc.Layout{Medium: m, Sessions: []disc.Session{{
		Number: 1, LeadOut: disc.LBA(sectors), Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(sectors)}},
	}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Source: bytes.NewReader(b), Form: disc.FormBlock}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A DVD is one again when its image is opened, however small it is.
func TestCreateOfBlocks(t *testing.T) {
	for _, m := range []disc.Medium{disc.DVD, disc.BD} {
		img := blocks(t, m, 500)
		path := filepath.Join(t.TempDir(), "x.nrg")
		f, err := format.ForSuffix(".nrg")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := format.Create(context.Background(), f, path, img, format.Options{}); err != nil {
			t.Fatal(err)
		}
		back, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(img.Layout(), back.Layout()); diff != "" {
			t.Errorf("%v: %s", m, diff)
		}
		a, b := make([]byte, 500*2048), make([]byte, 500*2048)
		if err := img.ReadSectors(a, 0); err != nil {
			t.Fatal(err)
		}
		if err := back.ReadSectors(b, 0); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%v: other sectors (%v)", m, err)
		}
		back.Close()
	}
}
