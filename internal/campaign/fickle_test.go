package campaign

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/drive"
	"spindle/internal/testdisc"
	"spindle/rip"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A fickle drive answers one question now as one disc, now as another.
type fickle struct {
	scsi.Device
	other scsi.Device
	op    scsi.Opcode
	turn  int // which of two answers is the other's
	asked int
}

func (f *fickle) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	if scsi.Opcode(c.CDB[0]) != f.op {
		return f.Device.Execute(ctx, c)
	}
	if f.asked++; f.asked%2 == f.turn {
		return f.other.Execute(ctx, c)
	}
	return f.Device.Execute(ctx, c)
}

// longerCD is smallCD with another track.
func longerCD(t testing.TB) disc.Image {
	t.Helper()
	l := &disc.Layout{Sessions: []disc.Session{{Number: 1, LeadOut: 700, Tracks: []disc.Track{
		{Number: 1, End: 300}, {Number: 2, Start: 300, End: 500}, {Number: 3, Start: 500, End: 700},
	}}}}
	return extents(t, l, disc.Extent{Count: 700, Source: testdisc.Pattern{}, Form: disc.FormRaw})
}

// A drive that changes its mind between two identical questions is not believed: what comes
// is the disc, or an error, or listed.
func TestFickleDrive(t *testing.T) {
	for _, op := range told {
		for turn := range 2 {
			img := smallCD(t)
			other := sim.New(sim.Config{Image: longerCD(t)})
			if d := mmc.New(other); drive.WaitReady(t.Context(), d, drive.ReadyLimit) != nil {
				t.Fatal("not ready")
			}
			dev := &fickle{Device: sim.New(sim.Config{Image: img}), other: other, op: op, turn: turn}
			out := filepath.Join(t.TempDir(), "out.cue")
			res, err := rip.Rip(context.Background(), mmc.New(dev), rip.Options{Output: out, Format: rip.CueBin, Retries: 1})
			if err != nil {
				continue
			}
			if op == scsi.OpRead10 || op == scsi.OpReadCD {
				// The other disc's sectors come in place of some: nothing can tell, unless both
				// readings of audio differ, or data are not where they should be.
				continue
			}
			compareRip(t, img, res)
		}
	}
}

// A vanishing drive is gone after some commands.
type vanishing struct {
	scsi.Device
	left int
}

func (v *vanishing) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	if v.left--; v.left < 0 {
		return 0, scsi.ErrGone
	}
	return v.Device.Execute(ctx, c)
}

// A drive that vanishes in the middle of a rip, and comes back under another name, or
// another drive in its place, resumes it: nothing that was read is lost.
func TestDriveVanishes(t *testing.T) {
	img := audioDisc(t)
	for _, after := range []int{0, 1, 7, 30, 60, 90, 110} {
		out := filepath.Join(t.TempDir(), "out.cue")
		opts := rip.Options{Output: out, Format: rip.CueBin, Retries: 1}
		_, err := rip.Rip(context.Background(), mmc.New(&vanishing{sim.New(sim.Config{Image: img}), after}), opts)
		if err == nil {
			t.Errorf("gone after %d commands, and nobody noticed", after)
			continue
		}
		if !errors.Is(err, scsi.ErrGone) && !errors.Is(err, rip.ErrDrive) {
			t.Errorf("gone after %d commands: %v", after, err)
		}
		back := sim.New(sim.Config{Image: img, Identity: sim.Identity{Vendor: "OTHER", Product: "DRIVE", Revision: "2"}})
		res, err := rip.Rip(context.Background(), mmc.New(back), opts)
		if err != nil || len(res.Bad) > 0 {
			t.Errorf("gone after %d commands, and back: %v, %+v", after, err, res)
			continue
		}
		compareRip(t, img, res)
	}
}
