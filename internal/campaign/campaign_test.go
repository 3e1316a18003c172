package campaign

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"spindle/burn"
	"spindle/disc"
	"spindle/drive"
	"spindle/image"
	"spindle/image/isofile"
	"spindle/rip"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// share is the share of the cases that are run: one in so many. All are run with
// SPINDLE_CAMPAIGN=all, which takes a minute.
const share = 17

var (
	list = flag.Bool("cases", false, "print how each case of the campaign ended")
	// update rewrites the list of what does not come out right:
	//
	//	SPINDLE_CAMPAIGN=all go test ./internal/campaign -update
	update = flag.Bool("update", false, "rewrite the list of cases that do not come out right")
)

// shortfalls is the file that lists the cases that do not come out right. A case
// may come out better than it is listed there, and never worse.
const shortfalls = "testdata/shortfalls.txt"

// A result is how a case ended.
type result string

const (
	right    result = "right"    // what was asked for is there, and it is what it should be
	honest   result = "honest"   // it is not, and that was said
	wrong    result = "wrong"    // it is not, and success was reported
	unending result = "unending" // it did not end
)

// grades are the results, the best first.
var grades = []result{right, honest, wrong, unending}

// A job is what a drive is asked to do.
type job struct {
	name  string
	media string // of the blank; empty: a pressed disc
	do    func(c *theCase) (result, string)
}

// jobs are what every drive is asked to do.
func jobs() []job {
	return []job{
		{"survey", "", surveyJob},
		{"rip-audio", "", ripAudio(false)},
		{"rip-damaged-audio", "", ripAudio(true)},
		{"rip-data", "", ripData(disc.CD)},
		{"rip-dvd", "", ripData(disc.DVD)},
		{"burn-audio", "cd-r", burnJob(audioDisc)},
		{"burn-cd-r", "cd-r", burnJob(cdData)},
		{"burn-cd-rw", "cd-rw", burnJob(cdData)},
		{"burn-dvd-r", "dvd-r", burnJob(dvdData)},
		{"burn-dvd+rw", "dvd+rw", burnJob(dvdData)},
		{"burn-dvd+r", "dvd+r", burnJob(dvdData)},
		{"burn-bd-r", "bd-r", burnJob(bdData)},
		{"simulate-cd-r", "cd-r", simulateJob},
	}
}

func cdData(t testing.TB) disc.Image  { return dataDisc(t, disc.CD) }
func dvdData(t testing.TB) disc.Image { return dataDisc(t, disc.DVD) }
func bdData(t testing.TB) disc.Image  { return dataDisc(t, disc.BD) }

// theCase is one drive with one job.
type theCase struct {
	testing.TB
	cfg sim.Config
	job job
	r   *sim.Recordable
}

// drives are all that there are, as specifications: the plain one, one for each
// trait, and those that reports describe.
func drives(t testing.TB) []string {
	all := []string{"seed=1"} // the plain one
	for _, u := range sim.Traits() {
		name := "trait=" + u.Name
		if u.Argument != "" && u.Usual == "" {
			name += ":500-510"
		}
		all = append(all, name)
	}
	known, err := sim.Personalities()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range known {
		all = append(all, "drive="+p.Name)
	}
	return all
}

// switchOn puts a disc into the drive.
func (c *theCase) switchOn(img disc.Image) *mmc.Drive {
	cfg := c.cfg
	cfg.Image = img
	if c.job.media != "" {
		var err error
		if c.r, err = sim.NewRecordable(c.job.media, 20000, sim.NewMemory(), nil); err != nil {
			c.Fatal(err)
		}
		cfg.Disc = c.r
	}
	return mmc.New(adapter{sim.New(cfg)})
}

// adapter carries as much in a command as scsi.Open allows.
type adapter struct{ *sim.Drive }

func (adapter) MaxTransfer() int { return scsi.DefaultTransfer }

// patience ends a case that does not end on its own.
const patience = time.Minute

func (c *theCase) run() (result, string) {
	type end struct {
		r    result
		says string
	}
	ended := make(chan end, 1)
	go func() {
		r, says := c.job.do(c)
		ended <- end{r, says}
	}()
	select {
	case e := <-ended:
		return e.r, e.says
	case <-time.After(patience):
		return unending, ""
	}
}

func surveyJob(c *theCase) (result, string) {
	img := audioDisc(c)
	m, err := drive.Survey(context.Background(), c.switchOn(img), drive.ForReading)
	if err != nil {
		return honest, err.Error()
	}
	want, got := img.Layout().Tracks(), m.Contents.Layout.Tracks()
	if len(got) != len(want) {
		return wrong, fmt.Sprintf("%d tracks", len(got))
	}
	for i, t := range want {
		if got[i].Start != t.Start {
			return wrong, fmt.Sprintf("track %d begins at %d", i+1, got[i].Start)
		}
	}
	return right, ""
}

// ripAudio rips the audio disc, with a damaged sector or without.
func ripAudio(damaged bool) func(*theCase) (result, string) {
	return func(c *theCase) (result, string) {
		img := audioDisc(c)
		if damaged {
			c.cfg.Faults = append(c.cfg.Faults, sim.Fault{Kind: sim.FaultRead, First: damagedAt, Last: damagedAt})
		}
		out := filepath.Join(c.TempDir(), "out.cue")
		return c.rip(img, rip.Options{Output: out, Format: rip.CueBin, Retries: 2, Offset: c.cfg.Offset}, func() (disc.Image, error) {
			return image.Open(context.Background(), out)
		})
	}
}

// ripData rips a disc with data into an .iso.
func ripData(medium disc.Medium) func(*theCase) (result, string) {
	return func(c *theCase) (result, string) {
		img := dataDisc(c, medium)
		out := filepath.Join(c.TempDir(), "out.iso")
		return c.rip(img, rip.Options{Output: out, Format: rip.ISO, Retries: 2}, func() (disc.Image, error) {
			return isofile.OpenAs(context.Background(), out, medium)
		})
	}
}

// rip rips, and compares what came with the disc.
func (c *theCase) rip(img disc.Image, o rip.Options, open func() (disc.Image, error)) (result, string) {
	said := &notes{}
	o.Observer = said
	res, err := rip.Rip(context.Background(), c.switchOn(img), o)
	if err != nil {
		return honest, err.Error()
	}
	got, err := open()
	if err != nil {
		return wrong, err.Error()
	}
	defer got.Close()
	different, err := differences(img, got)
	if err != nil {
		return wrong, err.Error()
	}
	hidden := 0
	for _, a := range different {
		if !slices.ContainsFunc(res.Bad, func(b rip.BadRange) bool { return a >= b.First && a <= b.Last }) {
			hidden++
		}
	}
	switch {
	case hidden > 0:
		return wrong, fmt.Sprintf("%d sectors differ, %d are not listed", len(different), hidden)
	case len(c.cfg.Faults) > 0 && len(res.Bad) == 1 && res.Bad[0].First >= damagedAt-2 && res.Bad[0].Last <= damagedAt:
		return right, "" // a read offset spreads it over two sectors
	case len(res.Bad) > 0:
		return honest, fmt.Sprintf("%d sectors are listed as bad, %d differ", res.BadSectors(), len(different))
	case img.Layout().Medium == disc.CD && o.Format == rip.CueBin && content(got.Layout()) != content(img.Layout()):
		if len(said.codes) > 0 {
			return honest, fmt.Sprint(said.codes, " ", content(got.Layout()))
		}
		return wrong, content(got.Layout())
	}
	return right, ""
}

// notes are those of a rip that say that something may be missing.
type notes struct{ codes []rip.NoteCode }

func (n *notes) Progress(rip.Progress) {}

func (n *notes) Note(note rip.Note) {
	switch note.Code {
	case rip.NoteNoSubchannel, rip.NoteUnreadSub, rip.NoteBadCDText, rip.NoteDamagedCDText:
		n.codes = append(n.codes, note.Code)
	}
}

// burnJob burns and verifies.
func burnJob(of func(testing.TB) disc.Image) func(*theCase) (result, string) {
	return func(c *theCase) (result, string) {
		img := of(c)
		said := &burnNotes{}
		res, err := c.burn(img, burn.Options{}, said)
		if err != nil {
			return honest, err.Error()
		}
		v := res.Verification
		if res.Err != nil || v == nil || !v.OK() {
			return honest, fmt.Sprintf("%v, %+v", res.Err, v)
		}
		different, err := differences(img, c.r)
		switch {
		case err != nil:
			return wrong, err.Error()
		case len(different) > 0:
			return wrong, fmt.Sprintf("%d sectors differ", len(different))
		case img.Layout().Medium == disc.CD && content(c.r.Layout()) != content(img.Layout()):
			if len(v.Missing) > 0 || len(said.text) > 0 {
				return honest, fmt.Sprint(v.Missing, said.text, " ", content(c.r.Layout()))
			}
			return wrong, content(c.r.Layout())
		}
		return right, ""
	}
}

// burnNotes are those of a burn that say that something does not come onto the disc.
type burnNotes struct{ text []string }

func (n *burnNotes) Progress(burn.Progress) {}

func (n *burnNotes) Note(note burn.Note) {
	if note.Code == burn.NoteNoText {
		n.text = append(n.text, note.String())
	}
}

func simulateJob(c *theCase) (result, string) {
	res, err := c.burn(cdData(c), burn.Options{Simulate: true}, &burnNotes{})
	switch {
	case err != nil:
		return honest, err.Error()
	case res.Err != nil:
		return honest, res.Err.Error()
	case c.r.Layout() != nil:
		return wrong, "the disc was written"
	}
	return right, ""
}

func (c *theCase) burn(img disc.Image, o burn.Options, said burn.Observer) (burn.Result, error) {
	ctx := context.Background()
	d := c.switchOn(nil)
	m, err := burn.Survey(ctx, d)
	if err != nil {
		return burn.Result{}, err
	}
	src := burn.ImageSource("", img)
	plan, err := burn.MakePlan(context.Background(), m, src, o)
	if err != nil {
		return burn.Result{}, err
	}
	return burn.Run(ctx, src, &burn.Job{Drive: d, Medium: m, Plan: plan, Verify: !o.Simulate, Observer: said})[0], nil
}

// readShortfalls reads the list: a result and a case a line.
func readShortfalls(t *testing.T) map[string]result {
	t.Helper()
	b, err := os.ReadFile(shortfalls)
	if err != nil && !*update {
		t.Fatal(err)
	}
	listed := map[string]result{}
	for line := range strings.Lines(string(b)) {
		if grade, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && grade != "#" {
			listed[name] = result(grade)
		}
	}
	return listed
}

// writeShortfalls writes the list.
func writeShortfalls(t *testing.T, got map[string]result) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, "# Cases of the campaign that do not come out right: \"honest\" is a refusal, or damage that is listed;")
	fmt.Fprintln(&b, "# \"wrong\" is a success that is none. SPINDLE_CAMPAIGN=all go test ./internal/campaign -update")
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != right {
			fmt.Fprintf(&b, "%s %s\n", got[name], name)
		}
	}
	if err := os.MkdirAll(filepath.Dir(shortfalls), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(shortfalls, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestCampaign(t *testing.T) {
	all := os.Getenv("SPINDLE_CAMPAIGN") == "all"
	listed, got := readShortfalls(t), map[string]result{}
	number := 0
	for _, d := range drives(t) {
		spec, err := sim.ParseSpec("?" + d)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs() {
			if number++; !all && number%share != 0 || strings.HasPrefix(d, "trait=concealed-damage") && j.media == "" {
				continue // what the drive conceals, no reading shows
			}
			name := strings.TrimPrefix(d, "trait=") + "/" + j.name
			t.Run(name, func(t *testing.T) {
				c := &theCase{TB: t, cfg: spec.Config, job: j}
				r, says := c.run()
				got[name] = r
				if *list {
					fmt.Printf("%-9s %-50s %s\n", r, name, says)
				}
				allowed := right
				if l, ok := listed[name]; ok {
					allowed = l
				}
				if slices.Index(grades, r) > slices.Index(grades, allowed) && !*update {
					t.Errorf("%s: %s; at worst it should be %s", r, says, allowed)
				}
			})
		}
	}
	if all && *update {
		writeShortfalls(t, got)
	}
	count := map[result]int{}
	for _, r := range got {
		count[r]++
	}
	t.Logf("%d drives, %d cases: %v", len(drives(t)), len(got), count)
	for name := range listed {
		if _, ok := got[name]; all && !ok && !*update {
			t.Errorf("%s lists %s, and there is no such case", shortfalls, name)
		}
	}
}
