package hunks_test

import (
	"errors"
	"testing"

	"spindle/image/chd/hunks"
	"spindle/internal/packed"
	"spindle/internal/testdisc/testchd"
)

// The checksums are compared with what others read, when that was all of it, in its order.
func TestWatch(t *testing.T) {
	const hunk = 4096
	want := content(hunk, 50)[:50*hunk-1000]
	good := testchd.Make(want, testchd.Options{Version: 3, Codecs: []string{"zlib"}, HunkBytes: hunk, UnitBytes: 512})
	pieces := func(from, to, step int) func(*hunks.File) {
		return func(f *hunks.File) {
			for at := from; at < to; at += step {
				_, _ = f.ReadAt(make([]byte, min(step, to-at)), int64(at))
			}
		}
	}
	whole := pieces(0, len(want), 9001)
	for name, test := range map[string]struct {
		b     []byte
		read  func(*hunks.File)
		all   bool
		wrong bool
	}{
		"whole":       {good, whole, true, false},
		"at once":     {good, pieces(0, len(want), len(want)), true, false},
		"filler":      {good, func(f *hunks.File) { pieces(0, 10*hunk, hunk)(f); pieces(30*hunk, len(want), 9001)(f) }, true, false},
		"filler last": {good, pieces(0, len(want)-2*hunk, 9001), true, false},
		"again":       {good, func(f *hunks.File) { pieces(7*hunk, 8*hunk, hunk)(f); whole(f); whole(f) }, true, false},
		"part":        {good, pieces(0, len(want)/2, 9001), false, false},
		"nothing":     {good, func(*hunks.File) {}, false, false},
		"SHA-1":       {changed(good, 85), whole, true, true},
		"MD5":         {changed(good, 45), whole, true, true},
		"part of bad": {changed(good, 85), pieces(0, len(want)/2, 9001), false, false},
		"states none": {testchd.Make(want, testchd.Options{HunkBytes: hunk, UnitBytes: 512}), whole, false, false},
	} {
		f := open(t, test.b)
		f.Watch()
		test.read(f)
		all, err := f.Watched()
		if all != test.all || errors.Is(err, packed.ErrDamaged) != test.wrong {
			t.Errorf("%s: all %v, %v", name, all, err)
		}
	}
}
