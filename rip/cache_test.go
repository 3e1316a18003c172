package rip

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A caching drive gives sectors of its buffer again as it read them, without the disc.
type caching struct {
	scsi.Device
	room  int // bytes
	flush bool

	sectors map[int][]byte
	order   []int
}

func (d *caching) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	switch scsi.Opcode(c.CDB[0]) {
	case scsi.OpRead12:
		if !d.flush {
			return 0, &scsi.CheckCondition{Opcode: scsi.OpRead12, Sense: scsi.Sense{Key: scsi.IllegalRequest, ASC: scsi.ASCInvalidOpcode}}
		}
		d.drop()
		return 0, nil
	case scsi.OpStartStopUnit:
		d.drop()
	}
	at, n := sectorsOf(c)
	if n == 0 {
		return d.Device.Execute(ctx, c)
	}
	size := len(c.Data) / n
	if d.has(at, n, size) {
		for i := range n {
			copy(c.Data[i*size:], d.sectors[at+i])
		}
		return len(c.Data), nil
	}
	got, err := d.Device.Execute(ctx, c)
	if err == nil {
		for i := range n {
			d.keep(at+i, slices.Clone(c.Data[i*size:][:size]))
		}
	}
	return got, err
}

func (d *caching) has(at, n, size int) bool {
	for i := range n {
		if len(d.sectors[at+i]) != size {
			return false
		}
	}
	return true
}

func (d *caching) keep(at int, b []byte) {
	if _, ok := d.sectors[at]; !ok {
		d.order = append(d.order, at)
	}
	d.sectors[at] = b
	for len(d.order)*len(b) > d.room {
		delete(d.sectors, d.order[0])
		d.order = d.order[1:]
	}
}

func (d *caching) drop() { d.sectors, d.order = make(map[int][]byte), nil }

// Audio that came with errors is read again from the disc, and not from the drive's
// buffer: also in short tracks, and on discs that the buffer holds whole.
func TestBufferIsDefeated(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(5, 5)))
	for name, test := range map[string]struct {
		room   int
		flush  bool
		faults string
		noC2   bool
	}{
		"others push it out":    {1 << 20, false, "read:1590-1593:1", false},
		"forced access":         {1 << 20, true, "read:1590-1593:1", false},
		"the whole disc fits":   {8 << 20, false, "read:1590-1593:1", false},
		"it fits, forced":       {8 << 20, true, "read:1590-1593:1", false},
		"compared, and it fits": {8 << 20, false, "read:1590-1593:1", true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := a.config(t)
			f, err := sim.ParseFault(test.faults)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Faults, cfg.NoC2 = []sim.Fault{f}, test.noC2
			d := &caching{Device: sim.New(cfg), room: test.room, flush: test.flush}
			d.drop()
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			opts.Retries = 3
			stated := &quirky{d, func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
				n, err := next.Execute(ctx, c)
				if scsi.Opcode(c.CDB[0]) == scsi.OpModeSense10 && c.CDB[2] == 0x2A && n > 8+13 {
					c.Data[8+12], c.Data[8+13] = byte(test.room>>18), byte(test.room>>10)
				}
				return n, err
			}}
			res, err := Rip(context.Background(), mmc.New(stated), opts)
			if err != nil || len(res.Bad) > 0 {
				t.Fatalf("%v: %+v", err, res)
			}
			if got, err := os.ReadFile(base(opts.Output) + ".bin"); err != nil || !bytes.Equal(got, a.b) {
				t.Errorf("the image is not the disc (%v)", err)
			}
		})
	}
}

// A command that is accepted and changes nothing is found out by the time that the
// sector takes.
func TestFlushIsTried(t *testing.T) {
	if fromDisc < 2*time.Millisecond || fromDisc > 5*time.Millisecond {
		t.Errorf("%s is no turn of a disc", fromDisc)
	}
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(5, 6)))
	cfg := a.config(t)
	f, err := sim.ParseFault("read:1590-1593:1")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Faults = []sim.Fault{f}
	d := &caching{Device: sim.New(cfg), room: 1 << 20}
	d.drop()
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Retries = 3
	deaf := &quirky{d, func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		if scsi.Opcode(c.CDB[0]) == scsi.OpRead12 {
			return 0, nil
		}
		n, err := next.Execute(ctx, c)
		if scsi.Opcode(c.CDB[0]) == scsi.OpModeSense10 && c.CDB[2] == 0x2A && n > 8+13 {
			c.Data[8+12], c.Data[8+13] = 4, 0
		}
		return n, err
	}}
	if res, err := Rip(context.Background(), mmc.New(deaf), opts); err != nil || len(res.Bad) > 0 {
		t.Fatalf("%v: %+v", err, res)
	}
}
