package burn

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"spindle/disc"
	"spindle/internal/testdisc"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// Of the forms of a cue sheet, the one that the drive takes is found before anything is
// written, and nothing that it would take is left out.
func TestSheetVariants(t *testing.T) {
	base := smallCD(t)
	coded := base.Layout().Clone()
	coded.Sessions[0].Tracks[1].Control |= disc.CopyPermitted
	img, err := disc.NewExtentImage(coded, []disc.Extent{
		{Count: 310, Source: testdisc.Pattern{}, Form: disc.FormMode1},
		{First: 310, Count: 150, Form: disc.FormRaw},
		{First: 460, Count: 310, Source: testdisc.Pattern{}, Form: disc.FormRaw},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		traits []string
		notes  int
	}{
		{[]string{"isrc-control-refused"}, 0},
		{[]string{"cdtext-block-type-3-only"}, 0},
		{[]string{"cdtext-block-type-3-only", "cdtext-at-zero-only"}, 0},
		{[]string{"cdtext-block-type-3-only", "cdtext-at-lead-in-only", "isrc-control-refused"}, 0},
		{[]string{"cdtext-refused", "isrc-control-refused"}, 1},
	} {
		t.Run(fmt.Sprint(test.traits), func(t *testing.T) {
			r := blank(t, "cd-r", 0)
			res, notes := heard(t, quirky(t, r, test.traits...), ImageSource("", img), Options{})
			if res.Err != nil || !res.Verification.OK() || len(res.Verification.Missing) > 0 || len(notes) != test.notes {
				t.Fatal(res.Err, res.Verification, notes)
			}
			if got := r.Layout().Sessions[0].Tracks[1]; got.ISRC != "GBAYE6700001" || got.Control != disc.CopyPermitted {
				t.Errorf("%+v", got)
			}
			if text := len(r.Layout().CDText) > 0; text != (test.notes == 0) {
				t.Errorf("CD-TEXT on the disc: %t", text)
			}
			equalDisc(t, r, img, 0)
		})
	}
}

// The last of several sessions is closed as such, where the drive knows that; a single one
// as ever.
func TestLastSession(t *testing.T) {
	for _, trait := range []string{"", "last-session-refused"} {
		for _, mode := range []Mode{SessionAtOnce, TrackAtOnce} {
			t.Run(trait+string(mode), func(t *testing.T) {
				r := blank(t, "cd-r", 0)
				var traits []string
				if trait != "" {
					traits = []string{trait}
				}
				fields := func(o Options) []byte {
					var sent []byte
					spy := &meddler{quirkyDevice(t, r, traits...), func(c *scsi.Command) (int, error, bool) {
						if scsi.Opcode(c.CDB[0]) == scsi.OpModeSelect10 && c.Data[8]&0x3F == 5 {
							sent = append(sent, c.Data[11]>>6)
						}
						return 0, nil, false
					}}
					o.Mode, o.AnyPlace = mode, true
					_, res, err := burnOn(t, mmc.New(spy), sourceFor(t, "cd-r", 400), o)
					if err != nil || res.Err != nil || !res.Verification.OK() {
						t.Fatal(err, res.Err, res.Verification)
					}
					return sent
				}
				if got := fields(Options{Multi: true}); !bytes.Equal(got, []byte{3}) {
					t.Errorf("the first session: % X", got)
				}
				want := []byte{1}
				if trait != "" {
					want = []byte{1, 0}
				}
				if got := fields(Options{}); !bytes.Equal(got, want) {
					t.Errorf("the last session: % X, want % X", got, want)
				}
				if st := r.State(); !st.Final || len(st.Sessions) != 2 {
					t.Errorf("%+v", st)
				}
			})
		}
	}
	r := blank(t, "cd-r", 0)
	plan, _, err := burnOn(t, recorder(r), sourceFor(t, "cd-r", 400), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(plan.Steps, func(s Step) bool { _, ok := s.(ParamsStep); return ok }); plan.Steps[i].(ParamsStep).Params.MultiSession != mmc.NoNextSession {
		t.Errorf("%v", plan)
	}
}

// A track in Mode 2 without sub-headers keeps its 2336 bytes: announced as one of XA, the
// drive would write an EDC over its end.
func TestFormless(t *testing.T) {
	l := &disc.Layout{Sessions: []disc.Session{{Number: 1, Format: disc.FormatXA, LeadOut: 310, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode2, Control: disc.DataTrack, End: 310},
	}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: 310, Source: testdisc.Pattern{}, Form: disc.FormMode2}})
	if err != nil {
		t.Fatal(err)
	}
	r := blank(t, "cd-r", 0)
	plan, res, err := burnOn(t, recorder(r), ImageSource("", img), Options{})
	if err != nil || res.Err != nil || !res.Verification.OK() {
		t.Fatal(err, res.Err, res.Verification)
	}
	equalDisc(t, r, img, 0)
	if r.State().Sessions[0].Format != disc.FormatCDROM {
		t.Errorf("session format %v", r.State().Sessions[0].Format)
	}
	for _, s := range plan.Steps {
		if c, ok := s.(CueSheetStep); ok && (c.Entries[0].Form != mmc.FormMode2None || c.Entries[1].Form != mmc.FormMode2) {
			t.Errorf("%v", c)
		}
	}
}

// Packets on a DVD-R are linked as the drive lists it.
func TestLinkSize(t *testing.T) {
	for listed, want := range map[byte]uint8{16: 16, 7: 7, 0: 16} {
		dev := sim.New(sim.Config{Disc: blank(t, "dvd-r", 50000)})
		d := mmc.New(&meddler{dev, func(c *scsi.Command) (int, error, bool) {
			if scsi.Opcode(c.CDB[0]) != scsi.OpGetConfiguration {
				return 0, nil, false
			}
			n, err := dev.Execute(context.Background(), c)
			for b := c.Data[min(8, n):n]; len(b) >= 12; b = b[min(4+int(b[3]), len(b)):] {
				if binary.BigEndian.Uint16(b) == uint16(mmc.FeatureIncremental) {
					if b[8] = listed; listed == 0 {
						b[7] = 0
					}
				}
			}
			return n, err, true
		}})
		_, plan := planned(t, d, sourceFor(t, "dvd-r", 400), Options{Mode: Incremental})
		if p := plan.Steps[0].(ParamsStep).Params; p.LinkSize != want {
			t.Errorf("the drive lists %d: %d, want %d", listed, p.LinkSize, want)
		}
	}
}
