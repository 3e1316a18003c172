package trial_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"spindle/drive"
	"spindle/drive/byname"
	"spindle/drive/trial"
	"spindle/internal/testdisc"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// open opens the simulated drive with a test disc and the given keys.
func open(t *testing.T, disc, keys string) scsi.Conn {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), disc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := byname.Open(t.Context(), "sim:"+path+keys, byname.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func run(t *testing.T, dev scsi.Device) *trial.Report {
	t.Helper()
	r, err := trial.Run(t.Context(), mmc.New(dev), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// forms counts the outcomes.
func forms(s trial.Stretch) map[trial.Outcome]int {
	n := make(map[trial.Outcome]int)
	for _, f := range s.Forms {
		n[f.Outcome]++
	}
	return n
}

func TestPlainDrive(t *testing.T) {
	r := run(t, open(t, "mixed", ""))
	if len(r.Stretches) != 2 || r.Stretches[0].Coding != drive.Audio || r.Stretches[1].Coding != drive.Data {
		t.Fatalf("stretches %+v", r.Stretches)
	}
	for _, s := range r.Stretches {
		if n := forms(s); n[trial.Works] != len(s.Forms) || len(s.Forms) != 18 {
			t.Errorf("coding %d: forms %v", s.Coding, n)
		}
		if s.Q != trial.Works || s.QAhead != 0 || s.Transfer < 64<<10 || s.Cache.Holds || len(s.Speeds) == 0 {
			t.Errorf("coding %d: %+v", s.Coding, s)
		}
	}
	if s := r.Stretches[0].Stream; s != trial.Works {
		t.Errorf("accurate stream: %s", s)
	}
	if r.Turnaround <= 0 || len(r.Questions) < 20 || r.Questions[0].Outcome != trial.Works {
		t.Errorf("turnaround %v, questions %+v", r.Turnaround, r.Questions)
	}
}

func TestWithoutDisc(t *testing.T) {
	r := run(t, open(t, "data", "?tray=open"))
	if r.Profile != mmc.ProfileNone || len(r.Stretches) > 0 || len(r.Questions) == 0 {
		t.Errorf("%+v", r)
	}
}

func TestWithoutC2AndSubChannel(t *testing.T) {
	r := run(t, open(t, "audio", "?c2=no&subchannel=no"))
	s := r.Stretches[0]
	if n := forms(s); n[trial.Works] == 0 || n[trial.Works] == len(s.Forms) {
		t.Errorf("forms %v", n)
	}
	for _, f := range s.Forms {
		if f.C2 != mmc.NoC2 && f.Outcome == trial.Works {
			t.Errorf("C2 %d works", f.C2)
		}
	}
	if s.Q == trial.Works {
		t.Error("a sub-channel that there is not")
	}
}

// stale leaves the buffer as it was when a sub-channel is asked for, without an error.
type stale struct{ scsi.Device }

func (s stale) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	if scsi.Opcode(c.CDB[0]) == scsi.OpReadCD && c.CDB[10] != 0 {
		return len(c.Data), nil
	}
	return s.Device.Execute(ctx, c)
}

func TestAnswersThatNeverCame(t *testing.T) {
	for _, s := range run(t, stale{open(t, "mixed", "")}).Stretches {
		for _, f := range s.Forms {
			if (f.Outcome == trial.Works) != (f.Sub == mmc.NoSub) {
				t.Errorf("%+v", f)
			}
		}
		if s.Q != trial.Wrong {
			t.Errorf("Q %s", s.Q)
		}
	}
}

// once leaves a sector within one plain reply out, without an error: the first one that
// every form is compared with.
type once struct {
	scsi.Device
	batches *[][]byte // of plain reads
	at      int       // which of them is cut
}

func (s once) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	if scsi.Opcode(c.CDB[0]) != scsi.OpReadCD || c.CDB[9]&6 != 0 || c.CDB[10] != 0 {
		return s.Device.Execute(ctx, c)
	}
	*s.batches = append(*s.batches, bytes.Clone(c.CDB))
	if len(*s.batches) != s.at {
		return s.Device.Execute(ctx, c)
	}
	before := bytes.Clone(c.Data)
	n, err := s.Device.Execute(ctx, c)
	copy(c.Data[5*2352:6*2352], before[5*2352:])
	return n, err
}

// One stale reply makes no form wrong.
func TestOneStaleReference(t *testing.T) {
	dev := open(t, "audio", "")
	var all [][]byte
	run(t, once{dev, &all, 0})
	// The references are the last three plain reads before the forms, of which two are
	// plain, too, at three places each.
	first := len(all) - 3*3 + 1
	for at := first; at < first+3; at++ {
		var again [][]byte
		s := run(t, once{open(t, "audio", ""), &again, at}).Stretches[0]
		if n := forms(s); n[trial.Wrong] > 0 || n[trial.Works] == 0 {
			t.Errorf("the reply %d is stale, and forms do not work: %v", at, n)
		}
		if !s.Short {
			t.Errorf("the reply %d is stale, and nothing says so", at)
		}
	}
}

// replayed runs a trial that is recorded without serial numbers, and another one that plays
// it back.
func replayed(t *testing.T, dev scsi.Device) (recorded, played *trial.Report, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "trace")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tracer := scsi.NewTracer(trial.Anonymous(dev, trial.Serials(t.Context(), mmc.New(dev))), f)
	recorded = run(t, tracer)
	if err := tracer.Flush(); err != nil {
		t.Fatal(err)
	}
	replay, err := scsi.OpenReplay(path)
	if err != nil {
		t.Fatal(err)
	}
	defer replay.Close()
	played = run(t, replay)
	for _, r := range []*trial.Report{recorded, played} { // a trace rounds times
		r.Turnaround = r.Turnaround.Round(time.Microsecond)
		for i := range r.Questions {
			r.Questions[i].Took = r.Questions[i].Took.Round(time.Microsecond)
		}
		for i := range r.Stretches {
			s := &r.Stretches[i]
			s.Cache.First, s.Cache.Again = s.Cache.First.Round(time.Microsecond), s.Cache.Again.Round(time.Microsecond)
			for j := range s.Speeds {
				s.Speeds[j].Rate = math.Round(s.Speeds[j].Rate / 1e4)
			}
		}
	}
	return recorded, played, path
}

// qemu is how QEMU's emulated drive differs from the simulated one.
const qemu = "?trait=no-c2,no-subchannel,no-performance,no-full-toc,dvd-drive&write=no"

// What was recorded of a trial gives the same report, on every drive that reports
// describe, on the plain one, and on one like QEMU's.
func TestReplays(t *testing.T) {
	queries := []string{"", qemu, "?tray=open"}
	known, err := sim.Personalities()
	if err != nil {
		t.Fatal(err)
	}
	if len(known) < 12 {
		t.Errorf("%d drives", len(known))
	}
	const share = 5 // with -short
	for i, p := range known {
		if !testing.Short() || i%share == 0 {
			queries = append(queries, "?drive="+p.Name)
		}
	}
	for _, query := range queries {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			recorded, played, _ := replayed(t, open(t, "mixed", query))
			if !reflect.DeepEqual(recorded, played) {
				t.Errorf("played back:\n%+v\nrecorded:\n%+v", played, recorded)
			}
			if want := 2; query != "?tray=open" && len(played.Stretches) != want {
				t.Errorf("%d stretches", len(played.Stretches))
			}
		})
	}
}

// A trace that is given to others names no single drive.
func TestTrace(t *testing.T) {
	dev := open(t, "mixed", "")
	if serials := trial.Serials(t.Context(), mmc.New(dev)); len(serials) != 2 {
		t.Fatalf("serial numbers %q", serials)
	}
	_, _, path := replayed(t, dev)
	again, err := scsi.OpenReplay(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	conf, err := mmc.New(again).Configuration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	serial := conf.Feature(mmc.FeatureSerialNumber)
	if serial == nil || bytes.Trim(serial.Data, "X\x00 ") != nil && len(bytes.Trim(serial.Data, "X\x00 ")) > 0 {
		t.Errorf("the trace has the serial number %+v", serial)
	}
}

// Each way in which a drive departs from the standard is found, and plays back.
func TestDepartures(t *testing.T) {
	audio := func(r *trial.Report) *trial.Stretch { return &r.Stretches[0] }
	works := func(s *trial.Stretch, c2 mmc.C2Mode) bool {
		for _, f := range s.Forms {
			if f.C2 == c2 && f.Sub == mmc.NoSub && f.Outcome == trial.Works && f.Flagged == 0 {
				return true
			}
		}
		return false
	}
	for trait, found := range map[string]func(*trial.Report) bool{
		"c2-294-garbage":          func(r *trial.Report) bool { return !works(audio(r), mmc.C2Bits) && works(audio(r), mmc.C2AndBlock) },
		"c2-296-only-last":        func(r *trial.Report) bool { return !works(audio(r), mmc.C2Bits) && works(audio(r), mmc.C2AndBlock) },
		"c2-garbage":              func(r *trial.Report) bool { return !works(audio(r), mmc.C2Bits) && !works(audio(r), mmc.C2AndBlock) },
		"cut-mod-1024":            func(r *trial.Report) bool { return audio(r).Short },
		"expected-type-0-refused": func(r *trial.Report) bool { return works(audio(r), mmc.C2Bits) && audio(r).Transfer > 0 },
		"no-accurate-stream":      func(r *trial.Report) bool { return audio(r).Stream == trial.Wrong && works(audio(r), mmc.C2Bits) },
		"no-get-configuration":    func(r *trial.Report) bool { return r.Questions[0].Outcome == trial.Refused && len(r.Stretches) == 2 },
		"short-read-stale":        func(r *trial.Report) bool { return audio(r).Short },
		"subchannel-garbage":      func(r *trial.Report) bool { return audio(r).Q == trial.Wrong },
		"subchannel-no-crc":       func(r *trial.Report) bool { return audio(r).Q == trial.Wrong },
		"subchannel-shifted:2":    func(r *trial.Report) bool { return audio(r).Q == trial.Works && audio(r).QAhead == 2 },
		"transfer-limit:32768":    func(r *trial.Report) bool { return audio(r).Transfer == 32<<10 },
		"cache:65536":             func(r *trial.Report) bool { return r.Stretches[1].Cache.Holds && r.Stretches[1].Cache.Bytes > 0 },
	} {
		t.Run(trait, func(t *testing.T) {
			t.Parallel()
			if r := run(t, open(t, "mixed", "?trait="+trait)); !found(r) {
				t.Errorf("%+v", r)
			}
		})
	}
}
