package rip

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// makeBD is a BD like a DVD of makeDVD.
func makeBD(volume []byte, r *rand.Rand, n int) *madeDisc {
	d := makeDVD(volume, r, n)
	d.layout.Medium = disc.BD
	return d
}

// Blocks that cannot be corrected are read, and retried, as a whole: about one failing read for each block
// and pass, where there was one for each sector, and no sector beside them is lost.
func TestDamageInBlocks(t *testing.T) {
	volume := madeVolume(t)
	dvd, bd := makeDVD(volume, rand.New(rand.NewPCG(8, 1)), 6000), makeBD(volume, rand.New(rand.NewPCG(8, 2)), 6000)
	for _, test := range []struct {
		name    string
		disc    *madeDisc
		unit    int
		faults  []string
		blocks  int // that are damaged
		bad     int // their sectors
		retries int
		wrap    func(scsi.Device) scsi.Device
	}{
		{"DVD", dvd, 16, []string{"block:1000", "block:2000-2040", "block:3000-3500", "block:5990"}, 1 + 3 + 32 + 1, 592, 0, nil},
		{"DVD, retried", dvd, 16, []string{"block:1000", "block:2000-2040", "block:3000-3500"}, 1 + 3 + 32, 576, 3, nil},
		{"BD", bd, 32, []string{"block:1000", "block:2000-2040", "block:3000-3500", "block:5990"}, 1 + 2 + 17 + 1, 656, 0, nil},
		{"BD, retried", bd, 32, []string{"block:1000", "block:2000-2040", "block:3000-3500"}, 1 + 2 + 17, 640, 3, nil},
		{"DVD, the first is named", dvd, 16, []string{"block:1000", "block:2000-2040", "block:3000-3500"}, 1 + 3 + 32, 576, 2,
			func(d scsi.Device) scsi.Device { return &firstNamer{d} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			var dev scsi.Device = sim.New(test.disc.faulty(t, test.faults...))
			if test.wrap != nil {
				dev = test.wrap(dev)
			}
			c := &counter{Device: dev}
			tried := map[string]int{}
			c.after = func(cdb []byte, err error) {
				if at, n := disc.LBA(cdb[2])<<24|disc.LBA(cdb[3])<<16|disc.LBA(cdb[4])<<8|disc.LBA(cdb[5]), int(cdb[7])<<8|int(cdb[8]); err != nil && n < test.unit {
					tried[fmt.Sprint(at, n)]++
				}
			}
			opts := test.disc.options(filepath.Join(t.TempDir(), "x"))
			opts.Retries = test.retries
			res, err := Rip(context.Background(), mmc.New(c), opts)
			if err != nil || res.BadSectors() != test.bad {
				t.Fatalf("%v: %d of %d bad: %v", err, res.BadSectors(), test.bad, res.Bad)
			}
			most := test.blocks*(1+test.retries) + mostProbes + 4*len(test.faults)
			if test.wrap != nil {
				most *= 2 // that they are to be found costs some
			}
			if was := test.bad * (1 + test.retries); c.failed > most || c.failed*4 > was {
				t.Errorf("%d reads failed for %d blocks of %d sectors", c.failed, test.blocks, test.bad)
			}
			if len(tried) > mostProbes+3*len(test.faults)+1 {
				t.Errorf("parts of blocks were tried: %v", tried)
			}
		})
	}
}

// Blocks that come at a later try are won.
func TestBlocksComeLater(t *testing.T) {
	d := makeDVD(madeVolume(t), rand.New(rand.NewPCG(8, 3)), 6000)
	opts := d.options(filepath.Join(t.TempDir(), "x"))
	opts.Retries = 3
	c := &counter{Device: sim.New(d.faulty(t, "block:1000-1100:3", "block:3000:4"))}
	if res, err := Rip(context.Background(), mmc.New(c), opts); err != nil || len(res.Bad) > 0 {
		t.Fatalf("%v, %v", err, res.Bad)
	}
	d.isOn(t, opts)
	if most := 8*4 + mostProbes + 8; c.failed > most {
		t.Errorf("%d reads failed", c.failed)
	}
}

// A drive that gives single sectors of blocks it cannot correct loses none of them, also where it shows that
// late, or names the first sector whichever failed.
func TestSingleSectorsOfBlocks(t *testing.T) {
	d := makeDVD(madeVolume(t), rand.New(rand.NewPCG(8, 4)), 6000)
	early := []string{"block:400-415", "block:500", "block:600", "block:700", "block:800", "block:900", "block:1000", "block:1100", "block:1200", "block:1300"}
	for _, test := range []struct {
		name    string
		faults  []string
		bad     int
		retries int
		wrap    func(scsi.Device) scsi.Device
	}{
		{"at once", []string{"read:1000-1002", "read:2000", "read:3005-3009"}, 9, 0, nil},
		{"late", append([]string{"read:3005", "read:4000-4003"}, early...), 5 + 10*16, 1, nil},
		{"long", []string{"read:1008-2003"}, 996, 0, nil},
		{"the first is named", []string{"read:1000-1002", "read:2001", "read:3005-3009"}, 9, 0, func(d scsi.Device) scsi.Device { return &firstNamer{d} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			var dev scsi.Device = sim.New(d.faulty(t, test.faults...))
			if test.wrap != nil {
				dev = test.wrap(dev)
			}
			opts := d.options(filepath.Join(t.TempDir(), "x"))
			opts.Retries = test.retries
			if res, err := Rip(context.Background(), mmc.New(dev), opts); err != nil || res.BadSectors() != test.bad {
				t.Fatalf("%v: %d bad, not %d: %v", err, res.BadSectors(), test.bad, res.Bad)
			}
		})
	}
}
