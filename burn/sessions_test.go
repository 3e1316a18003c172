package burn

import (
	"errors"
	"reflect"
	"testing"

	"spindle/addr"
	"spindle/disc"
	"spindle/internal/testdisc"
)

// twoSessions is an image of two sessions, the second of which begins later sectors behind
// the place where a drive begins it.
func twoSessions(t *testing.T, mode disc.Mode, later int) disc.Image {
	t.Helper()
	const n = 400
	second := disc.LBA(n + addr.SessionGap(1) + later)
	control, form := disc.DataTrack, disc.FormMode1
	if mode == disc.Audio {
		control, form = 0, disc.FormRaw
	}
	track := func(number int, start disc.LBA) []disc.Track {
		return []disc.Track{{Number: number, Mode: mode, Control: control, Start: start, End: start + n}}
	}
	l := &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{
		{Number: 1, LeadOut: n, Tracks: track(1, 0)}, {Number: 2, LeadOut: second + n, Tracks: track(2, second)}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{
		{Count: n, Source: testdisc.Pattern{}, Form: form}, {First: second, Count: n, Source: testdisc.Pattern{}, Offset: 4096, Form: form}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A session comes where the image has it, also where run-out blocks were left out of the one
// before. Where there is no room for that, audio comes later, and data are refused before
// the disc is touched.
func TestSessionsInPlace(t *testing.T) {
	for _, test := range []struct {
		name    string
		mode    disc.Mode
		later   int
		o       Options
		notes   []Note
		shift   disc.LBA // of the second session
		refused bool
	}{
		{name: "as a drive has it", mode: disc.Mode1},
		{name: "run-out blocks", mode: disc.Mode1, later: 2, notes: []Note{{Code: NoteLengthened, Sectors: 2}}},
		{name: "audio later", mode: disc.Audio, later: 100, notes: []Note{{Code: NoteLengthened, Sectors: 100}}},
		{name: "audio too early", mode: disc.Audio, later: -100, shift: 100},
		{name: "too early", mode: disc.Mode1, later: -1, refused: true},
		{name: "too early, at any place", mode: disc.Mode1, later: -1, o: Options{AnyPlace: true}, shift: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			img := twoSessions(t, test.mode, test.later)
			r := blank(t, "cd-r", 0)
			plan, res, err := burnOn(t, recorder(r), ImageSource("", img), test.o)
			if test.refused {
				if !errors.Is(err, ErrAddress) || len(r.State().Sessions) > 0 {
					t.Fatal(err, r.State())
				}
				return
			}
			if err != nil || res.Err != nil || !res.Verification.OK() {
				t.Fatal(err, res.Err, res.Verification)
			}
			if !reflect.DeepEqual(plan.Notes, test.notes) {
				t.Errorf("the notes are %v", plan.Notes)
			}
			want := img.Layout().Sessions[1].Tracks[0].Start + test.shift
			if got := r.Layout().Sessions[1].Tracks[0].Start; got != want {
				t.Errorf("the second session begins at %d, want %d", got, want)
			}
		})
	}
}
