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

const traceVersion = 1

// traceKinds names the errors that a trace keeps apart.
var traceKinds = map[string]error{
	"timeout": ErrTimeout, "gone": ErrGone, "busy": ErrBusy, "permission": ErrPermission, "transport": ErrTransport,
}

// A Recorder is a Device that writes down everything that passes through it: one
// JSON object a line, so that a run can be looked at, sent to others, and
// played back with [OpenTrace].
type Recorder struct {
	dev   Device
	start time.Time

	mu  sync.Mutex
	w   *bufio.Writer
	err error
}

// NewRecorder records what passes to dev on w. Call Flush at the end.
func NewRecorder(dev Device, w io.Writer) *Recorder {
	r := &Recorder{dev: dev, w: bufio.NewWriterSize(w, 256<<10), start: ClockOf(dev).Now()}
	r.write(traceHeader{Trace: traceVersion, MaxTransfer: MaxTransfer(dev)})
	return r
}

func (r *Recorder) write(v any) {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = r.w.Write(append(b, '\n'))
	}
	if r.err == nil {
		r.err = err
	}
}

// MaxTransfer returns that of the recorded device.
func (r *Recorder) MaxTransfer() int { return MaxTransfer(r.dev) }

// Clock returns that of the recorded device.
func (r *Recorder) Clock() Clock { return ClockOf(r.dev) }

// Execute implements [Device].
func (r *Recorder) Execute(ctx context.Context, c *Command) (int, error) {
	clock := ClockOf(r.dev)
	begin := clock.Now()
	n, err := r.dev.Execute(ctx, c)
	rec := traceRecord{
		Time: begin.Sub(r.start).Seconds(), Duration: clock.Now().Sub(begin).Seconds(),
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
	r.mu.Lock()
	defer r.mu.Unlock()
	r.write(rec)
	return n, err
}

// Flush writes out what is buffered and returns the first error of all writing.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.w.Flush(); r.err == nil {
		r.err = err
	}
	return r.err
}

// Trace plays a recorded trace back as a device: each command gets the answer
// that the same CDB got at the same turn, the last one again and again. A
// command that the trace does not hold is an error.
type Trace struct {
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
var ErrTrace = errors.New("trace")

// maxTraceLine bounds one record: the data of the longest transfer in base64.
const maxTraceLine = 32 << 20

// OpenTrace opens a trace for playing back.
func OpenTrace(path string) (*Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &Trace{f: f, answers: make(map[string]*traceAnswers)}
	if err := t.index(); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// index notes where each record stands, so that memory does not depend on the
// length of the trace's data.
func (t *Trace) index() error {
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
func (t *Trace) Clock() Clock { return (*traceClock)(t) }

type traceClock Trace

func (c *traceClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *traceClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// MaxTransfer returns that of the device that was recorded.
func (t *Trace) MaxTransfer() int { return t.maxTransfer }

// Close closes the file.
func (t *Trace) Close() error { return t.f.Close() }

// Execute implements [Device].
func (t *Trace) Execute(ctx context.Context, c *Command) (int, error) {
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
