package burn

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"spindle/disc"
	"spindle/image/imagetest"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// phases keeps the last progress of each phase.
type phases map[Phase]Progress

func (p phases) Progress(now Progress) { p[now.Phase] = now }
func (p phases) Note(Note)             {}

// failAt burns with a fault, and returns what is known of the burn.
func failAt(t *testing.T, r *sim.Recordable, src *Source, o Options, fault string) *attemptLog {
	t.Helper()
	f, err := sim.ParseFault(fault)
	if err != nil {
		t.Fatal(err)
	}
	drive := sim.New(sim.Config{Disc: r, Faults: []sim.Fault{f}})
	d := mmc.New(drive)
	m, plan := planned(t, d, src, o)
	log := &attemptLog{attempt: Attempt{Plan: plan, MediumID: m.ID}}
	if res := Run(context.Background(), src, &Job{Drive: d, Medium: m, Plan: plan, Log: log})[0]; res.Err == nil {
		t.Fatal("the burn did not fail")
	}
	drive.Close()
	return log
}

// A failed burn is resumed in two parts: comparing reports how far it is, and
// planning is pure.
func TestResume(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		media, fault string
		o            Options
		want         ResumeMode
	}{
		{"dvd+r", "2A:20:gone", Options{}, Resume},
		{"bd-r", "2A:20:gone", Options{}, Resume},
		{"dvd-r", "2A:20:gone", Options{Multi: true}, Resume},
		{"dvd+rw", "2A:20:4/44/00", Options{}, Resume},
		{"bd-r", "5B:2:5/72/03", Options{}, CloseOnly},
		{"dvd+r", "2A:1:3/73/03", Options{}, RestartBlank},
		{"cd-rw", "2A:30:4/44/00", Options{}, RestartErased},
	} {
		t.Run(test.media+" "+test.fault, func(t *testing.T) {
			r := blank(t, test.media, 50000)
			src := sourceFor(t, test.media, 3000)
			log := failAt(t, r, src, test.o, test.fault)
			d := recorder(r)
			m, err := Survey(ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			seen := phases{}
			if err := CheckSent(ctx, src, &log.attempt, seen); err != nil {
				t.Fatal(err)
			}
			c, err := Compare(ctx, d, m, src, &log.attempt, seen)
			if err != nil {
				t.Fatal(err)
			}
			if p := seen[Comparing]; (p.Total > 0) != (test.want == Resume || test.want == CloseOnly) || p.Done != p.Total {
				t.Errorf("comparing came to %+v", p)
			}
			if p := seen[Checking]; log.attempt.At.Sent.Bytes > 0 && (p.Total != log.attempt.At.Sent.Bytes || p.Done != p.Total) {
				t.Errorf("checking came to %+v", p)
			}
			before, steps := cloneMedium(m), log.attempt.Plan.String()
			next, err := PlanResume(context.Background(), m, src, &log.attempt, c, test.o)
			if err != nil {
				t.Fatal(err)
			}
			if next.Mode != test.want {
				t.Errorf("%s, want %s", next.Mode, test.want)
			}
			if again, err := PlanResume(context.Background(), m, src, &log.attempt, c, test.o); err != nil || !reflect.DeepEqual(next, again) {
				t.Errorf("%v\n%v, first\n%v", err, again, next)
			}
			if !reflect.DeepEqual(before, m) || log.attempt.Plan.String() != steps {
				t.Error("planning has changed what it was given")
			}
			res := Run(ctx, src, &Job{Drive: d, Medium: m, Plan: next.Plan, Verify: true})[0]
			if res.Err != nil || !res.Verification.OK() || res.Verification.Sectors != 3000 {
				t.Errorf("%v %+v\n%s", res.Err, res.Verification, next.Plan)
			}
			equalDisc(t, r, src.image, 0)
		})
	}
}

// damaged is an image of which the user data of one sector have changed.
func damaged(img disc.Image, at disc.LBA) disc.Image {
	return &imagetest.Tapped{Image: img, After: func(p []byte, first disc.LBA) {
		size := img.Layout().Medium.SectorSize()
		if i := int(at-first) * size; i >= 0 && i < len(p) {
			p[i+size/2] ^= 1
		}
	}}
}

// What is sent is what was sent: an image that has changed is found by the sum,
// whatever else it seems to be.
func TestCheckSent(t *testing.T) {
	ctx := context.Background()
	for media, o := range map[string]Options{"dvd+r": {}, "cd-r": {}, "cd-rw": {Mode: Raw96}} {
		src := sourceFor(t, media, 3000)
		fault := "2A:40:4/44/00"
		if o.Mode == Raw96 {
			fault = "2A:500:4/44/00"
		}
		log := failAt(t, blank(t, media, 0), src, o, fault)
		if n := log.attempt.At.Sent.Bytes; n < 50*2048 || n > log.attempt.Plan.ContentBytes()/2 && o.Mode != Raw96 {
			t.Errorf("%s: %d bytes were sent", media, n)
		}
		if err := CheckSent(ctx, ImageSource("", src.image), &log.attempt, nil); err != nil {
			t.Errorf("%s: %v", media, err)
		}
		err := CheckSent(ctx, ImageSource("x.iso", damaged(src.image, 20)), &log.attempt, nil)
		var c *ImageChangedError
		if !errors.As(err, &c) || c.File != "x.iso" || c.Change != ContentChanged || !errors.Is(err, ErrImageChanged) {
			t.Errorf("%s: %v", media, err)
		}
		if err := CheckSent(ctx, ImageSource("", damaged(src.image, 2990)), &log.attempt, nil); err != nil {
			t.Errorf("%s: what was not sent has changed: %v", media, err)
		}
	}
}

// A burn of another image is not resumed on its disc.
func TestResumeOtherImage(t *testing.T) {
	ctx := context.Background()
	r := blank(t, "dvd+r", 50000)
	log := failAt(t, r, sourceFor(t, "dvd+r", 3000), Options{}, "2A:20:gone")
	d := recorder(r)
	m, err := Survey(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	longer := sourceFor(t, "dvd+r", 4000) // begins like the other one
	c, err := Compare(ctx, d, m, longer, &log.attempt, nil)
	if err != nil {
		t.Fatal(err)
	}
	if next, err := PlanResume(context.Background(), m, longer, &log.attempt, c, Options{}); !errors.Is(err, ErrFreshDisc) {
		t.Errorf("%v, %v", next, err)
	}
}

// A drive that does not read an open session resumes by what it and the journal say,
// with a note; where they contradict each other, it does not.
func TestResumeUnread(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		media, fault string
		o            Options
		want         ResumeMode
	}{
		{"dvd+r", "2A:20:gone", Options{}, Resume},
		{"bd-r", "2A:20:gone", Options{}, Resume},
		{"dvd-r", "2A:20:gone", Options{Multi: true}, Resume},
		{"bd-r", "5B:1:5/72/03", Options{}, CloseOnly},
	} {
		t.Run(test.media+" "+test.fault, func(t *testing.T) {
			r := blank(t, test.media, 50000)
			src := sourceFor(t, test.media, 3000)
			log := failAt(t, r, src, test.o, test.fault)
			d := quirky(t, r, "open-session-unreadable")
			m, err := Survey(ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Compare(ctx, d, m, src, &log.attempt, nil)
			if err != nil {
				t.Fatal(err)
			}
			next, err := PlanResume(context.Background(), m, src, &log.attempt, c, test.o)
			if err != nil {
				t.Fatal(err)
			}
			if next.Mode != test.want || !reflect.DeepEqual(next.Plan.Notes, []Note{{Code: NoteUnread}}) {
				t.Errorf("%s, %v", next.Mode, next.Plan.Notes)
			}
			res := Run(ctx, src, &Job{Drive: d, Medium: m, Plan: next.Plan, Verify: true})[0]
			if !test.o.Multi && (res.Err != nil || !res.Verification.OK()) {
				t.Error(res.Err, res.Verification)
			}
			equalDisc(t, r, src.image, 0)
			if test.want == Resume {
				log.attempt.At.LBA = m.NextWritable - 1
				if _, err := PlanResume(context.Background(), m, src, &log.attempt, c, test.o); !errors.Is(err, ErrFreshDisc) {
					t.Errorf("the drive is farther than the journal: %v", err)
				}
			}
		})
	}
}

// The disc of another burn that cannot be read is distinguished from this one's by where it
// ends.
func TestResumeUnreadOther(t *testing.T) {
	ctx := context.Background()
	src := sourceFor(t, "dvd+r", 12000)
	longer := failAt(t, blank(t, "dvd+r", 50000), src, Options{}, "2A:300:gone")
	r := blank(t, "dvd+r", 50000)
	own := failAt(t, r, src, Options{}, "2A:200:gone")
	d := quirky(t, r, "open-session-unreadable")
	m, err := Survey(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		at     disc.LBA
		failed bool
		plan   *Plan
		mine   bool
	}{
		"own":                        {own.attempt.At.LBA, true, own.attempt.Plan, true},
		"own, interrupted":           {own.attempt.At.LBA - 640, false, own.attempt.Plan, true},
		"another":                    {longer.attempt.At.LBA, true, longer.attempt.Plan, false},
		"another, interrupted":       {longer.attempt.At.LBA, false, longer.attempt.Plan, false},
		"a shorter one, interrupted": {0, false, own.attempt.Plan, false},
		"a shorter one, not journal": {own.attempt.At.LBA - 640, true, own.attempt.Plan, false},
	} {
		a := own.attempt
		a.Plan, a.At.LBA, a.Failed = test.plan, test.at, test.failed
		if name == "a shorter one, interrupted" {
			slow := *test.plan
			a.Plan, slow.Speed = &slow, 100 // kB/s
		}
		c, err := Compare(ctx, d, m, src, &a, nil)
		if err != nil || !c.Unreadable {
			t.Fatal(err, c)
		}
		next, err := PlanResume(context.Background(), m, src, &a, c, Options{})
		var refused *Refusal
		if mine := err == nil && next.Mode == Resume; mine != test.mine ||
			!mine && (!errors.As(err, &refused) || refused.Reason != EndedElsewhere || !errors.Is(err, ErrFreshDisc)) {
			t.Errorf("%s: at %d, and the burn ended at %d: %v", name, m.NextWritable, test.at, err)
		}
	}
}

// Where writing continues behind the image, the disc is not the image's.
func TestResumeUnreadBehind(t *testing.T) {
	ctx := context.Background()
	r := blank(t, "dvd+r", 50000)
	failAt(t, r, sourceFor(t, "dvd+r", 3000), Options{}, "2A:60:gone")
	src := sourceFor(t, "dvd+r", 640)
	log := failAt(t, blank(t, "dvd+r", 50000), src, Options{}, "2A:15:gone")
	d := quirky(t, r, "open-session-unreadable")
	m, err := Survey(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, failed := range []bool{false, true} {
		log.attempt.Failed = failed
		c, err := Compare(ctx, d, m, src, &log.attempt, nil)
		if err != nil {
			t.Fatal(err)
		}
		if next, err := PlanResume(context.Background(), m, src, &log.attempt, c, Options{}); !errors.Is(err, ErrFreshDisc) {
			t.Errorf("writing continues at %d: %v, %v", m.NextWritable, next, err)
		}
	}
}

// What a disc holds is lost without a question only if it is what the burn left there: not
// on another disc that begins in the same way, and not where earlier sessions are.
func TestResumeForeign(t *testing.T) {
	ctx := context.Background()
	const sectors = 3000
	head := func(differs int) *Source { // a volume that is another from a sector on
		b := append(volume("iso", "ONE"), make([]byte, (sectors-640)*2048)...)
		for i := 640; i < sectors; i++ {
			b[i*2048] = 1
			if i >= differs {
				b[i*2048] = 2
			}
		}
		return blob(t, b)
	}
	for _, test := range []struct {
		name, media, fault string
		holds              *Source // another disc, or nil: the same
		later              bool
		foreign            bool
	}{
		{"the same", "dvd+rw", "2A:20:timeout", nil, false, false},
		{"the same, and blank behind", "dvd+rw", "2A:20:timeout", nil, true, false},
		{"the same BD", "bd-re", "2A:20:4/44/00", nil, false, false},
		{"the same DVD-RW", "dvd-rw", "2A:20:4/44/00", nil, false, false},
		{"one that continues alike", "dvd+rw", "2A:20:timeout", head(1000), false, true},
		{"one that differs at that place", "dvd+rw", "2A:20:timeout", head(650), true, true},
		{"the same image", "dvd+rw", "2A:20:timeout", head(sectors), true, true},
		{"a DVD-RW that is complete", "dvd-rw", "2A:20:4/44/00", head(1000), false, true},
		{"a DVD+R that is complete", "dvd+r", "2A:20:4/44/00", head(sectors), false, true},
		{"one that differs before the drive's buffer", "dvd+rw", "2A:92:4/44/00", head(650), false, true},
		{"the same, in the drive's buffer", "dvd+rw", "2A:92:4/44/00", nil, false, false},
		{"a BD that differs before the buffer", "bd-re", "2A:92:timeout", head(650), false, true},
		{"a DVD-RW that differs before the buffer", "dvd-rw", "2A:92:4/44/00", head(650), false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := blank(t, test.media, 50000)
			src := head(sectors)
			a := failAt(t, r, src, Options{}, test.fault).attempt
			if test.holds != nil {
				r = blank(t, test.media, 50000)
				if _, res, err := burnOn(t, recorder(r), test.holds, Options{}); err != nil || res.Err != nil {
					t.Fatal(err, res.Err)
				}
			}
			a.Later = test.later
			d := recorder(r)
			m, err := Survey(ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Compare(ctx, d, m, src, &a, nil)
			if err != nil || c.Foreign != test.foreign {
				t.Errorf("%+v, %v", c, err)
			}
			plan, err := PlanResume(ctx, m, src, &a, c, Options{})
			if err == nil && plan.Other != (test.foreign && plan.Mode == CloseOnly) || plan != nil && plan.Other && len(plan.Plan.Steps) > 0 {
				t.Errorf("%+v, %v", plan, err)
			}
		})
	}
	// A rewritable disc has an earlier session.
	r := blank(t, "cd-rw", 0)
	src := sourceFor(t, "cd-rw", sectors)
	if _, res, err := burnOn(t, recorder(r), src, Options{Multi: true}); err != nil || res.Err != nil {
		t.Fatal(err, res.Err)
	}
	a := failAt(t, r, src, Options{AnyPlace: true}, "2A:20:4/44/00").attempt
	d := recorder(r)
	m, err := Survey(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Compare(ctx, d, m, src, &a, nil); err != nil || !c.Foreign {
		t.Errorf("%+v, %v", c, err)
	}
}

// A burn that is resumed and fails before its first write can be resumed again, also where
// only the journal says where it ended.
func TestResumeTwice(t *testing.T) {
	ctx := context.Background()
	r := blank(t, "dvd+r", 50000)
	src := sourceFor(t, "dvd+r", 3000)
	a := failAt(t, r, src, Options{}, "2A:20:timeout").attempt
	at := a.At.LBA
	for range 2 {
		d := quirky(t, r, "open-session-unreadable")
		m, err := Survey(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Compare(ctx, d, m, src, &a, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := PlanResume(ctx, m, src, &a, c, Options{})
		if err != nil || again.Mode != Resume || again.From < at {
			t.Fatal(again, err)
		}
		log := &attemptLog{attempt: Attempt{Plan: again.Plan, MediumID: m.ID}}
		f, err := sim.ParseFault("1E:1:gone")
		if err != nil {
			t.Fatal(err)
		}
		if res := Run(ctx, src, &Job{Drive: recorder(r, f), Medium: m, Plan: again.Plan, Log: log})[0]; res.Err == nil {
			t.Fatal("the burn did not fail")
		}
		a = log.attempt
	}
}
