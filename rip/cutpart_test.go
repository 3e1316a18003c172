package rip

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// What the map of an earlier run says of sectors that are not in its files does not count.
func TestFilesCutShort(t *testing.T) {
	volume := madeVolume(t)
	for name, d := range map[string]*madeDisc{
		"DVD": makeDVD(volume, rand.New(rand.NewPCG(8, 8)), 900), "CD": makeCD(volume, rand.New(rand.NewPCG(8, 8))),
	} {
		for _, left := range []int64{0, 1000, 500*int64(d.size) + 7} {
			opts := d.options(filepath.Join(t.TempDir(), "x"))
			image := opts.Output
			if d.size != 2048 {
				image = base(opts.Output) + ".bin"
			}
			stopped(t, d.drive(t), opts, 700, d.size)
			if err := os.Truncate(image+partSuffix, left); err != nil {
				t.Fatal(err)
			}
			o := new(observer)
			opts.Observer = o
			res, err := Rip(t.Context(), d.drive(t), opts)
			if err != nil || len(res.Bad) > 0 || !o.told(NoteCutShort) {
				t.Errorf("%s, %d: %+v, %v, %+v", name, left, res, err, o.notes)
				continue
			}
			if got, err := os.ReadFile(image); err != nil || string(got) != string(d.b) {
				t.Errorf("%s, %d: not as on the disc (%v)", name, left, err)
			}
		}
	}
}
