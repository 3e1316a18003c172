package rip

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A listener notes which sectors are read as audio.
type listener struct {
	scsi.Device
	read [5000]bool
}

func (c *listener) Execute(ctx context.Context, x *scsi.Command) (int, error) {
	if x.CDB[0] == 0xBE && x.CDB[10] == 0 { // without sub-channel: that is how indexes are found
		first, n := int(x.CDB[2])<<24|int(x.CDB[3])<<16|int(x.CDB[4])<<8|int(x.CDB[5]), int(x.CDB[6])<<16|int(x.CDB[7])<<8|int(x.CDB[8])
		for i := first; i < first+n && len(x.Data) >= n*cdsector.Size; i++ {
			c.read[i] = true
		}
	}
	return c.Device.Execute(ctx, x)
}

// Sectors that are not asked for are not read, and the map says so; another rip adds some, and
// the last one makes the image whole.
func TestOnlySomeSectors(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(9, 9)))
	dir := t.TempDir()
	opts := a.options(filepath.Join(dir, "x"))
	opts.Once = true // nothing is read to empty the drive's buffer
	second := drive.Stretch{First: madeData, End: madeData + madeAudio}
	third := drive.Stretch{First: second.End, End: second.End + madeAudio}
	run := func(only ...drive.Stretch) (*Result, *listener) {
		opts.Only = asking(only)
		c := &listener{Device: sim.New(a.config(t))}
		res, err := Rip(context.Background(), mmc.New(c), opts)
		if err != nil {
			t.Fatal(err)
		}
		return res, c
	}
	held := func() []byte {
		b, err := os.ReadFile(strings.TrimSuffix(opts.Output, ".cue") + ".bin")
		if err != nil || len(b) != len(a.b) {
			t.Fatalf("%d bytes: %v", len(b), err)
		}
		return b
	}
	of := func(b []byte, s drive.Stretch) []byte {
		return b[int(s.First)*cdsector.Size : int(s.End)*cdsector.Size]
	}

	res, c := run(third)
	if len(res.Bad) > 0 || res.Map == "" || res.ReadTwice || len(res.Images) > 0 {
		t.Errorf("%+v", res)
	}
	if b := held(); !bytes.Equal(of(b, third), of(a.b, third)) || bytes.Equal(of(b, second), of(a.b, second)) {
		t.Error("other sectors than those asked for")
	}
	read := 0
	for i := range madeData + madeAudio {
		if c.read[i] {
			read++
		}
	}
	if read > 150 { // what the drive is tried with
		t.Errorf("%d sectors read that were not asked for", read)
	}
	if done := finished(t, opts.Output, cdsector.Size); len(done) != madeAudio || done[0] != int(third.First) {
		t.Errorf("%d sectors finished", len(done))
	}

	if res, _ = run(second); len(res.Bad) > 0 || res.Map == "" {
		t.Errorf("%+v", res)
	}
	if res, _ = run(); res.Map != "" || len(res.Bad) > 0 || res.Whole.SHA256 == "" || !bytes.Equal(held(), a.b) {
		t.Errorf("%+v", res)
	}
	if _, err := os.Stat(opts.Output + mapfile.Suffix); err == nil {
		t.Error("the map of a whole image is left")
	}
}

// Damage among what is asked for stands in the result, and elsewhere does not.
func TestOnlyDamage(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(9, 10)))
	end := disc.LBA(madeData + 2*madeAudio)
	for _, x := range []struct {
		fault string
		bad   int
	}{{"read:500-510", 0}, {"read:1300-1301", 2}} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Only = asking([]drive.Stretch{{First: madeData + madeAudio, End: end}})
		res, err := Rip(context.Background(), a.traits(t, "", x.fault), opts)
		if err != nil || res.BadSectors() != x.bad || res.Map == "" {
			t.Errorf("%s: %v, %+v", x.fault, err, res)
		}
	}
}

// asking says what to read of any layout.
func asking(only []drive.Stretch) func(*disc.Layout) []drive.Stretch {
	if only == nil {
		return nil
	}
	return func(*disc.Layout) []drive.Stretch { return only }
}
