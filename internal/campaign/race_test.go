package campaign

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/rip"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// What a rip wins of damaged discs, with how many failing reads and in how much simulated time, is a table in a page,
// beside what the reads of ddrescue -d would win of the same disc in the same drive:
//
//	SPINDLE_CAMPAIGN=all go test ./internal/campaign -run Race -update
const (
	racePage  = "../../docs/rescue.md"
	raceBegin = "<!-- race -->\n"
	raceEnd   = "<!-- end of race -->\n"
)

// raceSectors is the length of the discs.
const raceSectors = 16000

// races are the discs. hopeless says that nothing can be won of the damage.
var races = []struct {
	medium   disc.Medium
	faults   string
	hopeless bool
	quick    bool // raced each time; all are with SPINDLE_CAMPAIGN=all
}{
	{disc.CD, "read:8000-8999", true, false},
	{disc.CD, "read:1000-1003,read:3000,read:5000-5011,read:7005-7010,read:9000-9001,read:12000-12030", true, true},
	{disc.CD, "noisy:8000-8040:100", true, false},
	{disc.CD, "scratch:2000-14000", false, false},
	{disc.CD, "rot:9000-9600:150", false, false},
	{disc.CD, "weak:4000-5000:200", false, false},
	{disc.DVD, "read:8000-8999", true, false},
	{disc.DVD, "block:8000-8999", true, false},
	{disc.DVD, "block:1000,block:3000-3040,block:5000,block:9000-9100,block:12000", true, true},
	{disc.DVD, "block:1000:2,block:3000-3040:3,block:9000-9100:2", false, false},
	{disc.DVD, "scratch:2000-14000", false, false},
	{disc.DVD, "rot:4000-14000", false, false},
	{disc.BD, "block:8000-8999", true, true},
	{disc.BD, "scratch:2000-14000", false, false},
	{disc.BD, "weak:6000-9000:220", false, false},
}

// A runner is what one program makes of a disc.
type runner struct {
	won, failed int
	seconds     float64
}

func (r runner) String() string { return fmt.Sprintf("%d, %d, %.0f s", r.won, r.failed, r.seconds) }

// failing counts the reads that fail.
type failing struct {
	scsi.Device
	n int
}

func (f *failing) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	n, err := f.Device.Execute(ctx, c)
	if s := scsi.SenseOf(err); s != nil && s.Key == scsi.MediumError {
		f.n++
	}
	return n, err
}

// raceDrive is a drive with one of the discs.
func raceDrive(t *testing.T, m disc.Medium, faults string) (*sim.Drive, *failing) {
	t.Helper()
	form := disc.FormBlock
	if m == disc.CD {
		form = disc.FormMode1
	}
	l := &disc.Layout{Medium: m, Sessions: []disc.Session{{Number: 1, LeadOut: raceSectors, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: raceSectors}}}}}
	cfg := sim.Config{Image: extents(t, l, disc.Extent{Count: raceSectors, Source: words{}, Form: form}), Seed: 4}
	for text := range strings.SplitSeq(faults, ",") {
		f, err := sim.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	d := sim.New(cfg)
	return d, &failing{Device: d}
}

func raceRip(t *testing.T, m disc.Medium, faults string, retries int) runner {
	t.Helper()
	d, f := raceDrive(t, m, faults)
	o := rip.Options{Output: filepath.Join(t.TempDir(), "x.iso"), Format: rip.ISO, Retries: retries}
	res, err := rip.Rip(context.Background(), mmc.New(f), o)
	if err != nil {
		t.Fatal(err)
	}
	return runner{raceSectors - res.BadSectors(), f.n, d.Stats().Elapsed.Seconds()}
}

// A rescue is ddrescue -d as the reads that it makes: clusters of 64 KiB, leaving out more and more after each that fails,
// then what was left out; both edges of each that failed, sector by sector; all between; and that again in each pass.
type rescue struct {
	d     scsi.Device
	state [raceSectors]byte
}

// States of sectors.
const (
	untried = iota
	untrimmed
	unscraped
	lost
	rescued
)

const cluster = 32

// read reads sectors, and keeps those before the one that the drive names.
func (r *rescue) read(at, n int) bool {
	cdb := make([]byte, 10)
	cdb[0] = byte(scsi.OpRead10)
	binary.BigEndian.PutUint32(cdb[2:], uint32(at))
	binary.BigEndian.PutUint16(cdb[7:], uint16(n))
	_, err := r.d.Execute(context.Background(), &scsi.Command{CDB: cdb, Direction: scsi.In, Data: make([]byte, n*2048)})
	good := n
	if err != nil {
		good = 0
		if s := scsi.SenseOf(err); s != nil && s.InformationValid {
			good = min(max(int(s.Information)-at, 0), n)
		}
	}
	for i := range good {
		r.state[at+i] = rescued
	}
	return err == nil
}

// set puts those of some sectors that are not read in a state.
func (r *rescue) set(at, n int, state byte) {
	for i := at; i < at+n; i++ {
		if r.state[i] != rescued {
			r.state[i] = state
		}
	}
}

// run returns how many sectors from one on are in its state.
func (r *rescue) run(at int) (n int) {
	for at+n < raceSectors && r.state[at+n] == r.state[at] {
		n++
	}
	return n
}

func (r *rescue) copy() {
	for pass := range 3 {
		skip := 0
		for i := 0; i < raceSectors; i += cluster {
			at := i
			if pass == 1 {
				at = raceSectors - cluster - i
			}
			if r.state[at] != untried {
				continue
			}
			if r.read(at, cluster) {
				skip = 0
				continue
			}
			r.set(at, cluster, untrimmed)
			if pass < 2 {
				skip = max(cluster, 2*skip)
				i += skip
			}
		}
	}
}

func (r *rescue) trim() {
	for at := 0; at < raceSectors; at++ {
		if r.state[at] != untrimmed {
			continue
		}
		first, end := at, at+r.run(at)
		for ; first < end && r.read(first, 1); first++ {
		}
		for ; end > first+1 && r.read(end-1, 1); end-- {
		}
		r.set(first, end-first, unscraped)
		r.set(first, min(1, end-first), lost)
		if end > first+1 {
			r.set(end-1, 1, lost)
		}
	}
}

func (r *rescue) each(state byte) {
	for at := range r.state {
		if r.state[at] == state && !r.read(at, 1) {
			r.state[at] = lost
		}
	}
}

func raceRescue(t *testing.T, m disc.Medium, faults string, retries int) runner {
	t.Helper()
	d, f := raceDrive(t, m, faults)
	if err := drive.WaitReady(context.Background(), mmc.New(d), time.Minute); err != nil {
		t.Fatal(err)
	}
	r := &rescue{d: f}
	r.copy()
	r.trim()
	r.each(unscraped)
	for range retries {
		r.each(lost)
	}
	won := 0
	for _, s := range r.state {
		if s == rescued {
			won++
		}
	}
	return runner{won, f.n, d.Stats().Elapsed.Seconds()}
}

// A rip with retries wins no less than ddrescue. What is hopeless costs no more failing reads, with retries and without. Without
// retries, sectors that come at a second try are not asked for a second time: fewer are won, and hardly more reads fail.
func TestRace(t *testing.T) {
	page, err := os.ReadFile(racePage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), raceBegin)
	table, after, also := strings.Cut(rest, raceEnd)
	if !ok || !also {
		t.Fatalf("%s has no table of the race", racePage)
	}
	every := os.Getenv("SPINDLE_CAMPAIGN") == "all"
	var b strings.Builder
	b.WriteString("| disc and damage | `ddrescue -d` | `spindle rip --retries 0` | `ddrescue -d -r3` | `spindle rip` |\n|---|---|---|---|---|\n")
	for _, x := range races {
		if !every && !x.quick {
			continue
		}
		name := x.medium.String() + " " + strings.ReplaceAll(x.faults, ",", " ")
		var all [2][2]runner
		row := "| " + name
		for i, retries := range []int{0, 3} {
			all[i] = [2]runner{raceRescue(t, x.medium, x.faults, retries), raceRip(t, x.medium, x.faults, retries)}
			row += fmt.Sprintf(" | %v | %v", all[i][0], all[i][1])
			theirs, ours := all[i][0], all[i][1]
			if x.hopeless && (ours.won < theirs.won || ours.failed > theirs.failed) {
				t.Errorf("%s, %d retries: %v, ddrescue %v", name, retries, ours, theirs)
			}
		}
		if theirs, ours := all[0][0], all[0][1]; ours.failed > theirs.failed+theirs.failed/10 {
			t.Errorf("%s, no retries: %v, ddrescue %v", name, ours, theirs)
		}
		if theirs, ours := all[1][0], all[1][1]; ours.won < theirs.won {
			t.Errorf("%s: %v, ddrescue %v", name, ours, theirs)
		}
		row += " |\n"
		if b.WriteString(row); !*update && !alike(table, row) {
			t.Errorf("the table has another row than\n%s", row)
		}
	}
	if every && *update {
		if err := os.WriteFile(racePage, []byte(before+raceBegin+b.String()+raceEnd+after), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
