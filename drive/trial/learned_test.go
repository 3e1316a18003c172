package trial_test

import (
	"reflect"
	"testing"

	"spindle/drive/known"
)

func yes() known.Fact[bool] { return known.Fact[bool]{Value: true, From: known.Remembered} }
func no() known.Fact[bool]  { return known.Fact[bool]{Value: false, From: known.Remembered} }

// What is remembered is of the drive. What may be damage of the disc is not.
func TestLearned(t *testing.T) {
	plain := known.Facts{C2Bits: yes(), C2Block: yes(), C2WithSub: yes(), Stream: yes()}
	with := func(change func(*known.Facts)) known.Facts {
		f := plain
		change(&f)
		return f
	}
	for query, want := range map[string]known.Facts{
		"":                                   plain,
		"?trait=c2-294-garbage":              with(func(f *known.Facts) { f.C2Bits = no() }),
		"?trait=c2-296-only-first":           with(func(f *known.Facts) { f.C2Bits = no() }),
		"?trait=c2-garbage":                  {Stream: yes()},
		"?trait=no-c2":                       {C2Bits: no(), C2Block: no(), Stream: yes()},
		"?trait=c2-and-subchannel-exclusive": with(func(f *known.Facts) { f.C2WithSub = no() }),
		"?trait=no-accurate-stream":          with(func(f *known.Facts) { f.Stream = no() }),
		"?trait=transfer-limit:32768": with(func(f *known.Facts) {
			f.Transfer = known.Fact[int]{Value: 32 << 10, From: known.Remembered}
		}),
		"?trait=cache:65536": with(func(f *known.Facts) {
			f.ForcedAccess, f.Cache = yes(), known.Fact[int]{Value: 256 << 10, From: known.Remembered}
		}),
		"?trait=short-read-stale":   {},
		"?trait=cut-mod-1024":       plain,
		"?drive=bu40n-usb":          with(func(f *known.Facts) { f.C2Bits = no() }),
		"?fault=read:0-1199":        {},
		"?trait=no-subchannel":      {C2Bits: yes(), C2Block: yes(), Stream: yes()},
		"?trait=c2-296-only-last":   with(func(f *known.Facts) { f.C2Bits = no() }),
		"?trait=c2-294-fails-after": with(func(f *known.Facts) { f.C2Bits = no() }),
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			r := run(t, open(t, "mixed", query))
			if got := r.Learned(); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v\nwant %+v", got, want)
			}
		})
	}
}
