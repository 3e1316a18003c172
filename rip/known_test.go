package rip

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"spindle/drive/known"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

func fact[T comparable](v T) known.Fact[T] { return known.Fact[T]{Value: v, From: known.User} }

// ripKnowing rips a disc from a drive with a trait, as somebody who knows or believes to
// know something of it, and counts the commands that were sent before the first sector
// was kept.
func ripKnowing(t *testing.T, src, query string, facts known.Facts, sub bool) (*Result, *observer, int) {
	t.Helper()
	reads := 0
	dev := &quirky{Device: simulated(t, src, query), do: func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		if scsi.Opcode(c.CDB[0]) == scsi.OpReadCD {
			reads++
		}
		return next.Execute(ctx, c)
	}}
	o := &observer{}
	out := filepath.Join(t.TempDir(), "out.cue")
	res, err := Rip(context.Background(), mmc.New(dev), Options{Output: out, Format: CueBin, Retries: 1, Known: facts, Observer: o, Subchannel: sub})
	if err != nil {
		t.Fatal(err)
	}
	return res, o, reads
}

// What is known costs no more commands, and the image is the same.
func TestKnownCostsNothing(t *testing.T) {
	src := makeDisc(t, "audio")
	for name, test := range map[string]struct {
		query string
		facts known.Facts
		sub   bool
	}{
		"no C2 is right":              {"?trait=c2-garbage", known.Facts{C2Bits: fact(false), C2Block: fact(false)}, false},
		"not with the sub-channel":    {"?trait=c2-and-subchannel-exclusive", known.Facts{C2WithSub: fact(false)}, true},
		"294 bytes are right, 296 no": {"?trait=c2-294-fails-after:2000000", known.Facts{C2Block: fact(false), C2Bits: fact(true)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, without := ripKnowing(t, src, test.query, known.Facts{}, test.sub)
			res, _, with := ripKnowing(t, src, test.query, test.facts, test.sub)
			if len(res.Bad) > 0 {
				t.Errorf("bad: %v", res.Bad)
			}
			if with > without {
				t.Errorf("%d reads, and %d with nothing known", with, without)
			}
			same(t, base(src)+".bin", base(res.Images[0].Path)+".bin")
		})
	}
}

// Whatever is believed of a drive, and however wrong: a good disc comes back as it is, and
// damage is listed.
func TestFalseFacts(t *testing.T) {
	src := makeDisc(t, "audio")
	beliefs := map[string]known.Facts{
		"nothing works": {C2Bits: fact(false), C2Block: fact(false), C2WithSub: fact(false), ForcedAccess: fact(false),
			Stream: fact(false), Cache: fact(1)},
		"everything works": {C2Bits: fact(true), C2Block: fact(true), C2WithSub: fact(true), SubFirst: fact(true),
			ForcedAccess: fact(true), Stream: fact(true), Cache: fact(1 << 28)},
		"294 bytes": {C2Bits: fact(true), C2Block: fact(false), SubFirst: fact(true), Cache: fact(0)},
	}
	for _, query := range []string{
		"?trait=c2-garbage", "?trait=c2-294-fails-after:300", "?trait=c2-296-only-last", "?trait=c2-and-subchannel-exclusive",
		"?c2=no", "?subchannel=no", "?trait=no-accurate-stream", "?fault=corrupt:300:1", "?trait=cache&fault=read:300-301:2",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			plain, _, _ := ripKnowing(t, src, query, known.Facts{}, false)
			for name, facts := range beliefs {
				res, _, _ := ripKnowing(t, src, query, facts, false)
				if len(res.Bad) != len(plain.Bad) || len(res.Bad) > 0 && res.Bad[0].First != plain.Bad[0].First {
					t.Errorf("%s: bad: %v, with nothing known %v", name, res.Bad, plain.Bad)
				}
				if len(plain.Bad) == 0 {
					same(t, base(src)+".bin", base(res.Images[0].Path)+".bin")
				}
			}
		})
	}
}

// That C2 does not work may be wrongly known: then it costs trials, and not C2.
func TestFalselyKnownPointers(t *testing.T) {
	src := makeDisc(t, "audio")
	for name, test := range map[string]struct {
		facts known.Facts
		sub   bool
	}{
		"both forms":           {known.Facts{C2Bits: fact(false), C2Block: fact(false)}, false},
		"with the sub-channel": {known.Facts{C2WithSub: fact(false)}, true},
	} {
		if res, o, _ := ripKnowing(t, src, "", test.facts, test.sub); !res.Pointed {
			t.Errorf("%s: ripped without C2: %v", name, o.notes)
		}
	}
}

// A form of C2 that is known to work is dropped all the same when it fails in the middle.
func TestKnownPointersAreDropped(t *testing.T) {
	src := makeDisc(t, "audio")
	facts := known.Facts{C2Bits: fact(true), C2Block: fact(false)}
	res, o, _ := ripKnowing(t, src, "?trait=c2-294-fails-after:300", facts, false)
	if !o.told(NoteC2Dropped) || len(res.Bad) > 0 {
		t.Errorf("notes %v, bad %v", o.notes, res.Bad)
	}
	got, err := os.ReadFile(res.Images[0].Path)
	want, err2 := os.ReadFile(base(src) + ".bin")
	if err != nil || err2 != nil || !bytes.Equal(got, want) {
		t.Errorf("the image is not the disc (%v, %v)", err, err2)
	}
}
