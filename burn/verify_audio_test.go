package burn

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// Audio is found by how late it is, and nothing that is not there is taken for right.
func TestLocateAndCut(t *testing.T) {
	p := make([]byte, 12*cdsector.Size)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(random.Uint32())
	}
	for _, late := range []int{0, 4, -4, 160, -2352, 4 * 2352} {
		from := 4*cdsector.Size + late
		want := bytes.Clone(p[from : from+4*cdsector.Size])
		got, found := locate(p, 96, 100, want)
		if !found || got != late {
			t.Errorf("late by %d: %d, %t", late, got, found)
		}
		if !bytes.Equal(cut(p, from, want), want) {
			t.Errorf("late by %d: cut", late)
		}
	}
	want := bytes.Repeat([]byte{1, 2, 3, 4}, cdsector.Size)
	if _, found := locate(p, 96, 100, want); found {
		t.Error("found what is not there")
	}
	for _, from := range []int{len(p), len(p) + 4, -len(want), -len(want) - 4} {
		if bytes.Equal(cut(p, from, want), want) {
			t.Errorf("from %d: taken for right", from)
		}
	}
}

// Audio that is displaced from some place on is different, wherever it is found.
func TestSlippedAudio(t *testing.T) {
	const n, at, late = 1200, 19 * 20 * cdsector.Size, 300 * 4
	random := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, n*cdsector.Size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	layout := &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{{Number: 1, LeadOut: n,
		Tracks: []disc.Track{{Number: 1, Mode: disc.Audio, End: n}}}}}
	made := func(b []byte) disc.Image {
		img, err := disc.NewExtentImage(layout, []disc.Extent{{Count: n, Source: bytes.NewReader(b), Form: disc.FormRaw}})
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	slipped := slices.Concat(b[:at], make([]byte, late), b[at:len(b)-late])
	d := mmc.New(sim.New(sim.Config{Image: made(slipped)}))
	plan := &Plan{Profile: mmc.ProfileCDR, Content: []Region{{Count: n, Form: FormAudio}}}
	v, err := Verify(context.Background(), d, ImageSource("x", made(b)), plan, nil)
	if err != nil || v.OK() || v.Offset != 0 {
		t.Errorf("%v: %+v", err, v)
	}
}

// sevens is data whose sectors are all alike.
type sevens struct{}

func (sevens) ReadAt(p []byte, _ int64) (int, error) {
	for i := range p {
		p[i] = 7
	}
	return len(p), nil
}

// A sector that never comes, in the middle of a reply that is called whole, is not taken
// for the one that was in its place before.
func TestVerifyStaleInTheMiddle(t *testing.T) {
	const bad = 103
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: 900, Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 900}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: 900, Source: sevens{}, Form: disc.FormBlock}})
	if err != nil {
		t.Fatal(err)
	}
	dev := sim.New(sim.Config{Disc: blank(t, "dvd+r", 50000)})
	d := mmc.New(&meddler{dev, func(c *scsi.Command) (int, error, bool) {
		if scsi.Opcode(c.CDB[0]) != scsi.OpRead10 {
			return 0, nil, false
		}
		i := bad - int(binary.BigEndian.Uint32(c.CDB[2:]))
		before := bytes.Clone(c.Data)
		n, err := dev.Execute(context.Background(), c)
		if i >= 0 && (i+1)*2048 <= n {
			copy(c.Data[i*2048:(i+1)*2048], before[i*2048:])
		}
		return n, err, true
	}})
	_, res, err := burnOn(t, d, ImageSource("", img), Options{})
	if err != nil || res.Err != nil {
		t.Fatal(err, res.Err)
	}
	if got := res.Verification.Unreadable; !slices.Equal(got, []Range{{bad, 1}}) {
		t.Errorf("unreadable: %v", got)
	}
}
