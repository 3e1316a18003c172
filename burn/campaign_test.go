package burn

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spindle/disc"
	"spindle/internal/testdisc"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// The campaign breaks each command of each plan once, in every way that a drive
// can. Whatever happens: the burn ends, success is reported of a disc only that
// equals the image, what is said of the disc's state is true, and reburn makes
// good what can be.

var (
	share = flag.Int("share", 150, "the share of the fault campaign's cases to run: one in so many; 1, all, takes some minutes")
	part  = flag.Int("part", 0, "which of the cases of one share, below -share")
	only  = flag.String("only", "", "one case of the fault campaign, as dvd+r/default/2A:3:gone")
)

// recording counts the commands that a burn sends.
type recording struct {
	scsi.Conn
	ops []byte
}

func (r *recording) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	r.ops = append(r.ops, c.CDB[0])
	return r.Conn.Execute(ctx, c)
}

// campaignFaults are the ways in which a command can fail.
func campaignFaults() []string {
	return []string{"3/0C/00", "3/73/03", "4/44/00", "5/24/00", "5/21/02", "5/72/03", "2/04/08", "6/2A/01", "6/28/00", "1/17/01", "7/27/00",
		"3/0C/00:deferred", "timeout", "gone", "short", "underrun"}
}

// campaignPlans are the plans: a medium, and the options.
func campaignPlans() map[string]Options {
	plans := map[string]Options{}
	for _, m := range media() {
		plans[m+"/default"] = Options{}
	}
	for _, m := range []string{"cd-r", "dvd-r", "dvd-rw", "dvd+r", "bd-r"} {
		plans[m+"/multi"] = Options{Multi: true}
	}
	plans["cd-r/raw"] = Options{Mode: Raw96}
	plans["cd-r/simulated"] = Options{Simulate: true}
	plans["bd-r/spares"] = Options{Spare: SpareDefault}
	plans["bd-re/none"] = Options{Spare: SpareNone}
	plans["cd-rw/blank"] = Options{Blank: true}
	plans["dvd-rw/blank"] = Options{Blank: true}
	return plans
}

// campaignDisc is the disc before a burn: blank, or, to be blanked, full.
func campaignDisc(t testing.TB, name, m string) *sim.Recordable {
	r := blank(t, m, 40000)
	if filepath.Base(name) == "blank" {
		d := recorder(r)
		if _, res, err := burnOn(t, d, sourceFor(t, m, 400), Options{}); err != nil || res.Err != nil {
			t.Fatal(err, res.Err)
		}
	}
	return r
}

const campaignSectors = 200

func campaignSource(t testing.TB, m string) *Source {
	if medium, _ := sim.MediumOf(m); medium == disc.CD {
		return ImageSource("", smallCD(t))
	}
	return sourceFor(t, m, campaignSectors)
}

// smallCD has data, audio and CD-TEXT.
func smallCD(t testing.TB) disc.Image {
	t.Helper()
	text := disc.TextBlock{Language: disc.LanguageEnglish}
	text.SetText(disc.PackTitle, 0, "Campaign")
	packs, err := disc.EncodeCDText([]disc.TextBlock{text}, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	l := &disc.Layout{MCN: "4012345678901", CDText: packs, Sessions: []disc.Session{{Number: 1, LeadOut: 770, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 310},
		{Number: 2, Pregap: 150, Start: 460, End: 770, ISRC: "GBAYE6700001"},
	}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{
		{Count: 310, Source: testdisc.Pattern{}, Form: disc.FormMode1},
		{First: 310, Count: 150, Form: disc.FormRaw},
		{First: 460, Count: 310, Source: testdisc.Pattern{}, Form: disc.FormRaw},
	})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestFaultCampaign(t *testing.T) {
	var runs, failed, again atomic.Int64
	number, share := 0, max(1, *share)
	if testing.Short() {
		share *= 7 // the race detector makes each run many times as long
	}
	var wg sync.WaitGroup
	gate := make(chan struct{}, 4)
	plans := campaignPlans()
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		o := plans[name]
		m := filepath.Dir(name)
		src := campaignSource(t, m)
		// Without a fault: the commands that there are.
		rec := &recording{Conn: sim.New(sim.Config{Disc: campaignDisc(t, name, m)})}
		if _, res, err := burnOn(t, mmc.New(rec), src, o); err != nil || res.Err != nil {
			t.Fatalf("%s: %v %v", name, err, res.Err)
		}
		total := map[byte]int{}
		for _, op := range rec.ops {
			total[op]++
		}
		seen := map[byte]int{}
		for _, op := range rec.ops {
			seen[op]++
			// The hundreds of WRITEs of a raw lead-in are alike: the first, the
			// last and some between them stand for all.
			if n := seen[op]; total[op] > 60 && n > 3 && n < total[op]-2 && n%97 != 0 {
				continue
			}
			for _, kind := range campaignFaults() {
				spec := fmt.Sprintf("%02X:%d:%s", op, seen[op], kind)
				if *only != "" && *only != name+"/"+spec {
					continue
				}
				if number++; *only == "" && number%share != *part%share {
					continue
				}
				fault, err := sim.ParseFault(spec)
				if err != nil {
					t.Fatal(err)
				}
				runs.Add(1)
				gate <- struct{}{}
				wg.Go(func() {
					defer func() { <-gate }()
					c := campaignRun{name: name, m: m, o: o, src: ImageSource("", src.image)}
					c.run(t, spec, fault)
					if c.failed {
						failed.Add(1)
					}
					if c.again {
						again.Add(1)
					}
				})
			}
		}
	}
	wg.Wait()
	if *only == "" && !testing.Short() && runs.Load() < 120 {
		t.Errorf("only %d burns were tried", runs.Load())
	}
	t.Logf("%d burns with a fault: %d failed, %d of them were completed by burning again", runs.Load(), failed.Load(), again.Load())
}

// campaignRun is one burn with a fault.
type campaignRun struct {
	name, m       string
	o             Options
	src           *Source
	failed, again bool
}

func (c *campaignRun) run(t *testing.T, spec string, fault sim.Fault) {
	where := c.name + "/" + spec
	r := campaignDisc(t, c.name, c.m)
	before := fmt.Sprint(r.State())
	drive := sim.New(sim.Config{Disc: r, Faults: []sim.Fault{fault}})
	d := mmc.New(drive)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	m, err := Survey(ctx, d)
	if err != nil {
		return // nothing was begun
	}
	plan, err := MakePlan(context.Background(), m, c.src, c.o)
	if err != nil {
		if fmt.Sprint(r.State()) != before {
			t.Errorf("%s: refused, and the disc was changed", where)
		}
		return
	}
	log := &attemptLog{attempt: Attempt{Plan: plan, MediumID: m.ID}}
	res := Run(ctx, c.src, &Job{Drive: d, Medium: m, Plan: plan, Verify: true, Log: log})[0]
	if ctx.Err() != nil {
		t.Errorf("%s: it does not end", where)
		return
	}
	equal := c.o.Simulate || differs(r, c.src.image, plan.Start) == nil
	good := res.Err == nil && (c.o.Simulate || res.Verification != nil && res.Verification.OK())
	if good && !equal {
		t.Errorf("%s: success is reported, and the disc differs: %v", where, differs(r, c.src.image, plan.Start))
	}
	if good {
		return
	}
	c.failed = true
	c.judge(t, where, r, before, equal, res)
	if c.o.Simulate {
		return
	}
	drive.Close() // what the drive holds is written, or lost
	c.burnAgain(t, where, r, log, plan)
}

// judge checks what is said of the disc.
func (c *campaignRun) judge(t *testing.T, where string, r *sim.Recordable, before string, equal bool, res Result) {
	var e *Error
	if !errors.As(res.Err, &e) {
		return
	}
	st := r.State()
	damaged := st.Spoiled
	for i := range st.Sessions {
		for _, u := range st.Sessions[i].Tracks {
			// One that is written at once is of no use once a part was taken.
			damaged = damaged || u.Damaged || u.Reserved && !u.Closed && !equal
		}
	}
	empty := len(st.Sessions) == 0 && !st.Spoiled
	truth := true
	switch res.State {
	case Untouched:
		truth = fmt.Sprint(st) == before
	case StillBlank:
		truth = empty
	case Appendable:
		truth = !st.Final && !st.Spoiled && !empty
	case Complete:
		truth = st.Final
	case Spoiled:
		truth = damaged || st.Final && !equal
	}
	if !truth {
		t.Errorf("%s: the disc is said to be %s, and is %+v (%v)", where, res.State, st, res.Err)
	}
}

// An attemptLog keeps in memory what a journal keeps in a file.
type attemptLog struct {
	attempt Attempt
	done    bool
}

func (l *attemptLog) Reached(at Position) { l.attempt.At = at }

func (l *attemptLog) Failed(e *Error) { l.attempt.At, l.attempt.Failed = e.At, true }

func (l *attemptLog) Verified(*Verification) {}

func (l *attemptLog) Ended(r Result) {
	l.done = r.Err == nil && (r.Verification == nil || r.Verification.OK())
	if !l.done && r.Err == nil {
		l.attempt.At, l.attempt.Failed = Position{}, true
	}
}

// burnAgain does what reburn does.
func (c *campaignRun) burnAgain(t *testing.T, where string, r *sim.Recordable, log *attemptLog, plan *Plan) {
	if log.done {
		t.Errorf("%s: the log says that all went well", where)
	}
	ctx := context.Background()
	d := recorder(r)
	m, err := Survey(ctx, d)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	src := ImageSource("", c.src.image)
	o := c.o
	o.Speed = m.Slower(m.SpeedX(plan.Speed))
	if err := CheckSent(ctx, src, &log.attempt, nil); err != nil {
		t.Errorf("%s: again: %v", where, err)
		return
	}
	equal, err := Compare(ctx, d, m, src, &log.attempt, nil)
	if err != nil {
		t.Errorf("%s: again: %v", where, err)
		return
	}
	next, err := PlanResume(context.Background(), m, src, &log.attempt, equal, o)
	st := r.State()
	switch {
	case errors.Is(err, ErrFreshDisc):
		if m.Erasable || m.random() || len(st.Sessions) == 0 && !st.Spoiled {
			t.Errorf("%s: a fresh disc is asked for in place of a %s", where, m.State())
		}
		return
	case err != nil:
		t.Errorf("%s: again: %v (%+v)", where, err, st)
		return
	}
	res := Run(ctx, src, &Job{Drive: d, Medium: m, Plan: next.Plan, Verify: true})[0]
	if res.Err != nil || !res.Verification.OK() {
		t.Errorf("%s: again (%s): %v %+v\n%s", where, next.Mode, res.Err, res.Verification, next.Plan)
		return
	}
	if err := differs(r, src.image, next.Plan.Start); err != nil {
		t.Errorf("%s: again (%s): %v", where, next.Mode, err)
	}
	c.again = true
}
