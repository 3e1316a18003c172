package rip

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever a drive's quirk, a good disc comes back as it is, with no sector listed as
// damaged and within a time that a user waits. Each quirk has two discs, with
// SPINDLE_CAMPAIGN=all four.
func TestQuirksOfDrives(t *testing.T) {
	for i, trait := range []string{
		"c2-294-fails-after", "c2-294-fails-after:20", "c2-294-garbage", "c2-garbage", "c2-296-only-first", "c2-296-only-last",
		"c2-always-zero", "c2-294-fails-after:300,c2-garbage", "c2-and-subchannel-exclusive",
		"cache", "cache:33554432", "cache-ignores-fua", "cache-segments", "cut-mod-1024", "cut-mod-1024,c2-294-garbage", "short-read-stale", "short-read-stale:3",
		"subchannel-hangs", "subchannel-garbage", "subchannel-no-crc", "subchannel-shifted:-2",
		"expected-type-0-refused", "no-full-toc", "toc-before-minus-150",
		"not-present-first", "not-ready-04-00", "busy-after-load",
	} {
		for k, name := range []string{"mixed", "audio", "cdextra", "iso"} {
			if (i+k)%2 != 0 && os.Getenv("SPINDLE_CAMPAIGN") != "all" {
				continue
			}
			t.Run(trait+"/"+name, func(t *testing.T) {
				t.Parallel()
				src := makeDisc(t, name)
				out := filepath.Join(t.TempDir(), filepath.Base(src))
				opts := Options{Output: out, Format: CueBin, Retries: 1}
				if filepath.Ext(src) == ".iso" {
					opts.Format = ISO
				}
				d := tray(t, src, "?trait="+trait)
				begin := d.Clock().Now()
				res, err := Rip(context.Background(), d, opts)
				if err != nil {
					t.Fatal(err)
				}
				if len(res.Bad) > 0 {
					t.Errorf("bad: %v", res.Bad)
				}
				if took := d.Clock().Now().Sub(begin); took > 10*time.Minute {
					t.Errorf("it took %s", took)
				}
				if opts.Format == ISO {
					same(t, src, out)
				} else {
					same(t, base(src)+".bin", base(out)+".bin")
				}
			})
		}
	}
}
