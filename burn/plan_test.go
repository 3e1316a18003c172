package burn

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"spindle/internal/testdisc/testimage"
)

// cloneMedium copies a survey, with all that it points to.
func cloneMedium(m *Medium) *Medium {
	c := *m
	c.Formats, c.Speeds = slices.Clone(m.Formats), slices.Clone(m.Speeds)
	return &c
}

// surveys are discs of a kind as they are met: blank, left open, and full.
func surveys(t *testing.T, media string) map[string]*Medium {
	t.Helper()
	ctx := context.Background()
	out := make(map[string]*Medium)
	for name, o := range map[string]*Options{"blank": nil, "open": {Multi: true}, "full": {}} {
		r := blank(t, media, 50000)
		d := recorder(r)
		if o != nil {
			if _, res, err := burnOn(t, d, sourceFor(t, media, 400), *o); err != nil || res.Err != nil {
				continue // not every medium has sessions
			}
			d = recorder(r)
		}
		m, err := Survey(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = m
	}
	return out
}

// Planning is pure: it leaves the survey as it is, and plans the same again.
func TestPlanningIsPure(t *testing.T) {
	var choices []Options
	for _, o := range []Options{{}, {Multi: true}, {Simulate: true}, {Mode: Incremental}, {Mode: TrackAtOnce}, {Mode: Raw96}, {Overburn: true}} {
		for _, spare := range []Spare{"", SpareNone, SpareMinimum, SpareDefault} {
			for _, erase := range []Options{{}, {Blank: true}, {Blank: true, Full: true}} {
				o.Spare, o.Blank, o.Full = spare, erase.Blank, erase.Full
				choices = append(choices, o)
			}
		}
	}
	planned := 0
	same := func(name string, m *Medium, plan func() (*Plan, error)) {
		before := cloneMedium(m)
		p, err := plan()
		if !reflect.DeepEqual(before, m) {
			t.Fatalf("%s: the survey was\n%+v, and is\n%+v", name, before, m)
		}
		q, again := plan()
		if fmt.Sprint(err) != fmt.Sprint(again) || !reflect.DeepEqual(p, q) {
			t.Fatalf("%s: the first plan is (%v)\n%v, the second (%v)\n%v", name, err, p, again, q)
		}
		if err == nil {
			planned++
		}
	}
	for _, media := range media() {
		for state, m := range surveys(t, media) {
			for _, sectors := range []int{400, 45000, 60000} {
				src := sourceFor(t, media, sectors)
				for _, o := range choices {
					name := fmt.Sprintf("%s, %s, %d sectors, %+v", media, state, sectors, o)
					same(name, m, func() (*Plan, error) { return MakePlan(context.Background(), m, src, o) })
				}
			}
			for _, spare := range []Spare{"", SpareNone, SpareMinimum, SpareDefault} {
				for _, full := range []bool{false, true} {
					name := fmt.Sprintf("%s, %s: format, full %t, spare %q", media, state, full, spare)
					same(name, m, func() (*Plan, error) { return PlanFormat(m, FormatOptions{full, spare}) })
				}
				m.CapacityWith(spare)
			}
		}
	}
	if planned < 500 {
		t.Errorf("only %d plans were made", planned)
	}
}

// A DVD-RW that one plan would format is not intermediate for the next plan.
func TestPlanAfterPlan(t *testing.T) {
	d := recorder(blank(t, "dvd-rw-ro", 50000))
	m, err := Survey(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	src := sourceFor(t, "dvd-rw-ro", 400)
	want, err := MakePlan(context.Background(), m, src, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := MakePlan(context.Background(), m, src, Options{Blank: true, Full: true}); err != nil {
		t.Fatal(err)
	}
	if got, err := MakePlan(context.Background(), m, src, Options{}); err != nil || got.String() != want.String() {
		t.Errorf("%v\n%s, want\n%s", err, got, want)
	}
}

// An interrupted plan is none: what could not be read of the image would count as absent.
func TestPlanInterrupted(t *testing.T) {
	m, err := Survey(context.Background(), recorder(blank(t, "cd-r", 50000)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := MakePlan(ctx, m, ImageSource("", testimage.Open(t, "data")), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
