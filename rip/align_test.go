package rip

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc/cdsector"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// in puts a disc into a drive with a read offset.
func (d *madeDisc) in(t testing.TB, offset int) *mmc.Drive {
	t.Helper()
	c := d.config(t)
	c.Offset = offset
	return mmc.New(sim.New(c))
}

// A rip that another drive resumes, one of another read offset, comes out as that of one drive: with no correction,
// as the first drive gives it, and with that of each drive, as the disc has it. Another disc is recognised as such.
func TestAnotherDriveResumes(t *testing.T) {
	volume := madeVolume(t)
	const first, second = 30, 6 // read offsets
	other := func(_ *rand.Rand, d *madeDisc) { d.change(rand.New(rand.NewPCG(9, 9)), madeData, madeAudio) }
	for name, test := range map[string]struct {
		audio    func(r *rand.Rand, d *madeDisc) // of both discs
		change   func(r *rand.Rand, d *madeDisc) // of the second one
		was, now int                             // offset corrections
		sub      bool
		want     error
		shift    int
	}{
		"uncorrected":             {want: nil, shift: second - first},
		"corrected":               {was: first, now: second},
		"one correction for both": {was: first, now: first, shift: second - first},
		"wrong correction":        {was: first, now: second + 1, want: ErrOtherOptions},
		"corrected now":           {now: second, want: ErrOtherOptions},
		"with the sub-channel":    {sub: true, want: ErrShifted},
		"another disc":            {change: other, want: ErrOtherDisc},
		"another, corrected":      {change: other, was: first, now: second, want: ErrOtherOptions},
		"another track": {change: func(r *rand.Rand, d *madeDisc) { fillNoise(d.b[(madeData+madeAudio)*cdsector.Size:], r) },
			want: ErrOtherDisc},
		"other data": {change: func(r *rand.Rand, d *madeDisc) { d.change(r, 0, madeData) }, want: ErrOtherDisc},
		"periodic": {audio: func(_ *rand.Rand, d *madeDisc) {
			all := d.b[madeData*cdsector.Size:]
			for i := range all {
				all[i] = byte(i % (4 * 50) * 7)
			}
		}, want: ErrOtherDisc},
		"silent": {audio: func(_ *rand.Rand, d *madeDisc) { clear(d.b[madeData*cdsector.Size:]) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			a := makeCD(volume, r)
			if test.audio != nil {
				test.audio(r, a)
			}
			b := a.clone()
			if test.change != nil {
				test.change(r, b)
			}
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			opts.Offset, opts.Subchannel = test.was, test.sub
			stopped(t, a.in(t, first), opts, madeData+2*madeAudio-100, a.size)
			before, err := os.ReadFile(MapPath(opts.Output))
			if err != nil {
				t.Fatal(err)
			}
			o := &observer{}
			opts.Offset, opts.Observer = test.now, o
			res, err := Rip(t.Context(), b.in(t, second), opts)
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if err != nil {
				if after, err := os.ReadFile(MapPath(opts.Output)); err != nil || !bytes.Equal(after, before) {
					t.Errorf("the map was changed (%v)", err)
				}
				return
			}
			if res.Shift != test.shift || o.told(NoteShifted) != (test.shift != 0) || len(res.Bad) > 0 {
				t.Errorf("shifted by %d, want %d; bad: %v", res.Shift, test.shift, res.Bad)
			}
			got, err := os.ReadFile(base(opts.Output) + ".bin")
			if err != nil {
				t.Fatal(err)
			}
			want := bytes.Clone(a.b)
			const audio, end = madeData * cdsector.Size, cdsector.Size
			if late := 4 * (first - test.was); late > 0 {
				copy(want[audio+late:], a.b[audio:])
			}
			if !bytes.Equal(got[audio+end:len(got)-end], want[audio+end:len(want)-end]) || !bytes.Equal(got[:audio], want[:audio]) {
				t.Error("the image is not what one drive gives")
			}
		})
	}
}
