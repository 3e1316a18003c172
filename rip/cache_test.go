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

	"spindle/disc"
	"spindle/disc/cdsector"
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
			res, err := Rip(context.Background(), mmc.New(states(d, test.room)), opts)
			if err != nil || len(res.Bad) > 0 {
				t.Fatalf("%v: %+v", err, res)
			}
			if got, err := os.ReadFile(base(opts.Output) + ".bin"); err != nil || !bytes.Equal(got, a.b) {
				t.Errorf("the image is not the disc (%v)", err)
			}
		})
	}
}

// A buffer of several segments is emptied by reading at as many places.
func TestSegmentsAreDefeated(t *testing.T) {
	a := mixedCD(6000, 500, rand.New(rand.NewPCG(5, 5)))
	for _, trait := range []string{"cache", "cache-ignores-fua", "cache-segments", "cache-segments:16"} {
		t.Run(trait, func(t *testing.T) {
			cfg := a.config(t)
			for _, s := range []string{"read:6090-6090:2", "read:6150-6150:2", "read:6310-6310:2", "read:6370-6370:2"} {
				f, err := sim.ParseFault(s)
				if err != nil {
					t.Fatal(err)
				}
				cfg.Faults = append(cfg.Faults, f)
			}
			tr, err := sim.ParseTrait(trait)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Traits = []sim.Trait{tr}
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			opts.Retries = 2
			res, err := Rip(context.Background(), mmc.New(sim.New(cfg)), opts)
			if err != nil || len(res.Bad) > 0 {
				t.Fatalf("%v: %+v", err, res.Bad)
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
		return next.Execute(ctx, c)
	}}
	if res, err := Rip(context.Background(), mmc.New(states(deaf, d.room)), opts); err != nil || len(res.Bad) > 0 {
		t.Fatalf("%v: %+v", err, res)
	}
}

// states makes a drive state the size of its buffer.
func states(d scsi.Device, room int) *quirky {
	return &quirky{d, func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		n, err := next.Execute(ctx, c)
		if scsi.Opcode(c.CDB[0]) == scsi.OpModeSense10 && c.CDB[2] == 0x2A && n > 8+13 {
			c.Data[8+12], c.Data[8+13] = byte(room>>18), byte(room>>10)
		}
		return n, err
	}}
}

// The two readings of short audio behind much data both come from the disc, also where the
// buffer holds all of the audio and the command that empties it does nothing on a slow bus.
func TestShortAudioIsReadTwice(t *testing.T) {
	const data, audio, room, wrong = 2000, 320, 1 << 20, 2105
	a := mixedCD(data, audio, rand.New(rand.NewPCG(5, 5)))
	for name, slow := range map[string]bool{"no flush": false, "a flush in vain, on a slow bus": true} {
		t.Run(name, func(t *testing.T) {
			cfg := a.config(t)
			cfg.NoC2 = true
			done := false
			drv := sim.New(cfg)
			d := &caching{Device: &quirky{drv, func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
				n, err := next.Execute(ctx, c)
				if at, k := sectorsOf(c); err == nil && !done && k > 20 && covers(c, wrong) {
					done = true
					c.Data[(wrong-at)*(len(c.Data)/k)+100] ^= 0x55
				}
				return n, err
			}}, room: room}
			d.drop()
			bus := &quirky{d, func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
				if slow && scsi.Opcode(c.CDB[0]) == scsi.OpRead12 {
					return 0, nil
				}
				if slow {
					_ = drv.Clock().Sleep(ctx, 2*fromDisc)
				}
				return next.Execute(ctx, c)
			}}
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			opts.Retries = 3
			res, err := Rip(context.Background(), mmc.New(states(bus, room)), opts)
			if err != nil || !done {
				t.Fatalf("%v, %t", err, done)
			}
			got, err := os.ReadFile(base(opts.Output) + ".bin")
			if err != nil || len(res.Bad) == 0 && !bytes.Equal(got, a.b) {
				t.Errorf("the image is not the disc (%v), and nothing is listed", err)
			}
		})
	}
}

// Where too little is readable to push the old out of the buffer, the disc is stopped.
func TestTooLittleElsewhere(t *testing.T) {
	a := mixedCD(2000, 320, rand.New(rand.NewPCG(5, 5)))
	cfg := a.config(t)
	cfg.NoC2 = true
	fault, err := sim.ParseFault("read:100-1990")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Faults = []sim.Fault{fault}
	stops := 0
	drv := &quirky{sim.New(cfg), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		if scsi.Opcode(c.CDB[0]) == scsi.OpStartStopUnit {
			stops++
		}
		if scsi.Opcode(c.CDB[0]) == scsi.OpRead12 {
			return 0, &scsi.CheckCondition{Opcode: scsi.OpRead12, Sense: scsi.Sense{Key: scsi.IllegalRequest, ASC: scsi.ASCInvalidOpcode}}
		}
		return next.Execute(ctx, c)
	}}
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	if _, err := Rip(context.Background(), mmc.New(states(drv, 1<<20)), opts); err != nil || stops == 0 {
		t.Errorf("%v, %d stops", err, stops)
	}
}

// mixedCD has a track of data and one of audio.
func mixedCD(data, audio disc.LBA, r *rand.Rand) *madeDisc {
	n := data + audio
	l := &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{{Number: 1, LeadOut: n, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: data},
		{Number: 2, Mode: disc.Audio, Start: data, End: n}}}}}
	d := &madeDisc{l, cdsector.Size, make([]byte, int(n)*cdsector.Size)}
	fillNoise(d.b, r)
	for at := range int(data) {
		s := (*[cdsector.Size]byte)(d.b[at*d.size:])
		cdsector.SetHeader(s, disc.LBA(at).MSF(), 1)
		cdsector.Seal(s, cdsector.Mode1)
	}
	return d
}
