package rip

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A counter counts the reads that pass, and those that fail.
type counter struct {
	scsi.Device
	reads, failed int
	after         func(cdb []byte, err error)
}

func (c *counter) Execute(ctx context.Context, x *scsi.Command) (int, error) {
	n, err := c.Device.Execute(ctx, x)
	switch scsi.Opcode(x.CDB[0]) {
	case scsi.OpRead10, scsi.OpReadCD:
		c.reads++
		if s := scsi.SenseOf(err); s != nil && s.Key == scsi.MediumError {
			c.failed++
		}
		if c.after != nil {
			c.after(x.CDB, err)
		}
	}
	return n, err
}

// ranges are so many stretches of damage on a disc of so many sectors, and how many sectors
// they have.
func ranges(r *rand.Rand, n, sectors, longest int) (faults []sim.Fault, bad int) {
	for i := range n {
		first := i*sectors/n + r.IntN(sectors/n-longest)
		count := 1 + r.IntN(longest)
		faults = append(faults, sim.Fault{Kind: sim.FaultRead, First: disc.LBA(first), Last: disc.LBA(first + count - 1)})
		bad += count
	}
	return faults, bad
}

// The reads that fail are little more than the sectors that are bad: what a drive names is
// believed, and what came before it is kept.
func TestCostOfDamage(t *testing.T) {
	volume := madeVolume(t)
	for _, test := range []struct {
		name    string
		disc    *madeDisc
		n, long int
	}{
		{"DVD, twenty stretches", makeDVD(volume, rand.New(rand.NewPCG(7, 50)), 6000), 20, 16},
		{"DVD, one stretch", makeDVD(volume, rand.New(rand.NewPCG(7, 51)), 6000), 1, 900},
		{"CD, ten stretches", makeCD(volume, rand.New(rand.NewPCG(7, 52))), 10, 12},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 53))
			cfg := test.disc.config(t)
			sectors := test.disc.sectors() - 60
			if test.disc.layout.Medium == disc.CD {
				sectors = madeData - 60
			}
			var bad int
			cfg.Faults, bad = ranges(r, test.n, sectors, test.long)
			for i := range cfg.Faults { // the file system stays readable
				cfg.Faults[i].First += 40
				cfg.Faults[i].Last += 40
			}
			c := &counter{Device: sim.New(cfg)}
			opts := test.disc.options(filepath.Join(t.TempDir(), "x"))
			res, err := Rip(context.Background(), mmc.New(c), opts)
			if err != nil || res.BadSectors() != bad {
				t.Fatalf("%v: %d of %d", err, res.BadSectors(), bad)
			}
			if c.failed*10 > 11*bad+20 {
				t.Errorf("%d reads failed for %d bad sectors", c.failed, bad)
			}
			if most := sectors/8 + 2*bad + 300; c.reads > most {
				t.Errorf("%d reads for %d sectors", c.reads, sectors)
			}
		})
	}
}

// A drive that always names the first sector is not believed.
func TestFirstNamedIsNotBelieved(t *testing.T) {
	d := makeDVD(madeVolume(t), rand.New(rand.NewPCG(7, 54)), 3000)
	opts := d.options(filepath.Join(t.TempDir(), "x"))
	res, err := Rip(context.Background(), mmc.New(&firstNamer{sim.New(d.faulty(t, "read:1000-1005", "read:2000"))}), opts)
	if err != nil || res.BadSectors() != 7 {
		t.Errorf("%v: %v", err, res.Bad)
	}
}

func (d *madeDisc) faulty(t testing.TB, faults ...string) sim.Config {
	t.Helper()
	c := d.config(t)
	for _, text := range faults {
		f, err := sim.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Faults = append(c.Faults, f)
	}
	return c
}

// A blanker passes on a buffer of zeros, as if all had come, where a read fails: so does Linux for adapters that state
// no length, where the memory of the program is not aligned.
type blanker struct{ scsi.Device }

func (b *blanker) Execute(ctx context.Context, x *scsi.Command) (int, error) {
	n, err := b.Device.Execute(ctx, x)
	if s := scsi.SenseOf(err); s != nil && s.Key == scsi.MediumError && len(x.Data)%512 != 0 {
		clear(x.Data[n:])
		n = len(x.Data)
	}
	return n, err
}

// Zeros in the place of a damaged sector are no evidence, and what gives nothing else is not asked again in each pass.
func TestZerosAreNoEvidence(t *testing.T) {
	d := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 57)))
	c := &counter{Device: &blanker{sim.New(d.faulty(t, "read:200-201", "read:400-405", "read:600-615"))}}
	opts := d.options(filepath.Join(t.TempDir(), "x"))
	opts.Retries = 3
	res, err := Rip(context.Background(), mmc.New(c), opts)
	if err != nil || res.BadSectors() != 24 {
		t.Fatalf("%v, %v", err, res.Bad)
	}
	if most := 24*5 + 8; c.failed > most {
		t.Errorf("%d reads failed for 24 bad sectors", c.failed)
	}
}

// A narrow drive takes commands of 64 KiB only.
type narrow struct{ scsi.Device }

func (narrow) MaxTransfer() int { return 64 << 10 }

// Damage that begins where commands begin costs no more: that the drive names what failed is found out.
func TestNamingIsLearned(t *testing.T) {
	d := makeDVD(madeVolume(t), rand.New(rand.NewPCG(7, 58)), 4000)
	c := &counter{Device: narrow{sim.New(d.faulty(t, "block:992-2015"))}}
	opts := d.options(filepath.Join(t.TempDir(), "x"))
	opts.Retries = 0
	res, err := Rip(context.Background(), mmc.New(c), opts)
	if err != nil || res.BadSectors() != 1024 {
		t.Fatalf("%v, %v", err, res.Bad)
	}
	if most := 1024/16 + mostProbes + 8; c.failed > most {
		t.Errorf("%d reads failed for %d blocks", c.failed, 1024/16)
	}
}

// A firstNamer names the first sector of a command, whichever failed.
type firstNamer struct{ scsi.Device }

func (f *firstNamer) Execute(ctx context.Context, x *scsi.Command) (int, error) {
	n, err := f.Device.Execute(ctx, x)
	if s := scsi.SenseOf(err); s != nil && s.InformationValid {
		named := *s
		named.Information = uint64(x.CDB[2])<<24 | uint64(x.CDB[3])<<16 | uint64(x.CDB[4])<<8 | uint64(x.CDB[5])
		return 0, &scsi.CheckCondition{Opcode: scsi.Opcode(x.CDB[0]), Sense: named}
	}
	return n, err
}

// The good sectors at both edges of damage come before its middle.
func TestEdgesComeBeforeTheMiddle(t *testing.T) {
	d := makeDVD(madeVolume(t), rand.New(rand.NewPCG(7, 55)), 6000)
	c := &counter{Device: sim.New(d.faulty(t, "read:1000-1010", "read:2010-2030", "read:2040", "read:4000-4012"))}
	failures, good := map[int]int{}, false
	c.after = func(cdb []byte, err error) {
		at := int(cdb[2])<<24 | int(cdb[3])<<16 | int(cdb[4])<<8 | int(cdb[5])
		n := int(cdb[7])<<8 | int(cdb[8])
		good = good || err == nil && at <= 4020 && at+n > 4020
		if scsi.SenseOf(err) != nil && !good {
			failures[at/1000]++
		}
	}
	opts := d.options(filepath.Join(t.TempDir(), "x"))
	if res, err := Rip(context.Background(), mmc.New(c), opts); err != nil || res.BadSectors() != 11+21+1+13 {
		t.Fatalf("%v, %v", err, res.Bad)
	}
	for k, n := range failures {
		if n > 5 {
			t.Errorf("%d reads failed around %d000 before the edges of all damage had come", n, k)
		}
	}
}

// Long damage that gives nothing is tried at some places in each pass, and short damage
// beside it everywhere.
func TestHopelessDamageIsSampled(t *testing.T) {
	d := makeDVD(madeVolume(t), rand.New(rand.NewPCG(7, 56)), 6000)
	c := &counter{Device: sim.New(d.faulty(t, "read:1000-1799", "read:3000-3009:4"))}
	o := &observer{}
	opts := d.options(filepath.Join(t.TempDir(), "x"))
	opts.Retries, opts.Observer = 5, o
	res, err := Rip(context.Background(), mmc.New(c), opts)
	if err != nil || res.BadSectors() != 800 {
		t.Fatalf("%v, %d bad, %v", err, res.BadSectors(), o.notes)
	}
	if most := 800*11/10 + 5*sampled + 60; c.failed > most {
		t.Errorf("%d reads failed", c.failed)
	}
	opts.Output, opts.Observer = filepath.Join(t.TempDir(), "y.iso"), nil
	c = &counter{Device: sim.New(d.faulty(t, "read:1000-1799:2"))}
	if res, err = Rip(context.Background(), mmc.New(c), opts); err != nil || len(res.Bad) > 0 {
		t.Fatalf("%v, %v", err, res.Bad)
	}
}
