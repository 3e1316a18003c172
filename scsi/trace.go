package scsi

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A traceRecord is one line of a trace: a command, its data, and how it ended.
type traceRecord struct {
	Time      float64 `json:"t"` // seconds since the start of the trace
	Duration  float64 `json:"took"`
	Name      string  `json:"name"`
	CDB       string  `json:"cdb"` // hexadecimal
	Direction string  `json:"dir,omitempty"`
	Length    int     `json:"len,omitempty"` // of the data phase asked for
	Data      []byte  `json:"data,omitempty"`
	Count     int     `json:"n"`
	Sense     string  `json:"sense,omitempty"` // hexadecimal
	Error     string  `json:"error,omitempty"`
	Kind      string  `json:"kind,omitempty"` // of the error: timeout, gone, busy, permission, transport
}

// traceHeader is the first line of a trace.
type traceHeader struct {
	Trace       int `json:"spindle-trace"` // version of the format
	MaxTransfer int `json:"max_transfer"`
}

const (
	traceVersion     = 1
	maxTraceTransfer = 16 << 20 // bytes; no host adapter takes that much
)

// traceKinds names the errors that a trace keeps apart.
var traceKinds = map[string]error{
	"timeout": ErrTimeout, "gone": ErrGone, "busy": ErrBusy, "permission": ErrPermission, "transport": ErrTransport,
}

// A Tracer is a Device that records everything that passes through it, one JSON
// object a line, so that a run can be inspected, sent to others, and played back
// with [OpenReplay].
type Tracer struct {
	dev   Device
	start time.Time

	mu  sync.Mutex
	w   *bufio.Writer
	err error
}

// NewTracer records on w what passes to and from dev. Call [Tracer.Flush] at the
// end.
func NewTracer(dev Device, w io.Writer) *Tracer {
	t := &Tracer{dev: dev, w: bufio.NewWriterSize(w, 256<<10), start: dev.Clock().Now()}
	t.write(traceHeader{Trace: traceVersion, MaxTransfer: dev.MaxTransfer()})
	return t
}

func (t *Tracer) write(v any) {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = t.w.Write(append(b, '\n'))
	}
	if t.err == nil {
		t.err = err
	}
}

// MaxTransfer returns that of the recorded device.
func (t *Tracer) MaxTransfer() int { return t.dev.MaxTransfer() }

// Clock returns that of the recorded device.
func (t *Tracer) Clock() Clock { return t.dev.Clock() }

// Execute implements [Device].
func (t *Tracer) Execute(ctx context.Context, c *Command) (int, error) {
	clock := t.dev.Clock()
	begin := clock.Now()
	n, err := t.dev.Execute(ctx, c)
	rec := traceRecord{
		Time: begin.Sub(t.start).Seconds(), Duration: clock.Now().Sub(begin).Seconds(),
		Name: Opcode(c.CDB[0]).String(), CDB: hex.EncodeToString(c.CDB), Count: n,
	}
	if c.Direction != None {
		rec.Direction, rec.Length = c.Direction.String(), len(c.Data)
		rec.Data = c.Data
		if c.Direction == In {
			rec.Data = c.Data[:max(0, min(n, len(c.Data)))]
		}
	}
	if err != nil {
		rec.Error = err.Error()
		if s := SenseOf(err); s != nil {
			rec.Sense = hex.EncodeToString(s.Raw)
		}
		for kind, e := range traceKinds {
			if errors.Is(err, e) {
				rec.Kind = kind
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(rec)
	return n, err
}

// Flush writes out what is buffered and returns the first error of all writing.
func (t *Tracer) Flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.w.Flush(); t.err == nil {
		t.err = err
	}
	return t.err
}

// A Replay plays a recorded trace back as a device: the nth command with some CDB
// gets the answer that the nth such command got when the trace was recorded, and
// the last answer once those run out. A command that the trace does not hold is an
// error that wraps [ErrTrace].
type Replay struct {
	f           *os.File
	maxTransfer int

	mu      sync.Mutex
	answers map[string]*traceAnswers
	now     time.Time
}

type traceAnswers struct {
	spots []traceSpot
	next  int
}

// traceSpot is where a record stands in the file.
type traceSpot struct {
	at     int64
	length int
}

// ErrTrace is what errors about traces wrap.
var ErrTrace = errors.New("scsi: invalid trace")

// maxTraceLine bounds one record: the data of the longest transfer in base64.
const maxTraceLine = 32 << 20

// OpenReplay opens a trace for playing back.
func OpenReplay(path string) (*Replay, error) {
	// Opening a pipe would wait for its other end.
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w: it is no regular file", path, ErrTrace)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &Replay{f: f, answers: make(map[string]*traceAnswers)}
	if err := t.index(); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// index notes where each record stands, so that memory does not depend on the
// length of the trace's data.
func (t *Replay) index() error {
	scan := bufio.NewScanner(t.f)
	scan.Buffer(make([]byte, 1<<20), maxTraceLine)
	var at int64
	for line := 1; scan.Scan(); line++ {
		b := scan.Bytes()
		if line == 1 {
			var h traceHeader
			if err := json.Unmarshal(b, &h); err != nil || h.Trace != traceVersion {
				return fmt.Errorf("%w: line 1 is not the start of a spindle trace", ErrTrace)
			}
			if h.MaxTransfer < 1 || h.MaxTransfer > maxTraceTransfer {
				return fmt.Errorf("%w: line 1: transfer limit of %d bytes", ErrTrace, h.MaxTransfer)
			}
			t.maxTransfer = h.MaxTransfer
		} else {
			var rec struct {
				CDB string `json:"cdb"`
			}
			if err := json.Unmarshal(b, &rec); err != nil || rec.CDB == "" {
				return fmt.Errorf("%w: line %d is not a record", ErrTrace, line)
			}
			a := t.answers[rec.CDB]
			if a == nil {
				a = new(traceAnswers)
				t.answers[rec.CDB] = a
			}
			a.spots = append(a.spots, traceSpot{at, len(b)})
		}
		at += int64(len(b)) + 1
	}
	return scan.Err()
}

// Clock returns a clock that moves as the recorded commands took, and when
// somebody sleeps: playing back does not wait.
func (t *Replay) Clock() Clock { return (*replayClock)(t) }

type replayClock Replay

func (c *replayClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *replayClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// MaxTransfer returns that of the device that was recorded.
func (t *Replay) MaxTransfer() int { return t.maxTransfer }

// Close closes the file.
func (t *Replay) Close() error { return t.f.Close() }

// Execute implements [Device].
func (t *Replay) Execute(ctx context.Context, c *Command) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.answers[hex.EncodeToString(c.CDB)]
	if a == nil {
		return 0, fmt.Errorf("%s: %w: the recorded run did not send this command: % x", Opcode(c.CDB[0]), ErrTrace, c.CDB)
	}
	spot := a.spots[min(a.next, len(a.spots)-1)]
	a.next++
	line := make([]byte, spot.length)
	if _, err := t.f.ReadAt(line, spot.at); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrTrace, err)
	}
	var rec traceRecord
	if err := json.Unmarshal(line, &rec); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrTrace, err)
	}
	t.now = t.now.Add(time.Duration(rec.Duration * float64(time.Second)))
	n := min(rec.Count, len(c.Data))
	if c.Direction == In {
		n = copy(c.Data, rec.Data)
	}
	return n, rec.err(c)
}

// err makes the error of a record again.
func (rec *traceRecord) err(c *Command) error {
	if rec.Error == "" {
		return nil
	}
	if raw, err := hex.DecodeString(rec.Sense); err == nil && len(raw) > 0 {
		if s, err := ParseSense(raw); err == nil {
			return &CheckCondition{Opcode: Opcode(c.CDB[0]), Sense: s}
		}
	}
	if e, ok := traceKinds[rec.Kind]; ok {
		return fmt.Errorf("%s: %w", Opcode(c.CDB[0]), e)
	}
	return errors.New(rec.Error)
}
