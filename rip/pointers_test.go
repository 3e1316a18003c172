package rip

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc/cdsector"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// Error pointers that go wrong in the middle of a disc are given up, and a good disc comes
// back whole; those of a disc that is damaged are kept.
func TestPointersAreDropped(t *testing.T) {
	const from = madeData + 300
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(4, 2)))
	flag := func(c *scsi.Command, n int) {
		for i := range n {
			c.Data[(i+1)*len(c.Data)/n-10] = 1
		}
	}
	late := false // the drive was that far
	for name, test := range map[string]struct {
		do      func(c *scsi.Command, at, n int) error
		dropped bool
	}{
		"sectors fail": {func(_ *scsi.Command, at, n int) error {
			if at+n > from {
				return &scsi.CheckCondition{Opcode: scsi.OpReadCD, Sense: scsi.Sense{Key: scsi.MediumError, ASC: scsi.ASCUnrecoveredRead}}
			}
			return nil
		}, true},
		"a few sectors fail": {func(_ *scsi.Command, at, n int) error {
			if at < from+20 && at+n > from {
				return &scsi.CheckCondition{Opcode: scsi.OpReadCD, Sense: scsi.Sense{Key: scsi.MediumError, ASC: scsi.ASCUnrecoveredRead}}
			}
			return nil
		}, false},
		"good sectors are flagged": {func(c *scsi.Command, at, n int) error {
			if late = late || at > from; late {
				flag(c, n)
			}
			return nil
		}, true},
		"the same sectors are flagged": {func(c *scsi.Command, at, n int) error {
			if at > from {
				flag(c, n)
			}
			return nil
		}, false},
		"a few are": {func(c *scsi.Command, at, n int) error {
			if at > from && at < from+20 {
				flag(c, n)
			}
			return nil
		}, false},
		"damage": {func(c *scsi.Command, at, n int) error {
			if at > from && at < from+200 {
				flag(c, n)
				c.Data[rand.IntN(100)*4] ^= byte(1 + rand.IntN(255))
			}
			return nil
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			started := false
			late = false
			d := &quirky{sim.New(a.config(t)), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
				got, err := next.Execute(ctx, c)
				if at, n := sectorsOf(c); err == nil && started && n > 0 && c.CDB[0] == byte(scsi.OpReadCD) && c.CDB[9]&6 != 0 {
					if err := test.do(c, at, n); err != nil {
						return 0, err
					}
				}
				return got, err
			}}
			o := &observer{progress: func(p Progress) { started = started || p.Phase == Copying }}
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			opts.Observer = o
			res, err := Rip(context.Background(), mmc.New(d), opts)
			if err != nil || o.told(NoteC2Dropped) != test.dropped || test.dropped && (len(res.Bad) > 0 || !res.ReadTwice) {
				t.Fatalf("%v: %v, %v", err, res, o.notes)
			}
			if got, err := os.ReadFile(base(opts.Output) + ".bin"); test.dropped && (err != nil || !bytes.Equal(got, a.b)) {
				t.Errorf("the image is not the disc (%v)", err)
			}
		})
	}
}

// Damage that a drive flags, and conceals the same way each time, is listed: it is no
// reason to give up error pointers, wherever it lies, and however often audio is read.
func TestSteadyDamage(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(5, 5)))
	for name, span := range map[string][2]int{
		"anywhere": {900, 1050}, "at the beginning": {madeData, madeData + 60}, "to the end": {1450, madeData + 2*madeAudio},
	} {
		for _, once := range []bool{false, true} {
			hurt := func(s int) bool { return s >= span[0] && s < span[1] && s%3 > 0 }
			d := mmc.New(&quirky{sim.New(a.config(t)), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
				got, err := next.Execute(ctx, c)
				at, n := sectorsOf(c)
				if err != nil || n == 0 || c.CDB[0] != byte(scsi.OpReadCD) || c.CDB[9]&0x10 == 0 {
					return got, err
				}
				for i := range n {
					if p := c.Data[i*len(c.Data)/n:][:len(c.Data)/n]; hurt(at + i) {
						p[1000] ^= 0x40
						if c.CDB[9]&6 != 0 {
							p[cdsector.Size+125] = 0xFF
						}
					}
				}
				return got, err
			}})
			o := &observer{}
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			opts.Observer, opts.Retries, opts.Once = o, 2, once
			res, err := Rip(context.Background(), d, opts)
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			for s := range madeData + 2*madeAudio {
				if hurt(s) {
					want++
				}
			}
			if n := res.BadSectors(); n != want || o.told(NoteC2Dropped) || o.told(NoteNoC2) {
				t.Errorf("%s, once %t: %d sectors are listed, want %d (%v)", name, once, n, want, o.notes)
			}
		}
	}
}

// A rip that is resumed does not believe error pointers that proved wrong before.
func TestResumeDropped(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(5, 5)))
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Once = true
	copying := false
	d := mmc.New(&quirky{sim.New(a.config(t)), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		if at, n := sectorsOf(c); copying && n > 0 && at+n > 1100 && c.CDB[0] == byte(scsi.OpReadCD) && c.CDB[9]&6 != 0 {
			return 0, &scsi.CheckCondition{Opcode: scsi.OpReadCD, Sense: scsi.Sense{Key: scsi.MediumError, ASC: scsi.ASCUnrecoveredRead}}
		}
		return next.Execute(ctx, c)
	}})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := &observer{}
	o.progress = func(p Progress) {
		copying = copying || p.Phase == Copying
		if p.Phase == Copying && p.LBA > 1300 {
			cancel()
		}
	}
	opts.Observer = o
	if _, err := Rip(ctx, d, opts); !errors.Is(err, context.Canceled) || !o.told(NoteC2Dropped) {
		t.Fatal(err, o.notes)
	}
	opts.Observer = nil
	res, err := Rip(context.Background(), mmc.New(sim.New(a.config(t))), opts)
	if err != nil || res.Pointed || len(res.Bad) > 0 {
		t.Errorf("%v: %+v", err, res)
	}
}

// Whatever a plan reads, the bytes of one command come through every adapter.
func TestTidyTransfers(t *testing.T) {
	for _, stride := range []int{2048, cdsector.Size, 2448, 2646, 2648, 2742, 2744} {
		n := perTransfer(64<<10, stride)
		if bytes := n * stride; bytes > 64<<10 || bytes%16 != 0 || bytes%1024 >= 512 || bytes < 20<<10 {
			t.Errorf("%d sectors of %d bytes: %d", n, stride, bytes)
		}
	}
}

// The speed that was set for retrying is given back, also when the rip is stopped there.
func TestSpeedIsGivenBack(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(4, 3)))
	cfg := a.config(t)
	fault, err := sim.ParseFault("read:100-110")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Faults = []sim.Fault{fault}
	var speeds []int
	d := &quirky{sim.New(cfg), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		if c.CDB[0] == byte(scsi.OpSetCDSpeed) {
			speeds = append(speeds, int(c.CDB[2])<<8|int(c.CDB[3]))
		}
		return next.Execute(ctx, c)
	}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Retries = 2
	opts.Observer = &observer{progress: func(p Progress) {
		if p.Phase == Retrying && p.Pass == 2 {
			cancel()
		}
	}}
	if _, err := Rip(ctx, mmc.New(d), opts); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := len(speeds); n < 2 || speeds[n-1] != 0xFFFF || speeds[0] == 0xFFFF {
		t.Errorf("speeds: %v", speeds)
	}
}
