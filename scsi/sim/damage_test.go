package sim

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// bigDisc is a disc of data.
func bigDisc(t testing.TB, m disc.Medium, sectors int) disc.Image {
	t.Helper()
	form := disc.FormMode1
	if m != disc.CD {
		form = disc.FormBlock
	}
	l := &disc.Layout{Medium: m, Sessions: []disc.Session{{Number: 1, LeadOut: disc.LBA(sectors), Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(sectors)}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Source: noise{}, Form: form}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func faults(t testing.TB, all ...string) (fs []Fault) {
	t.Helper()
	for _, s := range all {
		f, err := ParseFault(s)
		if err != nil {
			t.Fatal(err)
		}
		fs = append(fs, f)
	}
	return fs
}

// read10 reads sectors, and returns how many came and what went wrong.
func read10(d *Drive, at, n int) (came int, sense string) {
	cdb := make([]byte, 10)
	cdb[0] = 0x28
	binary.BigEndian.PutUint32(cdb[2:], uint32(at))
	binary.BigEndian.PutUint16(cdb[7:], uint16(n))
	got, err := run(d, make([]byte, n*2048), cdb...)
	return got / 2048, triple(err)
}

// sampling is how many units of a disc one stands for.
const sampling = 11

// failures reads some units of a disc a few times, and returns how many fail at first and how many always.
func failures(d *Drive, sectors, unit, tries int) (first, always int) {
	for at := 0; at+unit <= sectors; at += sampling * unit {
		for i := range tries {
			if _, err := read10(d, at, unit); err == "" {
				break
			}
			if i == 0 {
				first++
			}
			if i+1 == tries {
				always++
			}
		}
	}
	return first, always
}

// Each kind of damage makes some sectors fail, and some of these only now and then; the same seed makes the same
// damage, and another one other damage.
func TestDamage(t *testing.T) {
	sectors := map[disc.Medium]int{disc.CD: 4000, disc.DVD: 32000, disc.BD: 64000}
	for m, n := range sectors {
		for name, kind := range sectorFaults {
			if _, ok := wounds[kind]; !ok {
				continue
			}
			fault := fmt.Sprintf("%s:%d-%d", name, n/8, n-n/8)
			t.Run(m.String()+" "+fault, func(t *testing.T) {
				t.Parallel()
				var found [3]string
				for i, seed := range []uint64{5, 5, 6} {
					d := ready(t, Config{Image: bigDisc(t, m, n), Faults: faults(t, fault), Seed: seed})
					first, always := failures(d, n, newSpiral(m).block, 3)
					if tried := n / newSpiral(m).block / sampling; first == 0 || first == tried || always > first {
						t.Errorf("of %d, %d fail at first, and %d always", tried, first, always)
					}
					found[i] = fmt.Sprint(first, always, d.Stats())
				}
				if found[0] != found[1] || found[0] == found[2] {
					t.Errorf("%q", found)
				}
			})
		}
	}
}

// What lies beside damage is as it was, and in it each byte that comes wrong is marked.
func TestDamageIsMarked(t *testing.T) {
	good := ready(t, Config{Image: mixedDisc(t)})
	d := ready(t, Config{Image: mixedDisc(t), Faults: faults(t, "weak:400-500:400"), Seed: 3})
	want, got := make([]byte, cdsector.Size), make([]byte, cdsector.Size+c2Size)
	hit := 0
	for a := 350; a < 600; a++ {
		if _, err := run(good, want, readCD(a, 1, 0, 0xF8, 0)...); err != nil {
			t.Fatal(err)
		}
		if _, err := run(d, got, readCD(a, 1, 0, 0xFA, 0)...); err != nil {
			t.Fatal(err)
		}
		marks := (*cdsector.Erasures)(got[cdsector.Size:])
		for i := range want {
			if marks.Has(i) != (want[i] != got[i]) {
				t.Fatalf("byte %d of sector %d", i, a)
			}
		}
		if *marks != (cdsector.Erasures{}) {
			hit++
			if a < 400-reach || a > 500 {
				t.Errorf("sector %d is damaged", a)
			}
		}
	}
	if hit < 20 {
		t.Errorf("%d sectors are damaged", hit)
	}
}

// Weak burns read better slowly.
func TestSlowerIsBetter(t *testing.T) {
	var first [2]int
	for i, speed := range []int{48, 4} {
		d := ready(t, Config{Image: bigDisc(t, disc.CD, 4000), Faults: faults(t, "weak:0-3999:200"), Speed: 48})
		if _, err := run(d, nil, 0xBB, 0, byte(speed*176>>8), byte(speed*176&0xFF), 0xFF, 0xFF, 0, 0, 0, 0, 0, 0); err != nil {
			t.Fatal(err)
		}
		first[i], _ = failures(d, 4000, 1, 1)
	}
	if first[1]*2 > first[0] {
		t.Errorf("%d failures at 48x, %d at 4x", first[0], first[1])
	}
}

// A fault of blocks hits all of an ECC block, and what is beside it not.
func TestBlockFault(t *testing.T) {
	for m, block := range map[disc.Medium]int{disc.DVD: 16, disc.BD: 32} {
		d := ready(t, Config{Image: bigDisc(t, m, 400), Faults: faults(t, "block:100", "block:200:2")})
		at := 100 / block * block
		if came, sense := read10(d, at-block, 3*block); came != block || sense != "3/11/05" {
			t.Errorf("%v: %d sectors, %q", m, came, sense)
		}
		for i := range block {
			if _, sense := read10(d, at+i, 1); sense == "" {
				t.Errorf("%v: sector %d comes", m, at+i)
			}
		}
		if _, sense := read10(d, at+block, block); sense != "" {
			t.Errorf("%v: the block behind it: %q", m, sense)
		}
		for i, want := range []string{"3/11/05", "3/11/05", "", ""} {
			if _, sense := read10(d, 200/block*block, block); sense != want {
				t.Errorf("%v: try %d: %q", m, i, sense)
			}
		}
	}
}

// Real time hurries the drive to the end of what it is busy with, and no further.
func TestRushEnds(t *testing.T) {
	d := New(Config{Image: mixedDisc(t), Rush: 60})
	d.hurry(2 * time.Second)
	if got := d.clock.elapsed(); got != d.readyAt || got == 0 {
		t.Errorf("%v after spinning up for %v", got, d.readyAt)
	}
	d.hurry(2 * time.Second)
	if got := d.clock.elapsed(); got != d.readyAt {
		t.Errorf("%v, though it was not busy", got)
	}
	d.rec.op = &operation{until: d.readyAt + 90*time.Second}
	d.hurry(time.Second)
	d.hurry(time.Second)
	if got := d.clock.elapsed(); got != d.rec.op.until {
		t.Errorf("%v, busy until %v", got, d.rec.op.until)
	}
}
