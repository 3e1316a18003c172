package campaign

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spindle/burn"
	"spindle/disc"
	"spindle/drive/known"
	"spindle/rip"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// What clean rips and burns cost on each drive that reports describe, in commands and in
// simulated seconds, is a table in a page, which holds to within five percent:
//
//	SPINDLE_CAMPAIGN=all go test ./internal/campaign -run Costs -update
const (
	costPage  = "../../docs/performance.md"
	costBegin = "<!-- costs -->\n"
	costEnd   = "<!-- end of costs -->\n"
)

// words is pattern for long discs.
type words struct{}

func (words) ReadAt(p []byte, off int64) (int, error) {
	for i := 0; i < len(p); {
		at := uint64(off) + uint64(i)
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], at/8*0x9E3779B97F4A7C15)
		i += copy(p[i:], word[at%8:])
	}
	return len(p), nil
}

// costSectors is the length of the CDs.
const costSectors = 6000

// longCD is a CD: some data, then audio.
func longCD(t testing.TB, data disc.LBA) disc.Image {
	t.Helper()
	const end = costSectors
	s := disc.Session{Number: 1, LeadOut: end}
	var parts []disc.Extent
	if data > 0 {
		s.Tracks = append(s.Tracks, disc.Track{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: data})
		parts = append(parts, disc.Extent{Count: int(data), Source: words{}, Form: disc.FormMode1})
	}
	if data < end {
		s.Tracks = append(s.Tracks, disc.Track{Number: len(s.Tracks) + 1, Start: data, End: end})
		parts = append(parts, disc.Extent{First: data, Count: end - int(data), Source: words{}, Form: disc.FormRaw})
	}
	return extents(t, &disc.Layout{Sessions: []disc.Session{s}}, parts...)
}

// longDVD is a DVD.
func longDVD(t testing.TB) disc.Image {
	t.Helper()
	const n = 1 << 14
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: n, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: n}}}}}
	return extents(t, l, disc.Extent{Count: n, Source: words{}, Form: disc.FormBlock})
}

// A costJob is what is measured.
type costJob struct {
	name  string
	image func(testing.TB) disc.Image
	media string // of the blank; empty: it is ripped
}

func costJobs() []costJob {
	return []costJob{
		{"audio CD", func(t testing.TB) disc.Image { return longCD(t, 0) }, ""},
		{"data CD", func(t testing.TB) disc.Image { return longCD(t, costSectors) }, ""},
		{"mixed CD", func(t testing.TB) disc.Image { return longCD(t, costSectors/2) }, ""},
		{"DVD", longDVD, ""},
		{"CD-R", func(t testing.TB) disc.Image { return longCD(t, 0) }, "cd-r"},
		{"DVD+R", longDVD, "dvd+r"},
	}
}

// slowed are the drives that take more than 1.2 times as long for a clean rip as the plain
// one, and which trait of theirs does it.
var slowed = []struct{ drive, job, why string }{
	{"bu40n-omnidrive", "audio CD", "speed=24, get-configuration-takes:20"},
	{"bu40n-omnidrive", "data CD", "speed=24, get-configuration-takes:20"},
	{"bu40n-omnidrive", "mixed CD", "speed=24, get-configuration-takes:20"},
	{"bu40n-omnidrive", "DVD", "get-configuration-takes:20"},
}

// costShare is one in so many drives that are measured each time; all are with
// SPINDLE_CAMPAIGN=all.
const costShare = 6

// mostSlowdown is the share of the plain drive's time that a rip may take.
const mostSlowdown = 1.2

// cost is what a job costs.
type cost struct {
	commands int
	seconds  float64
}

func (c cost) String() string {
	return fmt.Sprintf("%d, %.1f s", c.commands, c.seconds)
}

// measure does a job with a drive of which nothing is known, or some of the table.
func measure(t *testing.T, drive string, j costJob) cost {
	t.Helper()
	spec, err := sim.ParseSpec("?" + drive)
	if err != nil {
		t.Fatal(err)
	}
	cfg, img, ctx := spec.Config, j.image(t), context.Background()
	if j.media != "" {
		if cfg.Disc, err = sim.NewRecordable(j.media, 80000, sim.NewMemory(), nil); err != nil {
			t.Fatal(err)
		}
	} else {
		cfg.Image = img
	}
	dev := sim.New(cfg)
	lib, err := known.Open("", "")
	if err != nil {
		t.Fatal(err)
	}
	facts, err := lib.Of(known.ID{Vendor: cfg.Identity.Vendor, Product: cfg.Identity.Product, Revision: cfg.Identity.Revision})
	if err != nil {
		t.Fatal(err)
	}
	d := mmc.New(adapter{dev})
	if j.media != "" {
		m, err := burn.Survey(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		src := burn.ImageSource("", img)
		plan, err := burn.MakePlan(context.Background(), m, src, burn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		res := burn.Run(ctx, src, &burn.Job{Drive: d, Medium: m, Plan: plan, Observer: &burnNotes{}})[0]
		if res.Err != nil {
			t.Fatal(res.Err)
		}
	} else {
		o := rip.Options{Output: filepath.Join(t.TempDir(), "out.cue"), Format: rip.CueBin, Known: facts}
		if img.Layout().Medium == disc.DVD {
			o.Output, o.Format = filepath.Join(t.TempDir(), "out.iso"), rip.ISO
		}
		res, err := rip.Rip(ctx, d, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Bad) > 0 {
			t.Errorf("bad: %v", res.Bad)
		}
	}
	s := dev.Stats()
	return cost{s.Commands, s.Elapsed.Seconds()}
}

// costRow is a line of the table.
func costRow(drive string, costs []cost) string {
	row := "| " + strings.TrimPrefix(drive, "drive=") + " |"
	for _, c := range costs {
		row += " " + c.String() + " |"
	}
	return row + "\n"
}

// alike reports whether a table has a row with much the same numbers.
func alike(table, row string) bool {
	const margin = 0.05
	name := row[:strings.Index(row[1:], "|")+1]
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, name+"|") {
			continue
		}
		was, is := numbers(line[len(name):]), numbers(row[len(name):])
		return slices.EqualFunc(was, is, func(a, b float64) bool { return math.Abs(a-b) <= margin*max(a, b) })
	}
	return false
}

// numbers are those in a text.
func numbers(s string) []float64 {
	var all []float64
	for _, field := range strings.FieldsFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
		if n, err := strconv.ParseFloat(field, 64); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func TestCosts(t *testing.T) {
	all := os.Getenv("SPINDLE_CAMPAIGN") == "all"
	page, err := os.ReadFile(costPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), costBegin)
	table, after, also := strings.Cut(rest, costEnd)
	if !ok || !also {
		t.Fatalf("%s has no table of costs", costPage)
	}
	jobs := costJobs()
	head, rule := "| drive |", "|---|"
	for _, j := range jobs {
		head, rule = head+" "+j.name+" |", rule+"---|"
	}
	fresh := head + "\n" + rule + "\n"
	plain := costOf(t, "seed=1", jobs)
	used := make([]bool, len(slowed))
	for number, d := range append([]string{"seed=1"}, personalities(t)...) {
		if number > 0 && number%costShare != 0 && !all {
			continue
		}
		costs := plain
		if number > 0 {
			costs = costOf(t, d, jobs)
		}
		row := costRow(strings.Replace(d, "seed=1", "plain", 1), costs)
		fresh += row
		if !*update && !alike(table, row) {
			t.Errorf("%s is out of date (SPINDLE_CAMPAIGN=all go test ./internal/campaign -run Costs -update):\n%s", costPage, row)
		}
		for i, j := range jobs {
			if j.media != "" || costs[i].seconds <= plain[i].seconds*mostSlowdown {
				continue
			}
			k := slices.IndexFunc(slowed, func(s struct{ drive, job, why string }) bool {
				return "drive="+s.drive == d && s.job == j.name
			})
			if k < 0 {
				t.Errorf("%s: ripping a %s takes %.1f s, and on the plain drive %.1f s", d, j.name, costs[i].seconds, plain[i].seconds)
				continue
			}
			used[k] = true
		}
	}
	for i, s := range slowed {
		if all && !used[i] {
			t.Errorf("%s is not slow with a %s: delete the exception (%s)", s.drive, s.job, s.why)
		}
	}
	if *update && all {
		if err := os.WriteFile(costPage, []byte(before+costBegin+fresh+costEnd+after), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func costOf(t *testing.T, drive string, jobs []costJob) []cost {
	t.Helper()
	costs := make([]cost, len(jobs))
	for i, j := range jobs {
		costs[i] = measure(t, drive, j)
	}
	return costs
}

// personalities are the drives that reports describe, as specifications.
func personalities(t *testing.T) []string {
	t.Helper()
	all, err := sim.Personalities()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range all {
		names = append(names, "drive="+p.Name)
	}
	return names
}
