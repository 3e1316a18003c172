package burn

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/internal/testdisc/testimage"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A listener keeps the notes of a burn.
type listener struct{ notes []Note }

func (l *listener) Progress(Progress) {}
func (l *listener) Note(n Note)       { l.notes = append(l.notes, n) }

// planned surveys the disc and plans a burn.
func planned(t *testing.T, d *mmc.Drive, src *Source, o Options) (*Medium, *Plan) {
	t.Helper()
	m, err := Survey(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := MakePlan(context.Background(), m, src, o)
	if err != nil {
		t.Fatal(err)
	}
	return m, plan
}

// heard burns, and returns the notes.
func heard(t *testing.T, d *mmc.Drive, src *Source, o Options) (Result, []Note) {
	t.Helper()
	m, plan := planned(t, d, src, o)
	l := new(listener)
	res := Run(context.Background(), src, &Job{Drive: d, Medium: m, Plan: plan, Verify: true, Observer: l})[0]
	return res, append(plan.Notes, l.notes...)
}

// A session at once that is added to a disc continues the numbers of its tracks.
func TestAppendAtOnce(t *testing.T) {
	for _, name := range []string{"audio", "mixed", "xa"} {
		t.Run(name, func(t *testing.T) {
			img := testimage.Open(t, name)
			r := blank(t, "cd-r", 0)
			_, res, err := burnOn(t, recorder(r), ImageSource("", img), Options{Multi: true, AnyPlace: true, Mode: SessionAtOnce})
			if err != nil || res.Err != nil {
				t.Fatal(err, res.Err)
			}
			n := len(img.Layout().Tracks())
			plan, res, err := burnOn(t, recorder(r), ImageSource("", img), Options{AnyPlace: true, Mode: SessionAtOnce})
			if err != nil || res.Err != nil || !res.Verification.OK() {
				t.Fatal(err, res.Err, res.Verification)
			}
			equalDisc(t, r, img, plan.Start)
			st := r.State()
			if len(st.Sessions) != 2 || st.Sessions[1].Tracks[0].Number != n+1 || st.Sessions[0].Format != st.Sessions[1].Format {
				t.Errorf("%+v", st.Sessions)
			}
		})
	}
	r := blank(t, "cd-r", 0)
	if _, res, err := burnOn(t, recorder(r), ImageSource("", manyTracks(t)), Options{Multi: true}); err != nil || res.Err != nil {
		t.Fatal(err, res.Err)
	}
	var refused *Refusal
	if _, _, err := burnOn(t, recorder(r), ImageSource("", testimage.Open(t, "audio")), Options{}); !errors.As(err, &refused) || refused.Reason != TooManyTracks {
		t.Error(err)
	}
}

// A drive that does not add a session at once says so before anything is written.
func TestAppendRefused(t *testing.T) {
	img := testimage.Open(t, "audio")
	for _, asc := range []uint8{0x26, 0x64} {
		r := blank(t, "cd-r", 0)
		if _, res, err := burnOn(t, recorder(r), ImageSource("", img), Options{Multi: true}); err != nil || res.Err != nil {
			t.Fatal(err, res.Err)
		}
		d := meddled(r, func(c *scsi.Command) (int, error, bool) {
			return 0, senseError(scsi.IllegalRequest, asc, 0), scsi.Opcode(c.CDB[0]) == scsi.OpSendCueSheet
		})
		_, res, err := burnOn(t, d, ImageSource("", img), Options{})
		var refused *Refusal
		if err != nil || !errors.As(res.Err, &refused) || refused.Reason != NoAppendAtOnce || res.State != Untouched {
			t.Error(err, res.Err, res.State)
		}
	}
}

// The catalogue number comes onto the disc, and the CD-TEXT where the drive takes it.
func TestCatalogueAndText(t *testing.T) {
	img := smallCD(t)
	for trait, want := range map[string][]Note{"mcn-from-cue-sheet-only": nil, "cdtext-refused": {{Code: NoteNoText}},
		"cdtext-at-zero-only": nil, "cdtext-at-lead-in-only": nil} {
		t.Run(trait, func(t *testing.T) {
			r := blank(t, "cd-r", 0)
			res, notes := heard(t, quirky(t, r, trait), ImageSource("", img), Options{})
			if res.Err != nil || !res.Verification.OK() || len(res.Verification.Missing) > 0 {
				t.Fatal(res.Err, res.Verification)
			}
			if len(notes) != len(want) || len(want) > 0 && !reflect.DeepEqual(notes, want) {
				t.Errorf("%v, want %v", notes, want)
			}
			if r.State().MCN != img.Layout().MCN {
				t.Errorf("the catalogue number is %q", r.State().MCN)
			}
			equalDisc(t, r, img, 0)
		})
	}
	// Where the drive does not say where the lead-in begins.
	d := mmc.New(&meddler{sim.New(sim.Config{Disc: blank(t, "cd-r", 0)}), func(c *scsi.Command) (int, error, bool) {
		return 0, senseError(scsi.IllegalRequest, 0x24, 0), scsi.Opcode(c.CDB[0]) == scsi.OpReadTOC && c.CDB[2]&15 == 4
	}})
	if res, notes := heard(t, d, ImageSource("", img), Options{}); res.Err != nil || !strings.Contains(fmt.Sprint(notes), "no CD-TEXT") {
		t.Error(res.Err, notes)
	}
}

// Lead-in and lead-out state data or audio, and no more.
func TestPlainLeadIn(t *testing.T) {
	s := &disc.Session{LeadOut: 300, Tracks: []disc.Track{{Number: 1, Control: disc.PreEmphasis | disc.CopyPermitted, End: 300}}}
	e := cueEntries(s, 0, false)
	if e[0].Control != 0 || e[len(e)-1].Control != 0 || e[1].Control == 0 {
		t.Errorf("%+v", e)
	}
}

// A label is there, missing, or the drive could not be asked for it: after it hung, none
// is asked for any more.
func TestLabelsNotAsked(t *testing.T) {
	img := smallCD(t)
	for name, test := range map[string]struct {
		err                      error
		catalogue, isrc, missing bool // left out
	}{
		"there":   {},
		"refused": {err: senseError(scsi.IllegalRequest, 0x24, 0), catalogue: true},
		"hangs":   {err: scsi.ErrTimeout, catalogue: true, isrc: true},
		"missing": {missing: true},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			d := meddled(blank(t, "cd-r", 0), func(c *scsi.Command) (int, error, bool) {
				if scsi.Opcode(c.CDB[0]) != scsi.OpReadSubChannel {
					return 0, nil, false
				}
				asked++
				if test.missing {
					clear(c.Data)
					return len(c.Data), nil, true
				}
				return 0, test.err, test.err != nil && asked == 1
			})
			res, _ := heard(t, d, ImageSource("", img), Options{})
			if res.Err != nil || !res.Verification.OK() {
				t.Fatal(res.Err, res.Verification)
			}
			var notAsked, missing []Label
			if test.catalogue {
				notAsked = append(notAsked, Label{Kind: LabelCatalogue})
			}
			if test.isrc {
				notAsked = append(notAsked, Label{Kind: LabelText}, Label{Kind: LabelISRC, Track: 2})
			}
			if test.missing {
				missing = []Label{{Kind: LabelCatalogue}, {Kind: LabelISRC, Track: 2}}
			}
			if v := res.Verification; !reflect.DeepEqual(v.NotAsked, notAsked) || !reflect.DeepEqual(v.Missing, missing) {
				t.Errorf("not asked %+v, missing %+v", v.NotAsked, v.Missing)
			}
		})
	}
}
