package rip

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"spindle/disc"
	"spindle/image/mapfile"
	"spindle/scsi"

	"github.com/google/go-cmp/cmp"
)

func TestDamageThenCleaned(t *testing.T) {
	for name, test := range map[string]struct {
		disc, query string
		reason      Reason
		track       int
		first, last disc.LBA
	}{
		"data":   {"data", "?fault=read:500-510", Unreadable, 1, 500, 510},
		"audio":  {"audio", "?fault=read:500-502", Flawed, 2, 500, 502},
		"lost":   {"audio", "?fault=lost:700", Unreadable, 2, 700, 700},
		"cable":  {"data", "?fault=corrupt:1999", Flawed, 1, 1999, 1999},
		"xa":     {"xa", "?fault=read:0-3", Unreadable, 1, 0, 3},
		"no C2":  {"audio", "?c2=no&fault=lost:0", Unreadable, 1, 0, 0},
		"at end": {"mixed", "?fault=lost:1449", Unreadable, 3, 1449, 1449},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := makeDisc(t, test.disc)
			out := filepath.Join(t.TempDir(), filepath.Base(src))
			opts := Options{Output: out, Format: CueBin, Retries: 1}
			if test.reason == Flawed {
				opts.Retries = 0 // or parity corrects a bit
			}
			res, err := Rip(context.Background(), tray(t, src, test.query), opts)
			if err != nil {
				t.Fatal(err)
			}
			want := []BadRange{{Track: test.track, First: test.first, Last: test.last, Reason: test.reason}}
			if diff := cmp.Diff(want, res.Bad); diff != "" {
				t.Error(diff)
			}
			if res.Map == "" {
				t.Fatal("no map is left")
			}
			// Everything else is as on the disc.
			a, _ := os.ReadFile(base(src) + ".bin")
			b, err := os.ReadFile(base(out) + ".bin")
			if err != nil || len(a) != len(b) {
				t.Fatal(len(a), len(b), err)
			}
			for i := 0; i < len(a); i += 2352 {
				at := disc.LBA(i / 2352)
				if inside := at >= test.first && at <= test.last; !inside && !bytes.Equal(a[i:i+2352], b[i:i+2352]) {
					t.Errorf("sector %d is wrong", at)
				}
			}
			// Once it is cleaned, only the bad sectors are read again.
			d := tray(t, src, "")
			if res, err = Rip(context.Background(), d, opts); err != nil || len(res.Bad) > 0 || !res.Resumed {
				t.Fatalf("%+v, %v", res, err)
			}
			same(t, base(src)+".bin", base(out)+".bin")
			if _, err := os.Stat(out + mapfile.Suffix); !errors.Is(err, os.ErrNotExist) {
				t.Error("the map is still there")
			}
		})
	}
}

func TestRetriesHelp(t *testing.T) {
	for _, query := range []string{"?fault=read:500-505:3", "?fault=lost:500-505:3", "?fault=corrupt:500:2"} {
		src := makeDisc(t, "data")
		out := filepath.Join(t.TempDir(), "x.cue")
		res, err := Rip(context.Background(), tray(t, src, query), Options{Output: out, Format: CueBin, Retries: 3})
		if err != nil || len(res.Bad) > 0 {
			t.Fatalf("%s: %+v, %v", query, res, err)
		}
		same(t, base(src)+".bin", base(out)+".bin")
	}
}

func TestGiveUp(t *testing.T) {
	src := makeDisc(t, "data")
	o := new(observer)
	d := tray(t, src, "?fault=read:100-200")
	res, err := Rip(context.Background(), d, Options{Output: filepath.Join(t.TempDir(), "x.cue"), Format: CueBin,
		Retries: 1000, GiveUp: 10 * time.Minute, Observer: o})
	if err != nil || res.BadSectors() != 101 {
		t.Fatalf("%+v, %v", res, err)
	}
	if !o.told(NoteGaveUp) {
		t.Errorf("notes: %+v", o.notes)
	}
}

// Giving up counts while it is closed in on damage, too. What was not reached is
// filled and listed, and the next run closes in on it.
func TestGiveUpClosingIn(t *testing.T) {
	src := makeDisc(t, "data")
	o := new(observer)
	d := tray(t, src, "?fault=read:100-1900")
	opts := Options{Output: filepath.Join(t.TempDir(), "x.cue"), Format: CueBin, Retries: 2, GiveUp: time.Second, Observer: o}
	var begun, ended time.Time
	o.progress = func(p Progress) {
		switch now := d.Clock().Now(); {
		case p.Phase == Trimming && begun.IsZero():
			begun = now
		case p.Phase == Retrying:
			t.Error("it retries")
		case p.Phase == Trimming:
			ended = now
		}
	}
	res, err := Rip(context.Background(), d, opts)
	if err != nil || res.BadSectors() < 1801 || !o.told(NoteGaveUp) {
		t.Fatalf("%d bad, %v, notes %+v", res.BadSectors(), err, o.notes)
	}
	if by := byReason(res.Bad); by[GivenUp] < 1500 || by[Unreadable] > 60 {
		t.Errorf("sectors that nobody tried are called %v", by)
	}
	if took := ended.Sub(begun); took > time.Minute {
		t.Errorf("closing in took %v", took)
	}
	bin, err := os.ReadFile(base(opts.Output) + ".bin")
	if err != nil || !bytes.Equal(bin[1500*2352+16:1501*2352], bytes.Repeat([]byte{fillByte}, 2336)) {
		t.Errorf("sector 1500 is not filled (%v)", err)
	}
	opts.Observer = nil
	if res, err := Rip(context.Background(), tray(t, src, ""), opts); err != nil || len(res.Bad) > 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	same(t, base(src)+".bin", base(opts.Output)+".bin")
}

// Without retries, what an earlier run left is read once more, and what this one
// finds is not.
func TestNoRetries(t *testing.T) {
	src := makeDisc(t, "data")
	opts := Options{Output: filepath.Join(t.TempDir(), "x.cue"), Format: CueBin}
	if res, err := Rip(context.Background(), tray(t, src, "?fault=read:1000&fault=corrupt:1200"), opts); err != nil || res.BadSectors() != 2 {
		t.Fatalf("%+v, %v", res, err)
	}
	if res, err := Rip(context.Background(), tray(t, src, "?fault=read:1000"), opts); err != nil || res.BadSectors() != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	if res, err := Rip(context.Background(), tray(t, src, ""), opts); err != nil || len(res.Bad) > 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	same(t, base(src)+".bin", base(opts.Output)+".bin")
}

// Faults of single commands: the rip continues, and the image is right.
func TestPassingFaults(t *testing.T) {
	src := makeDisc(t, "mixed")
	for _, query := range []string{
		"?fault=be:30:timeout", "?fault=be:40:short", "?fault=be:35:6/29/00", "?fault=be:35:2/04/01", "?fault=be:44:4/08/00",
		"?fault=be:50:b/4b/00", "?fulltoc=no", "?subchannel=no", "?c2=no", "?fault=46:1:5/20/00",
		"?fault=51:1:5/20/00", "?fault=25:1:long", "?fault=43:1:long", "?fault=5a:1:5/24/00", "?fault=42:1:5/20/00", "?speed=1",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "x.cue")
			res, err := Rip(context.Background(), tray(t, src, query), Options{Output: out, Format: CueBin, Retries: 2})
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Bad) > 0 {
				t.Errorf("%+v", res.Bad)
			}
			same(t, base(src)+".bin", base(out)+".bin")
		})
	}
}

// Faults that end the rip: the right error, and the next run finishes it.
func TestFatalFaults(t *testing.T) {
	src := makeDisc(t, "data")
	for query, want := range map[string]error{
		"?fault=be:40:gone": scsi.ErrGone, "?fault=be:40:eject": ErrTakenOut,
		"?fault=be:40:timeout&fault=be:41:timeout&fault=be:42:timeout": ErrDrive,
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "x.cue")
			opts := Options{Output: out, Format: CueBin}
			if _, err := Rip(context.Background(), tray(t, src, query), opts); !errors.Is(err, want) {
				t.Fatalf("%v, want %v", err, want)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("there is a cue sheet of a disc that was not read")
			}
			res, err := Rip(context.Background(), tray(t, src, ""), opts)
			if err != nil || !res.Resumed {
				t.Fatal(err)
			}
			same(t, base(src)+".bin", base(out)+".bin")
		})
	}
}
