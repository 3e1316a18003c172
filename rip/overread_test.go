package rip

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spindle/scsi"
	"spindle/scsi/mmc"
)

// What a drive gives for sectors before the disc is taken only if it may be what lies there, and
// a reset in between does not count against it.
func TestOverreadIsTried(t *testing.T) {
	src := makeDisc(t, "audio")
	want, err := os.ReadFile(base(src) + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		answer   func(ctx context.Context, next scsi.Device, c *scsi.Command, time, n int) (int, error)
		overread bool
	}{
		"a reset": {func(ctx context.Context, next scsi.Device, c *scsi.Command, time, _ int) (int, error) {
			if time == 1 {
				return 0, &scsi.CheckCondition{Opcode: scsi.OpReadCD, Sense: scsi.Sense{Key: scsi.UnitAttention, ASC: 0x29}}
			}
			return next.Execute(ctx, c)
		}, true},
		"always news": {func(context.Context, scsi.Device, *scsi.Command, int, int) (int, error) {
			return 0, &scsi.CheckCondition{Opcode: scsi.OpReadCD, Sense: scsi.Sense{Key: scsi.UnitAttention, ASC: 0x29}}
		}, false},
		"another sound each time": {func(ctx context.Context, next scsi.Device, c *scsi.Command, time, _ int) (int, error) {
			n, err := next.Execute(ctx, c)
			c.Data[100] ^= byte(time)
			return n, err
		}, false},
		"the next sector once more": {func(ctx context.Context, next scsi.Device, c *scsi.Command, _, n int) (int, error) {
			one := *c
			one.CDB = slices.Clone(c.CDB)
			binary.BigEndian.PutUint32(one.CDB[2:], 0)
			one.CDB[6], one.CDB[7], one.CDB[8] = 0, 0, 1
			one.Data = c.Data[:len(c.Data)/n]
			if _, err := next.Execute(ctx, &one); err != nil {
				return 0, err
			}
			return copy(c.Data, bytes.Repeat(one.Data, n)), nil
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			times := 0
			dev := &quirky{simulated(t, src, "?offset=-30&trait=overreads"), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
				if at, n := sectorsOf(c); n > 0 && at < 0 {
					times++
					return test.answer(ctx, next, c, times, n)
				}
				return next.Execute(ctx, c)
			}}
			out := filepath.Join(t.TempDir(), "x.cue")
			res, err := Rip(t.Context(), mmc.New(dev), Options{Output: out, Format: CueBin, Offset: -30})
			if err != nil || len(res.Bad) > 0 || res.Overread != test.overread {
				t.Fatalf("%v: %+v", err, res)
			}
			got, err := os.ReadFile(base(out) + ".bin")
			if edge := got[:120]; err != nil || !bytes.Equal(got[120:], want[120:]) || test.overread != bytes.Equal(edge, want[:120]) || !test.overread && !allZero(edge) {
				t.Errorf("the image is not the disc (%v)", err)
			}
		})
	}
}

// A rip that is resumed knows what the run before it read beyond the disc.
func TestOverreadIsRemembered(t *testing.T) {
	src := makeDisc(t, "audio")
	out := filepath.Join(t.TempDir(), "x.cue")
	opts := Options{Output: out, Format: CueBin, Offset: -30, Retries: 1}
	res, err := Rip(t.Context(), tray(t, src, "?offset=-30&trait=overreads&fault=read:300"), opts)
	if err != nil || len(res.Bad) == 0 || !res.Overread {
		t.Fatalf("%v: %+v", err, res)
	}
	o := &observer{}
	opts.Observer = o
	res, err = Rip(t.Context(), tray(t, src, "?offset=-30&trait=overreads"), opts)
	if err != nil || len(res.Bad) > 0 || !res.Resumed || !res.Overread || o.told(NoteOffsetStart) {
		t.Errorf("%v: %+v, %v", err, res, o.notes)
	}
	same(t, base(src)+".bin", base(out)+".bin")
}
