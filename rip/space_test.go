package rip

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/image/mapfile"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// Room is looked for before anything is made, and where the system does not say, the rip
// continues.
func TestSpace(t *testing.T) {
	src := makeDisc(t, "iso")
	for name, test := range map[string]struct {
		free int64
		err  error
		fits bool
	}{
		"too little": {315*2048 - 1, nil, false},
		"enough":     {315 * 2048, nil, true},
		"unknown":    {0, errors.ErrUnsupported, true},
	} {
		dir := t.TempDir()
		out := filepath.Join(dir, "x.iso")
		j := &job{drive: tray(t, src, ""), opts: Options{Output: out, Format: ISO, Observer: &observer{}}, mapPath: out + mapfile.Suffix,
			free: func(string) (int64, error) { return test.free, test.err }}
		_, err := j.run(context.Background())
		var full *NoSpaceError
		if (err == nil) != test.fits || !test.fits && (!errors.As(err, &full) || full.Need != 315*2048 || full.Have != test.free) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); !test.fits && len(left) > 0 {
			t.Errorf("%s: %v", name, left)
		}
	}
}

// Of a rip that is resumed, what was tried has its room already, be it finished or not.
func TestResumeSpace(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(5, 5)))
	cfg := a.config(t)
	cfg.NoC2 = true
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Subchannel = true
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	opts.Observer = &observer{progress: func(p Progress) {
		if p.Phase == Comparing {
			cancel()
		}
	}}
	if _, err := Rip(ctx, mmc.New(sim.New(cfg)), opts); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	opts.Observer = &observer{}
	j := &job{drive: mmc.New(sim.New(cfg)), opts: opts, mapPath: opts.Output + mapfile.Suffix,
		free: func(string) (int64, error) { return 0, nil }}
	if res, err := j.run(context.Background()); err != nil || len(res.Bad) > 0 {
		t.Fatalf("%v: %+v", err, res)
	}
}

// What stands in the way is reported before the disc is looked at.
func TestNamesComeFirst(t *testing.T) {
	for name, opts := range map[string]Options{
		"x.iso": {Output: "x.iso", Format: ISO}, "x.iso.part": {Output: "x.iso", Format: ISO}, "x.cue": {Output: "x.cue", Format: CueBin},
		"x.bin": {Output: "x.cue", Format: CueBin}, "x.sub": {Output: "x.cue", Format: CueBin, Subchannel: true},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		opts.Output = filepath.Join(dir, opts.Output)
		if _, err := Rip(context.Background(), mmc.New(sim.New(sim.Config{})), opts); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPartitionsEnd(t *testing.T) {
	table := func(change func(b []byte)) *[2048]byte {
		var b [2048]byte
		b[510], b[511] = 0x55, 0xAA
		change(b[:])
		return &b
	}
	for name, test := range map[string]struct {
		block *[2048]byte
		want  int64
	}{
		"none": {new([2048]byte), 0},
		"MBR": {table(func(b []byte) {
			b[446+16+4] = 0xEF
			binary.LittleEndian.PutUint32(b[446+16+8:], 1000)
			binary.LittleEndian.PutUint32(b[446+16+12:], 25)
		}), 257},
		"GPT": {table(func(b []byte) {
			b[446+4] = 0xEE
			binary.LittleEndian.PutUint32(b[446+12:], 0xFFFFFFFF)
			copy(b[512:], "EFI PART")
			binary.LittleEndian.PutUint64(b[512+32:], 4003)
		}), 1001},
	} {
		if got := partitionsEnd(test.block); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

// Parts of a recordable disc that were never written are no errors: they are zeros.
func TestUnwritten(t *testing.T) {
	const from, end = 512, 2912 // whole ECC blocks
	a := makeDVD(madeVolume(t), rand.New(rand.NewPCG(2, 2)), 3000)
	clear(a.b[from*2048 : end*2048])
	cfg := a.config(t)
	cfg.Media = "dvd-ram"
	commands := 0
	d := mmc.New(&quirky{sim.New(cfg), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		if at, n := sectorsOf(c); n > 0 && at < end && at+n > from {
			commands++
			return 0, &scsi.CheckCondition{Opcode: scsi.Opcode(c.CDB[0]), Sense: scsi.Sense{Key: scsi.BlankCheck}}
		}
		return next.Execute(ctx, c)
	}})
	o := &observer{}
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Observer, opts.Whole = o, true
	res, err := Rip(context.Background(), d, opts)
	if err != nil || len(res.Bad) > 0 || !o.told(NoteUnwritten) || commands > 400 {
		t.Fatalf("%v: %+v, %d commands", err, res, commands)
	}
	if got, err := os.ReadFile(opts.Output); err != nil || string(got) != string(a.b) {
		t.Errorf("the image is not the disc (%v)", err)
	}
}

// Work on damage says where it is and how far it has come.
func TestDamageProgress(t *testing.T) {
	src := makeDisc(t, "iso")
	seen, last := make(map[Phase]Damage), make(map[Phase]Damage)
	o := &observer{progress: func(p Progress) {
		if p.Damage != nil {
			seen[p.Phase], last[p.Phase] = last[p.Phase], *p.Damage
		}
	}}
	if _, err := Rip(context.Background(), tray(t, src, "?fault=read:100-109"),
		Options{Output: filepath.Join(t.TempDir(), "x.iso"), Format: ISO, Retries: 2, Observer: o}); err != nil {
		t.Fatal(err)
	}
	if d := seen[Trimming]; d.Of < 9 || d.Elapsed <= 0 {
		t.Errorf("trimming: %+v", d)
	}
	if d := seen[Retrying]; d.Of != 10 || d.Tried != 9 || d.ToGo <= 0 {
		t.Errorf("retrying: %+v", d)
	}
	for ph, d := range last {
		if d.Tried != d.Of || d.ToGo != 0 {
			t.Errorf("at the end of %s: %+v", ph, d)
		}
	}
}
