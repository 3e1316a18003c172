package rip

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// scrambled makes a drive that refuses sectors from first to before end.
func scrambled(t *testing.T, d *madeDisc, first, end int) *mmc.Drive {
	return mmc.New(&quirky{sim.New(d.config(t)), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		at, n := sectorsOf(c)
		if n == 0 || at >= end || at+n <= first {
			return next.Execute(ctx, c)
		}
		return 0, &scsi.CheckCondition{Opcode: scsi.Opcode(c.CDB[0]), Sense: scsi.Sense{
			Key: scsi.IllegalRequest, ASC: scsi.ASCCopyProtection, ASCQ: scsi.ASCQScrambledSector}}
	}})
}

// What a drive refuses as protected is left out, and all else is read: no pass of
// retrying is spent on it, and what follows it is as good as what precedes it.
func TestProtectedPartOfDisc(t *testing.T) {
	a := makeDVD(madeVolume(t), rand.New(rand.NewPCG(9, 9)), 3000)
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	o := &observer{}
	opts.Observer, opts.Retries = o, 3
	res, err := Rip(context.Background(), scrambled(t, a, 517, 2005), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Bad) != 1 || res.Bad[0] != (BadRange{1, 517, 2004, Protected}) || !o.told(NoteRefused) {
		t.Errorf("bad: %v, notes: %v", res.Bad, o.notes)
	}
	got, err := os.ReadFile(opts.Output)
	if err != nil || !bytes.Equal(got[:517*2048], a.b[:517*2048]) || !bytes.Equal(got[2005*2048:], a.b[2005*2048:]) {
		t.Errorf("the rest is not as on the disc (%v)", err)
	}
	// A drive that gives them reads just these.
	res, err = Rip(context.Background(), a.drive(t), opts)
	if err != nil || len(res.Bad) > 0 || !res.Resumed {
		t.Errorf("%v, %v", res, err)
	}
}

// A disc of which all is refused is given up before each sector is tried.
func TestProtectedDisc(t *testing.T) {
	a := makeDVD(madeVolume(t), rand.New(rand.NewPCG(9, 9)), 3000)
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	if _, err := Rip(context.Background(), scrambled(t, a, 0, 3000), opts); !errors.Is(err, ErrProtected) {
		t.Errorf("%v, want %v", err, ErrProtected)
	}
}
