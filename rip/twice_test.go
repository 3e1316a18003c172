package rip

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"

	"github.com/google/go-cmp/cmp"
)

// traits makes a drive with quirks of a disc that has a damaged sector, or none.
func (d *madeDisc) traits(t testing.TB, traits, fault string) *mmc.Drive {
	t.Helper()
	query := ""
	if traits != "" {
		query += "trait=" + traits + "&"
	}
	if fault != "" {
		query += "fault=" + fault
	}
	return d.query(t, strings.TrimSuffix(query, "&"))
}

// query makes a drive as a sim: name describes it behind the question mark.
func (d *madeDisc) query(t testing.TB, query string) *mmc.Drive {
	t.Helper()
	spec, err := sim.ParseSpec("?" + query)
	if err != nil {
		t.Fatal(err)
	}
	spec.Config.Image = d.config(t).Image
	return mmc.New(sim.New(spec.Config))
}

// Damage is found that the drive says nothing of, or of the wrong sector: audio is read
// twice. Read once, what the drive says is believed.
func TestAudioIsReadTwice(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 7)))
	want := []BadRange{{Track: 3, First: 1300, Last: 1300, Reason: Flawed}}
	for traits, once := range map[string][]BadRange{"": want, "c2-always-zero": nil, "c2-late": nil} {
		for _, o := range []bool{false, true} {
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			opts.Once, opts.Retries = o, 2
			res, err := Rip(context.Background(), a.traits(t, traits, "noisy:1300:400"), opts)
			expected := want
			if o {
				expected = once
			}
			if err != nil || !cmp.Equal(res.Bad, expected) || res.ReadTwice == o || !res.Pointed {
				t.Errorf("%s, once %t: %v, %+v", traits, o, err, res)
			}
		}
	}
}

// The second reading takes as long as the first, and not more.
func TestTwiceTakesTwice(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 8)))
	var took [2]time.Duration
	for i := range took {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Once = i == 0
		d := a.traits(t, "", "")
		var begun time.Time
		opts.Observer = &observer{progress: func(p Progress) {
			if begun.IsZero() && p.Phase == Copying {
				begun = d.Clock().Now()
			}
		}}
		if _, err := Rip(context.Background(), d, opts); err != nil {
			t.Fatal(err)
		}
		took[i] = d.Clock().Now().Sub(begun)
	}
	if took[1] > took[0]*5/2+2*time.Second {
		t.Errorf("once %s, twice %s", took[0], took[1])
	}
}

// A rip that was stopped between the readings is not taken for one of another disc
// because of damage, and one of audio read once is read again where twice is asked for.
func TestResumeReadOnce(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 9)))
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	ctx, cancel := context.WithCancel(context.Background())
	opts.Observer = &observer{progress: func(p Progress) {
		if p.Phase == Comparing {
			cancel()
		}
	}}
	if _, err := Rip(ctx, a.traits(t, "c2-always-zero", "read:1300-1301"), opts); err == nil {
		t.Fatal("it was not stopped")
	}
	opts.Observer = nil
	res, err := Rip(context.Background(), a.traits(t, "c2-always-zero", "read:1300-1301"), opts)
	if err != nil || res.BadSectors() != 2 {
		t.Fatalf("%v: %+v", err, res)
	}

	opts = a.options(filepath.Join(t.TempDir(), "y"))
	opts.Once = true
	if res, err = Rip(context.Background(), a.traits(t, "c2-always-zero", "read:1300&fault=read:100"), opts); err != nil || res.BadSectors() != 1 {
		t.Fatalf("%v: %+v", err, res)
	}
	opts.Once = false
	opts.Retries = 1
	if res, err = Rip(context.Background(), a.traits(t, "", ""), opts); err != nil || len(res.Bad) > 0 || !res.ReadTwice {
		t.Fatalf("%v: %+v", err, res)
	}
	if _, err := os.Stat(opts.Output + mapfile.Suffix); err == nil {
		t.Error("the map is still there")
	}
	if got, err := os.ReadFile(base(opts.Output) + ".bin"); err != nil || !bytes.Equal(got, a.b) {
		t.Errorf("the image is not the disc (%v)", err)
	}
}

// A drive without accurate stream gives no audio that is sure to be right, and that is
// said; another drive reads it again.
func TestDisplacedAudio(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 10)))
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	o := &observer{}
	opts.Observer, opts.Retries = o, 2
	res, err := Rip(context.Background(), a.traits(t, "no-accurate-stream", "read:100:1"), opts)
	want := []BadRange{
		{Track: 2, First: madeData, Last: madeData + madeAudio - 1, Reason: Flawed},
		{Track: 3, First: madeData + madeAudio, Last: madeData + 2*madeAudio - 1, Reason: Flawed},
	}
	if err != nil || !o.told(NoteDisplaced) || !cmp.Equal(res.Bad, want) {
		t.Fatalf("%v: %+v, %+v", err, res, o.notes)
	}
	d := a.traits(t, "", "")
	begin := d.Clock().Now()
	if res, err = Rip(context.Background(), d, opts); err != nil || len(res.Bad) > 0 || d.Clock().Now().Sub(begin) > 30*time.Second {
		t.Fatalf("%v: %+v", err, res)
	}
	if got, err := os.ReadFile(base(opts.Output) + ".bin"); err != nil || !bytes.Equal(got, a.b) {
		t.Errorf("the image is not the disc (%v)", err)
	}
}

// What something else proves is not read again, and is good whatever the drive said of it.
func TestProvenIsReadOnce(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 9)))
	var commands [2]int
	for i, proven := range [][]drive.Stretch{nil, {{First: madeData, End: madeData + 2*madeAudio}}} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Prove = func(ctx context.Context, r *Reading) ([]drive.Stretch, error) {
			p := make([]byte, 600*cdsector.Size)
			if err := r.ReadSectors(ctx, p, madeData); err != nil || !bytes.Equal(p, a.b[madeData*cdsector.Size:][:len(p)]) {
				t.Errorf("other audio than the disc's, %v", err)
			}
			if err := r.ReadSectors(ctx, p, madeData-1); err == nil {
				t.Error("data given as audio")
			}
			return proven, nil
		}
		opts.Observer = &observer{progress: func(p Progress) {
			if p.Phase == Comparing && p.Sectors > 0 {
				commands[i]++
			}
		}}
		res, err := Rip(context.Background(), a.traits(t, "c2-294-garbage", "read:1300"), opts)
		if err != nil || len(res.Bad) != 1-i || !cmp.Equal(res.Proven, proven) {
			t.Errorf("%v, %+v", err, res)
		}
	}
	if commands[0] == 0 || commands[1] != 0 {
		t.Errorf("%d commands of comparing, %d of what is proven", commands[0], commands[1])
	}
}

// What was proven to an earlier run is not called read twice by one that does not prove it:
// it is read again.
func TestProofIsNotInherited(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 10)))
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Prove = func(context.Context, *Reading) ([]drive.Stretch, error) {
		return []drive.Stretch{{First: madeData + madeAudio, End: madeData + 2*madeAudio}}, nil
	}
	res, err := Rip(context.Background(), a.traits(t, "", "read:100"), opts)
	if err != nil || len(res.Bad) != 1 {
		t.Fatalf("%v, %+v", err, res)
	}
	opts.Prove = nil
	compared := 0
	opts.Observer = &observer{progress: func(p Progress) {
		if p.Phase == Comparing {
			compared += p.Sectors
		}
	}}
	res, err = Rip(context.Background(), a.traits(t, "", ""), opts)
	if err != nil || len(res.Bad) > 0 || len(res.Proven) > 0 || compared < madeAudio {
		t.Errorf("%v, %+v; %d sectors read again", err, res, compared)
	}
}
