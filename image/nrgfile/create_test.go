package nrgfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
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
		back, err := format.OpenPath(context.Background(), path, openFile)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(img.Layout(), back.Layout()); diff != "" {
			t.Errorf("%v: %s", m, diff)
		}
		a, b := make([]byte, 500*2048), make([]byte, 500*2048)
		if err := img.ReadSectors(t.Context(), a, 0); err != nil {
			t.Fatal(err)
		}
		if err := back.ReadSectors(t.Context(), b, 0); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%v: other sectors (%v)", m, err)
		}
		back.Close()
	}
}

// A track of Mode 1 is stored as its user data where nothing is lost by that, and
// whole where a sector is not what it should be.
func TestCreateOfMode1(t *testing.T) {
	const sectors = 300
	good := make([]byte, sectors*cdsector.Size)
	for i := range sectors {
		s := (*[cdsector.Size]byte)(good[i*cdsector.Size:])
		m := disc.LBA(i).MSF()
		cdsector.SetHeader(s, m, 1)
		s[20] = byte(i)
		cdsector.Seal(s, cdsector.Mode1)
	}
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	last := (sectors - 1) * cdsector.Size
	for name, test := range map[string]struct {
		content []byte
		size    int64 // of a sector in the file
	}{
		"sound": {good, 2048}, "user data": {change(last+100, 9), 2352}, "address": {change(last+14, 0x11), 2352},
		"zeros": {change(last+2070, 1), 2352}, "Q parity": {change(last+2351, 1), 2352}, "mode": {change(last+15, 0x21), 2352},
	} {
		l := &disc.Layout{Sessions: []disc.Session{{
			Number: 1, LeadOut: sectors, Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: sectors}},
		}}}
		img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Source: bytes.NewReader(test.content)}})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "x.nrg")
		f, err := format.ForSuffix(".nrg")
		if err != nil {
			t.Fatal(err)
		}
		res, err := format.Create(context.Background(), f, path, img, format.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := (sectors + addr.Pregap) * test.size; res.Whole.Size != want {
			t.Errorf("%s: %d bytes of sectors, want %d", name, res.Whole.Size, want)
		}
		back, err := format.OpenPath(context.Background(), path, openFile)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(good))
		if err := back.ReadSectors(t.Context(), got, 0); err != nil || !bytes.Equal(got, test.content) {
			t.Errorf("%s: other sectors (%v)", name, err)
		}
		back.Close()
	}
}
