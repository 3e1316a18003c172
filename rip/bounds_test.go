package rip

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"spindle/image/mapfile"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// untilPhase ends a rip when a phase has begun to read.
func untilPhase(ph Phase, end func()) *observer {
	return &observer{progress: func(p Progress) {
		if p.Phase == ph && p.Sectors > 0 {
			end()
		}
	}}
}

// byReason counts bad sectors by the reasons.
func byReason(bad []BadRange) map[Reason]int {
	n := map[Reason]int{}
	for _, b := range bad {
		n[b.Reason] += int(b.Last-b.First) + 1
	}
	return n
}

func (d *madeDisc) isOn(t *testing.T, opts Options) {
	t.Helper()
	path := opts.Output
	if opts.Format == CueBin {
		path = base(path) + ".bin"
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, d.b) {
		t.Errorf("the image is not the disc (%v)", err)
	}
}

// In one pass nothing is asked for twice, also not what an earlier run left.
func TestQuickAsksOnce(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 20)))
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Quick, opts.Retries = true, 3
	faults := []string{"read:300-301", "lost:900", "read:1200"}
	phases := map[Phase]int{}
	asked := 0
	opts.Observer = &observer{progress: func(p Progress) {
		phases[p.Phase]++
		if p.Phase == Copying {
			asked += p.Sectors
		}
	}}
	res, err := Rip(context.Background(), a.drive(t, faults...), opts)
	if err != nil {
		t.Fatal(err)
	}
	if phases[Trimming]+phases[Comparing]+phases[Retrying] > 0 || asked > a.sectors() || res.ReadTwice {
		t.Errorf("%v, %d sectors of %d came", phases, asked, a.sectors())
	}
	given := false
	for _, b := range res.Bad {
		given = given || b.Reason == GivenUp
	}
	if !given || res.BadSectors() >= a.sectors()/2 {
		t.Errorf("%+v", res.Bad)
	}
	again, err := Rip(context.Background(), a.drive(t, faults...), opts)
	if err != nil || again.BadSectors() != res.BadSectors() {
		t.Errorf("%v, %+v", err, again)
	}
	opts.Quick, opts.Observer = false, nil
	if res, err = Rip(context.Background(), a.drive(t), opts); err != nil || len(res.Bad) > 0 || !res.ReadTwice {
		t.Fatalf("%v, %+v", err, res)
	}
	a.isOn(t, opts)
}

// A rip ends in time whatever it is doing, keeps what it read, and is resumed by the
// same call.
func TestMaxTimeHoldsInEveryPhase(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 21)))
	faults := []string{"read:300-301", "lost:330-360", "read:1200"}
	for _, ph := range []Phase{Copying, Trimming, Comparing, Retrying} {
		t.Run(string(ph), func(t *testing.T) {
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			opts.Retries = 5
			d := a.drive(t, faults...)
			begun, when := d.Clock().Now(), time.Duration(0)
			probe := opts
			probe.Output = filepath.Join(t.TempDir(), "probe.cue")
			probe.Observer = &observer{progress: func(p Progress) {
				if p.Phase == ph && when == 0 {
					when = d.Clock().Now().Sub(begun)
				}
			}}
			if _, err := Rip(context.Background(), d, probe); err != nil || when == 0 {
				t.Fatal(err)
			}
			opts.MaxTime = when + 5*time.Millisecond
			o := &observer{}
			opts.Observer = o
			d = a.drive(t, faults...)
			begun = d.Clock().Now()
			res, err := Rip(context.Background(), d, opts)
			if took := d.Clock().Now().Sub(begun); took > opts.MaxTime+10*time.Second {
				t.Errorf("it took %s of %s", took, opts.MaxTime)
			}
			var left *IncompleteError
			switch {
			case ph == Copying:
				if !errors.As(err, &left) || !errors.Is(err, ErrTimeUp) || len(left.Left) == 0 {
					t.Errorf("%v", err)
				}
			case err != nil || len(res.Bad) == 0 || !o.told(NoteTimeUp):
				t.Errorf("%v, %+v, %v", err, res, o.notes)
			case ph == Comparing:
				if by := byReason(res.Bad); by[NotCompared] < madeAudio || by[Flawed] > 1 {
					t.Errorf("audio that was read once: %+v", res.Bad) // and is not called damaged
				}
			}
			if _, err := os.Stat(opts.Output + mapfile.Suffix); err != nil {
				t.Error(err)
			}
			// Also when it is resumed.
			d = a.drive(t, faults...)
			begun, opts.MaxTime = d.Clock().Now(), time.Millisecond
			if _, err := Rip(context.Background(), d, opts); err != nil && !errors.Is(err, ErrTimeUp) {
				t.Error(err)
			}
			if took := d.Clock().Now().Sub(begun); took > 30*time.Second {
				t.Errorf("resumed, it took %s", took)
			}
			opts.MaxTime, opts.Observer = 0, nil
			if res, err = Rip(context.Background(), a.drive(t), opts); err != nil || len(res.Bad) > 0 || !res.ReadTwice {
				t.Fatalf("%v, %+v", err, res)
			}
			a.isOn(t, opts)
		})
	}
}

// A rip that is asked to finish gives the image its name where all of the disc was tried, and the
// same call resumes it either way.
func TestFinishInEveryPhase(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 22)))
	faults := []string{"read:300-301", "lost:330-360", "read:1200"}
	for _, ph := range []Phase{Surveying, Copying, Trimming, Comparing, Retrying, Hashing} {
		t.Run(string(ph), func(t *testing.T) {
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			opts.Retries = 5
			asked := make(chan struct{})
			opts.Finish = asked
			end := sync.OnceFunc(func() { close(asked) })
			o := &observer{progress: func(p Progress) {
				if p.Phase == ph && (p.Sectors > 0 || ph == Surveying || ph == Hashing) {
					end()
				}
			}}
			opts.Observer = o
			res, err := Rip(t.Context(), a.drive(t, faults...), opts)
			var left *IncompleteError
			switch {
			case ph == Surveying:
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			case ph == Copying:
				if !errors.As(err, &left) || !errors.Is(err, context.Canceled) || len(left.Left) == 0 {
					t.Error(err)
				}
			case err != nil || len(res.Bad) == 0 || o.told(NoteFinishing) != (ph != Hashing):
				t.Errorf("%v, %+v, %v", err, res, o.notes)
			}
			opts.Finish, opts.Observer = nil, nil
			if res, err = Rip(t.Context(), a.drive(t), opts); err != nil || len(res.Bad) > 0 || !res.ReadTwice {
				t.Fatalf("%v, %+v", err, res)
			}
			a.isOn(t, opts)
		})
	}
}

// A drive that becomes busy, and stays so, is not waited for by a rip that is asked to finish.
func TestFinishWithoutTheDrive(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 24)))
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	asked := make(chan struct{})
	opts.Finish = asked
	end := sync.OnceFunc(func() { close(asked) })
	trimming, polls := false, 0
	opts.Observer = &observer{progress: func(p Progress) { trimming = trimming || p.Phase == Trimming && p.Sectors > 0 }}
	cfg := a.config(t)
	for _, text := range []string{"read:300-301", "lost:330-360"} {
		f, err := sim.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	busy := &quirky{Device: sim.New(cfg), do: func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		if !trimming || scsi.Opcode(c.CDB[0]) != scsi.OpReadCD && scsi.Opcode(c.CDB[0]) != scsi.OpTestUnitReady {
			return next.Execute(ctx, c)
		}
		if polls++; polls == 5 {
			end()
			<-ctx.Done() // as the context of a wait hears it, a moment later
		}
		return 0, &scsi.CheckCondition{Opcode: scsi.Opcode(c.CDB[0]), Sense: scsi.Sense{Key: scsi.NotReady, ASC: 0x04, ASCQ: 0x01}}
	}}
	if res, err := Rip(t.Context(), mmc.New(busy), opts); err != nil || len(res.Bad) == 0 {
		t.Fatalf("%v, %+v", err, res)
	}
	if polls > 10 {
		t.Errorf("the drive was asked %d times", polls)
	}
}

// So many unreadable sectors end a rip; those of earlier runs do not count.
func TestMaxErrors(t *testing.T) {
	d := makeDVD(madeVolume(t), rand.New(rand.NewPCG(7, 23)), 4000)
	opts := d.options(filepath.Join(t.TempDir(), "x"))
	opts.MaxErrors, opts.Retries = 5, 1
	o := &observer{}
	opts.Observer = o
	res, err := Rip(context.Background(), d.drive(t, "read:500-520", "read:2000-2020"), opts)
	if err != nil || !o.told(NoteManyErrors) {
		t.Fatalf("%v, %+v", err, o.notes)
	}
	if by := byReason(res.Bad); by[Unreadable] != 5 || by[GivenUp] == 0 {
		t.Errorf("%v", by)
	}
	opts.MaxErrors = 2 // one more is found
	if res, err = Rip(context.Background(), d.drive(t, "read:500-502"), opts); err != nil || res.BadSectors() != 3 {
		t.Fatalf("%v, %+v", err, res)
	}
	opts.MaxErrors = 0
	if res, err = Rip(context.Background(), d.drive(t), opts); err != nil || len(res.Bad) > 0 {
		t.Fatalf("%v, %+v", err, res)
	}
	d.isOn(t, opts)
}

// What is missing is named when a rip is interrupted, in every phase.
func TestInterruptedSaysWhatIsMissing(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 24)))
	for _, ph := range []Phase{Copying, Trimming, Comparing, Retrying} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		ctx, cancel := context.WithCancel(context.Background())
		opts.Retries, opts.Observer = 2, untilPhase(ph, cancel)
		_, err := Rip(ctx, a.drive(t, "lost:300-301", "lost:900-902", "read:1200:2"), opts)
		var left *IncompleteError
		if !errors.As(err, &left) || !errors.Is(err, context.Canceled) || len(left.Left) == 0 || left.Sectors != int64(a.sectors()) {
			t.Errorf("%s: %v", ph, err)
			continue
		}
		for _, b := range left.Left {
			if ph == Copying && b.Reason == NotTried && b.Last == madeData+2*madeAudio-1 {
				ph = ""
			}
		}
		if ph == Copying {
			t.Errorf("%+v", left.Left)
		}
		opts.Observer = nil
		if res, err := Rip(context.Background(), a.drive(t), opts); err != nil || len(res.Bad) > 0 {
			t.Fatalf("%v, %+v", err, res)
		}
		a.isOn(t, opts)
	}
}
