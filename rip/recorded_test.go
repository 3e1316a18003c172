package rip

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// unreadable makes a drive that gives no sectors of some stretches, and counts those that
// are asked for during the rip.
func unreadable(dev scsi.Device, asked *int, stretches ...[2]int) *mmc.Drive {
	return mmc.New(&quirky{dev, func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		at, n := sectorsOf(c)
		for _, s := range stretches {
			if n > 0 && at < s[1] && at+n > s[0] {
				*asked += min(at+n, s[1]) - max(at, s[0])
				return 0, &scsi.CheckCondition{Opcode: scsi.Opcode(c.CDB[0]), Sense: scsi.Sense{
					Key: scsi.IllegalRequest, ASC: scsi.ASCIllegalModeForTrack}}
			}
		}
		return next.Execute(ctx, c)
	}})
}

// Run-out blocks in the middle of a session stand in the image as what they are, and are
// no damage; at its end they are left out.
func TestRunOutBlocks(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(6, 6)))
	asked := 0
	cfg := a.config(t)
	cfg.TrackAtOnce = true
	d := unreadable(sim.New(cfg), &asked, [2]int{madeData - 2, madeData})
	o := &observer{}
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Observer, opts.Split = o, true
	res, err := Rip(context.Background(), d, opts)
	if err != nil || len(res.Bad) > 0 || !o.told(NoteRunOut) || asked > 100 {
		t.Fatalf("%v: %+v, %d asked for", err, res, asked)
	}
	if len(res.Tracks) != 3 || len(res.Images) != 3 || res.Tracks[0].Size != madeData*cdsector.Size {
		t.Errorf("tracks: %+v", res.Tracks)
	}
	got, err := os.ReadFile(res.Images[0].Path)
	if err != nil || !bytes.Equal(got[:(madeData-2)*cdsector.Size], a.b[:(madeData-2)*cdsector.Size]) {
		t.Errorf("the data are not as on the disc (%v)", err)
	}
	for i, s := range [][]byte{got[(madeData-2)*cdsector.Size:][:cdsector.Size], got[(madeData-1)*cdsector.Size:]} {
		sector := (*[cdsector.Size]byte)(s)
		if own, ok := cdsector.Address(sector); !ok || own != disc.LBA(madeData-2+i).MSF() || sector[15] != runOutModes[i] || !cdsector.EDCOK(sector, cdsector.Mode1) {
			t.Errorf("run-out block %d: %x", i, sector[:20])
		}
	}
}

// A closed disc was written wherever it says so: BLANK CHECK is damage there. A disc that is
// written at any place has parts that never were.
func TestBlankCheck(t *testing.T) {
	for media, bad := range map[string]int{"dvd-r": 16, "dvd+rw": 0} {
		r := rand.New(rand.NewPCG(7, 7))
		a := makeDVD(madeVolume(t), r, 900)
		config := a.config(t)
		config.Media = media
		d := mmc.New(&quirky{sim.New(config), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
			if at, n := sectorsOf(c); n > 0 && at < 816 && at+n > 800 {
				return 0, &scsi.CheckCondition{Opcode: scsi.Opcode(c.CDB[0]), Sense: scsi.Sense{Key: scsi.BlankCheck}}
			}
			return next.Execute(ctx, c)
		}})
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Whole = true
		res, err := Rip(t.Context(), d, opts)
		if err != nil || res.BadSectors() != bad || res.Absent != int64(16-bad) {
			t.Errorf("%s: %v: %+v", media, err, res)
		}
	}
}
