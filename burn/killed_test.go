package burn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/imagetest"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A deathLog tells each step that is reached, and notes nothing once the burn is dead.
type deathLog struct {
	attemptLog
	mu   sync.Mutex
	dead bool
	step chan int
}

func (l *deathLog) Reached(at Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return
	}
	l.attemptLog.Reached(at)
	l.step <- at.Step
}

func (l *deathLog) Failed(*Error) {}
func (l *deathLog) Ended(Result)  {}

// die ends the log once it has come to a step that ends the burn.
func (l *deathLog) die() {
	for range l.step {
		l.mu.Lock()
		l.dead = l.attempt.At.Step > lastWriting(l.attempt.Plan.Steps)
		dead := l.dead
		l.mu.Unlock()
		if dead {
			return
		}
	}
}

// killAt burns, and is killed at the n-th command of closing: before the drive gets it,
// or once the drive has done what it says. A burn that is killed notes nothing any more.
// It returns nil where there are fewer commands.
func killAt(t *testing.T, r *sim.Recordable, src *Source, o Options, n int, done bool) *deathLog {
	t.Helper()
	log := &deathLog{step: make(chan int, 1000)}
	drive := sim.New(sim.Config{Disc: r})
	d := mmc.New(&meddler{drive, func(c *scsi.Command) (int, error, bool) {
		if log.dead {
			return 0, scsi.ErrGone, true
		}
		switch scsi.Opcode(c.CDB[0]) {
		case scsi.OpSynchronizeCache, scsi.OpCloseTrackSession:
			n--
		}
		if n >= 0 {
			return 0, nil, false
		}
		log.die()
		if done {
			c.CDB[1] &^= 2 // of SYNCHRONIZE CACHE, Immed
			if scsi.Opcode(c.CDB[0]) == scsi.OpCloseTrackSession {
				c.CDB[1] &^= 1
			}
			if _, err := drive.Execute(context.Background(), c); err != nil {
				t.Error(err)
			}
		}
		return 0, scsi.ErrGone, true
	}})
	ctx := context.Background()
	m, err := Survey(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := MakePlan(context.Background(), m, src, o)
	if err != nil {
		t.Fatal(err)
	}
	log.attempt = Attempt{Plan: plan, MediumID: m.ID}
	Run(ctx, src, &Job{Drive: d, Medium: m, Plan: plan, Log: log})
	drive.Close()
	if !log.dead {
		return nil
	}
	return log
}

// Of a burn that is killed while the disc is closed, reburn does the rest.
func TestKilledClosing(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		media string
		o     Options
		whole bool // the disc is of no use unless the drive ends it: written at once
	}{
		{"dvd+r", Options{}, false},
		{"dvd+r", Options{Multi: true}, false},
		{"dvd+r-dl", Options{}, false},
		{"bd-r", Options{}, false},
		{"bd-r", Options{Multi: true}, false},
		{"dvd-r", Options{Mode: Incremental}, false},
		{"dvd-r", Options{Multi: true}, false},
		{"dvd-r", Options{}, true},
		{"cd-r", Options{Mode: TrackAtOnce}, true},
		{"cd-r", Options{Multi: true}, true},
		{"cd-r", Options{}, true},
		{"cd-r audio", Options{}, true},
		{"cd-r audio", Options{Multi: true}, true},
	} {
		for n := range 8 {
			ended := false
			for _, done := range []bool{false, true} {
				name := fmt.Sprintf("%s %s multi=%t/%d done=%t", test.media, test.o.Mode, test.o.Multi, n, done)
				t.Run(name, func(t *testing.T) {
					media, audio := strings.CutSuffix(test.media, " audio")
					r, src := blank(t, media, 20000), sourceFor(t, media, 400)
					if audio {
						src = ImageSource("", smallCD(t))
					}
					log := killAt(t, r, src, test.o, n, done)
					if log == nil {
						ended = true
						return
					}
					d := recorder(r)
					m, err := Survey(ctx, d)
					if err != nil {
						t.Fatal(err)
					}
					c, err := Compare(ctx, d, m, src, &log.attempt, nil)
					if err != nil {
						t.Fatal(err)
					}
					next, err := PlanResume(context.Background(), m, src, &log.attempt, c, test.o)
					if errors.Is(err, ErrFreshDisc) && test.whole && n == 0 && !done {
						return // the drive was still to write its buffer
					}
					if err != nil {
						t.Fatalf("%v: %+v, %+v", err, c, m.Recording)
					}
					res := Run(ctx, src, &Job{Drive: d, Medium: m, Plan: next.Plan, Verify: true})[0]
					if res.Err != nil || !res.Verification.OK() || res.Verification.Sectors < 400 {
						t.Errorf("%v %+v\n%s", res.Err, res.Verification, next.Plan)
					}
					equalDisc(t, r, src.image, 0)
					st := r.State()
					if len(st.Sessions) == 0 || !st.Sessions[0].Closed || st.Final == test.o.Multi {
						t.Errorf("not closed: %+v\n%s", st, next.Plan)
					}
				})
			}
			if ended {
				break
			}
		}
	}
}

// Erasing that is interrupted says what the disc is.
func TestInterruptedErase(t *testing.T) {
	for media, want := range map[string]DiscState{"cd-rw": StillBlank, "dvd+rw": Overwritable} {
		r := blank(t, media, 20000)
		if _, res, err := burnOn(t, recorder(r), sourceFor(t, media, 400), Options{}); err != nil || res.Err != nil {
			t.Fatal(err, res.Err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		begun := false
		d := meddled(r, func(c *scsi.Command) (int, error, bool) {
			if begun {
				cancel() // while the drive is at work
			}
			op := scsi.Opcode(c.CDB[0])
			begun = begun || op == scsi.OpBlank || op == scsi.OpFormatUnit
			return 0, nil, false
		})
		m, err := Survey(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		var plan *Plan
		if m.random() {
			plan, err = PlanFormat(m, FormatOptions{Full: true})
		} else {
			plan, err = PlanErase(m, EraseQuick)
		}
		if err != nil {
			t.Fatal(err)
		}
		var e *Error
		if err := Execute(ctx, d, m, plan, nil); !errors.As(err, &e) || !errors.Is(err, context.Canceled) || e.State != want {
			t.Errorf("%s: %v, %s", media, err, e.State)
		}
	}
}

// In raw mode a sector whose EDC is wrong stays wrong.
func TestRawKeepsDamage(t *testing.T) {
	img := smallCD(t)
	bad := &imagetest.Tapped{Image: img, After: func(p []byte, first disc.LBA) {
		if i := int(200-first) * cdsector.Size; i >= 0 && i < len(p) {
			p[i+100] ^= 1
		}
	}}
	want, got := make([]byte, cdsector.Size), make([]byte, cdsector.Size)
	if err := bad.ReadSectors(context.Background(), want, 200); err != nil {
		t.Fatal(err)
	}
	maker := newRawMaker(ImageSource("", bad), -20000)
	if err := maker.mainChannel(context.Background(), 200); err != nil {
		t.Fatal(err)
	}
	cdsector.Scramble(&maker.main)
	copy(got, maker.main[:])
	if !bytes.Equal(want, got) {
		t.Error("the sector is not that of the image")
	}
}
