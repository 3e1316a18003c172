package rip

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"spindle/disc"
	"spindle/drive"
	"spindle/iso"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// An attempt is a command that reads.
type attempt struct {
	phase  Phase
	at, n  int
	failed bool
}

func (a attempt) has(sector int) bool { return a.at <= sector && sector < a.at+a.n }

// attempts rips a DVD, and returns what was asked of the drive once it was reading.
func attempts(t *testing.T, d *madeDisc, opts Options, faults ...string) (all []attempt, res *Result) {
	t.Helper()
	phase := Surveying
	c := &counter{Device: sim.New(d.faulty(t, faults...))}
	c.after = func(cdb []byte, err error) {
		if phase != Surveying {
			at := int(cdb[2])<<24 | int(cdb[3])<<16 | int(cdb[4])<<8 | int(cdb[5])
			all = append(all, attempt{phase, at, int(cdb[7])<<8 | int(cdb[8]), scsi.SenseOf(err) != nil})
		}
	}
	opts.Observer = &observer{progress: func(p Progress) { phase = p.Phase }}
	res, err := Rip(context.Background(), mmc.New(c), opts)
	if err != nil {
		t.Fatal(err)
	}
	return all, res
}

// first returns which attempt is the first of some, or how many there are in all.
func first(all []attempt, is func(a attempt) bool) int {
	for i, a := range all {
		if is(a) {
			return i
		}
	}
	return len(all)
}

func last(all []attempt, is func(a attempt) bool) int {
	for i := len(all) - 1; i >= 0; i-- {
		if is(all[i]) {
			return i
		}
	}
	return -1
}

// treeOf returns where a disc has a directory that is not the root, and one of the files that match.
func treeOf(t *testing.T, d *madeDisc, pattern string) (directory int, file drive.Stretch) {
	t.Helper()
	f := filepath.Join(t.TempDir(), "x.iso")
	if err := os.WriteFile(f, d.b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := os.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	fs, err := iso.OpenFiles(img, int64(d.sectors()))
	if err != nil {
		t.Fatal(err)
	}
	(&discFiles{fs, 0}).each(func(name string, _ *iso.Entry, extents []drive.Stretch) bool {
		if matchesAny([]string{pattern}, name) && len(extents) > 0 {
			file = extents[0]
		}
		return true
	})
	return int(fs.Root()), file
}

// The order of work: what reads well; then descriptors and directories, then files that come first; then the edges of all
// damage from both sides, what lies between, and at the end again and again the worst.
func TestOrderOfWork(t *testing.T) {
	d := makeDVD(madeVolume(t), rand.New(rand.NewPCG(7, 60)), 6000)
	root, file := treeOf(t, d, "*.txt")
	inFile := int(file.First) + 100
	for name, x := range map[string]struct {
		vital int
		fault string
	}{
		"a directory":             {root, "read:" + itoa(root)},
		"a file that comes first": {inFile, "read:" + itoa(inFile-40) + "-" + itoa(inFile+5)},
	} {
		t.Run(name, func(t *testing.T) {
			opts := Options{Output: filepath.Join(t.TempDir(), "x.iso"), Format: ISO, Retries: 2, First: []string{"*.txt"}}
			all, _ := attempts(t, d, opts, "read:4-6", x.fault, "read:1000-1100", "read:3000-3100")
			in := func(phase Phase, is func(a attempt) bool) int {
				return first(all, func(a attempt) bool { return a.phase == phase && is(a) })
			}
			steps := []struct {
				name string
				at   int
			}{
				{"the last of what reads well", last(all, func(a attempt) bool { return a.phase == Copying && !a.failed && a.n > 1 })},
				{name, in(Trimming, func(a attempt) bool { return a.has(x.vital) })},
				{"the first edge of damage", in(Trimming, func(a attempt) bool { return a.has(5) })},
				{"the second edge of later damage", in(Trimming, func(a attempt) bool { return a.at > 3100 && a.at < 3200 && !a.failed })},
				{"the middle of damage", in(Trimming, func(a attempt) bool { return a.at > 1001 && a.at < 1055 })},
				{"the last of closing in", last(all, func(a attempt) bool { return a.phase == Trimming })},
				{"another try of " + name, in(Retrying, func(a attempt) bool { return a.has(x.vital) })},
				{"another try of other damage", in(Retrying, func(a attempt) bool { return a.at < 7 || a.at >= 1000 })},
			}
			for i := 1; i < len(steps); i++ {
				if steps[i].at <= steps[i-1].at || steps[i].at == len(all) {
					t.Errorf("%s is attempt %d, %s is %d of %d", steps[i-1].name, steps[i-1].at, steps[i].name, steps[i].at, len(all))
				}
			}
		})
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func TestJoined(t *testing.T) {
	got := joined([]drive.Stretch{{First: 50, End: 60}, {First: 0, End: 10}, {First: 10, End: 12}, {First: 5, End: 8}})
	want := []drive.Stretch{{First: 0, End: 12}, {First: 50, End: 60}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for at, i := range map[int]int{0: 0, 11: 0, 12: 1, 59: 1, 60: 2} {
		if k, _ := slices.BinarySearchFunc(want, disc.LBA(at), endsBefore); k != i {
			t.Errorf("the first that ends behind %d is %d", at, k)
		}
	}
}
