package scsi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseSenseFixed(t *testing.T) {
	b := []byte{0xF0, 0, 0x23, 0, 0, 0x12, 0x34, 10, 0, 0, 0, 0, 0x11, 0x05, 0, 0, 0, 0}
	s, err := ParseSense(b)
	if err != nil {
		t.Fatal(err)
	}
	if s.Key != MediumError || !s.ILI || !s.InformationValid || s.Information != 0x1234 || s.ASC != 0x11 || s.ASCQ != 5 || s.Deferred {
		t.Errorf("%+v", s)
	}
	if got := s.String(); got != "3/11/05 L-EC uncorrectable error" {
		t.Error(got)
	}
}

func TestParseSenseDescriptor(t *testing.T) {
	b := []byte{0x73, 0x02, 0x04, 0x04, 0, 0, 0, 20,
		0x00, 0x0A, 0x80, 0, 0, 0, 0, 0, 0, 0, 0xAB, 0xCD,
		0x02, 0x06, 0, 0, 0x80, 0x40, 0x00, 0}
	s, err := ParseSense(b)
	if err != nil {
		t.Fatal(err)
	}
	if s.Key != NotReady || s.ASC != 4 || s.ASCQ != 4 || !s.Deferred || s.Information != 0xABCD || !s.ProgressValid || s.Progress != 0.25 {
		t.Errorf("%+v", s)
	}
}

func TestSenseFixedRoundTrip(t *testing.T) {
	for _, want := range []Sense{
		{Key: MediumError, ASC: 0x11, ASCQ: 5, Information: 77, InformationValid: true, ILI: true},
		{Key: IllegalRequest, ASC: 0x24, Field: 9, FieldValid: true},
		{Key: IllegalRequest, ASC: 0x26, Field: 3, FieldValid: true, FieldInData: true},
		{Key: NotReady, ASC: 4, ASCQ: 7, Progress: 0.5, ProgressValid: true},
		{Key: MediumError, ASC: 0x0C, Deferred: true},
	} {
		want.Raw = want.Fixed()
		got, err := ParseSense(want.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func FuzzParseSense(f *testing.F) {
	f.Add([]byte{0x70, 0, 3, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x11, 5, 0, 0x80, 1, 1})
	f.Add([]byte{0x72, 3, 0x11, 5, 0, 0, 0, 2, 0, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSense(b)
		if err == nil {
			_ = s.String()
			s.Fixed()
		}
	})
}

// answers is a Device that gives prepared answers.
type answers struct {
	data [][]byte
	errs []error
	n    int
}

func (a *answers) Execute(_ context.Context, c *Command) (int, error) {
	i := a.n
	a.n++
	return copy(c.Data, a.data[i]), a.errs[i]
}

func (a *answers) MaxTransfer() int { return 12345 }

func (a *answers) Clock() Clock { return SystemClock{} }

func TestTrace(t *testing.T) {
	sense := Sense{Key: MediumError, ASC: 0x11, ASCQ: 5}
	sense.Raw = sense.Fixed()
	dev := &answers{
		data: [][]byte{{1, 2, 3}, nil, {9}, nil, {4, 5, 6}},
		errs: []error{nil, &CheckCondition{Opcode: 0x12, Sense: sense}, nil, fmt.Errorf("x: %w", ErrTimeout), nil},
	}
	commands := [][]byte{{0x12, 0, 0, 0, 3, 0}, {0x12, 0, 0, 0, 3, 0}, {0, 0, 0, 0, 0, 0}, {0x12, 0, 0, 0, 9, 0}, {0x12, 0, 0, 0, 3, 0}}
	path := filepath.Join(t.TempDir(), "trace")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	r := NewTracer(dev, f)
	type outcome struct {
		N    int
		Data []byte
		Err  string
	}
	run := func(d Device) (all []outcome) {
		for _, cdb := range commands {
			buf := make([]byte, 3)
			n, err := d.Execute(context.Background(), &Command{CDB: cdb, Direction: In, Data: buf})
			o := outcome{N: n, Data: buf}
			if s := SenseOf(err); s != nil {
				o.Err = s.Triple()
			} else if errors.Is(err, ErrTimeout) {
				o.Err = "timeout"
			} else if err != nil {
				t.Fatal(err)
			}
			all = append(all, o)
		}
		return all
	}
	want := run(r)
	if err := errors.Join(r.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	tr, err := OpenReplay(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if tr.MaxTransfer() != 12345 {
		t.Errorf("transfer limit %d", tr.MaxTransfer())
	}
	if diff := cmp.Diff(want, run(tr)); diff != "" {
		t.Error(diff)
	}
	if _, err := tr.Execute(context.Background(), &Command{CDB: []byte{1, 2, 3, 4, 5, 6}}); !errors.Is(err, ErrTrace) {
		t.Errorf("a command that was not recorded: %v", err)
	}
}

func TestOpenReplayErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	for _, text := range []string{"hello\n", "{}\n", "{\"spindle-trace\":1}\n", "{\"spindle-trace\":1,\"max_transfer\":99999999999}\n",
		"{\"spindle-trace\":2,\"max_transfer\":65536}\n",
		"{\"spindle-trace\":1,\"max_transfer\":65536}\n{}\n", "{\"spindle-trace\":1,\"max_transfer\":65536}\nx\n"} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if tr, err := OpenReplay(path); !errors.Is(err, ErrTrace) {
			t.Errorf("%q: %v, %v", text, tr, err)
		}
	}
}

func TestContextEndsBeforeTheCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := (SystemClock{}).Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestErrorsNameTheCommand(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", &CheckCondition{Opcode: 0xBE, Sense: Sense{Key: IllegalRequest, ASC: 0x64}})
	if got := err.Error(); got != "wrapped: READ CD: 5/64/00 illegal mode for this track" {
		t.Error(got)
	}
	if !IsSense(err, IllegalRequest, 0x64, AnyQualifier) || IsSense(err, IllegalRequest, 0x64, 1) || IsSense(nil, 0, 0, 0) {
		t.Error("IsSense is wrong")
	}
}

func ExampleSense_String() {
	s, err := ParseSense([]byte{0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x3A, 0x02, 0, 0, 0, 0})
	fmt.Println(s.String(), err)
	// Output: 2/3A/02 medium not present, tray open <nil>
}

func TestTracerFailsLate(t *testing.T) {
	r := NewTracer(&answers{data: [][]byte{make([]byte, 1<<20)}, errs: []error{nil}}, failingWriter{})
	c := &Command{CDB: make([]byte, 6), Direction: In, Data: make([]byte, 1<<20)}
	if n, err := r.Execute(context.Background(), c); n != 1<<20 || err != nil {
		t.Errorf("a trace that cannot be written spoils the command: %d, %v", n, err)
	}
	if err := r.Flush(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("and is not reported: %v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }
