package burn

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"spindle/disc"
	"spindle/scsi"
)

// Begin is the first line of a journal: what is to be done.
type Begin struct {
	Image    Identity `json:"image"`
	Options  Options  `json:"options"`
	Device   string   `json:"device"`
	Drive    string   `json:"drive"` // vendor, model, revision
	Profile  string   `json:"profile"`
	MediumID string   `json:"mediumID,omitempty"`
	Plan     *Plan    `json:"plan"`
	Verify   bool     `json:"verify"`
	Retry    string   `json:"retry,omitempty"` // the journal of the burn that this one goes on with
}

// Entry is a line of a journal.
type Entry struct {
	Time  time.Time `json:"time"`
	Event string    `json:"event"` // begin, step, failed, verified, done
	Begin *Begin    `json:"begin,omitempty"`
	// Step and LBA say how far the burn has come: LBA is the address after the
	// last sector that the drive took.
	Step int      `json:"step"`
	LBA  disc.LBA `json:"lba"`
	// Of failed.
	Error string    `json:"error,omitempty"`
	Sense string    `json:"sense,omitempty"`
	State DiscState `json:"state,omitempty"`
	// SHA-256 of the first Bytes of the image, as they were sent.
	SHA256 string `json:"sha256,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`
	// Of verified.
	Different  []Range `json:"different,omitempty"`
	Unreadable []Range `json:"unreadable,omitempty"`
}

// A Journal is what is known of a burn. It is kept as a file of one JSON object a
// line; a burn without a last line was ended by a crash or a power cut.
type Journal struct {
	Path  string
	Begin Begin
	At    time.Time // of the last line
	Last  Entry     // step or failure
	Done  bool
	// Failed tells of a burn that ended with an error; without it and without
	// Done it was broken off.
	Failed bool
}

// ErrNoJournal: there is no failed burn.
var ErrNoJournal = errors.New("there is no failed burn")

// ErrJournal is what errors about malformed journals wrap.
var ErrJournal = errors.New("malformed journal")

// journalSuffix is that of journal files.
const journalSuffix = ".burn.jsonl"

// StateDir is where journals are kept: in the user's state folder (XDG Base
// Directory Specification).
func StateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "spindle"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state", "spindle"), nil
}

// Writer writes a journal.
type Writer struct {
	f    *os.File
	last time.Time
	err  error
}

// Create begins a journal in a folder, or in the file path if that is not empty.
func Create(dir, path string, b Begin) (*Writer, error) {
	if path == "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	for i := 0; ; i++ {
		name := path
		if name == "" {
			name = filepath.Join(dir, fmt.Sprintf("%s-%d%s", time.Now().UTC().Format("20060102-150405"), i, journalSuffix))
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) && path == "" && i < 100 {
			continue
		}
		if err != nil {
			return nil, err
		}
		w := &Writer{f: f}
		w.write(Entry{Event: "begin", Begin: &b})
		return w, w.err
	}
}

// Path returns the name of the file.
func (w *Writer) Path() string { return w.f.Name() }

// write adds a line, which is on the disk when it returns.
func (w *Writer) write(e Entry) {
	e.Time = time.Now()
	w.last = e.Time
	b, err := json.Marshal(e)
	if err == nil {
		_, err = w.f.Write(append(b, '\n'))
	}
	if err == nil {
		err = w.f.Sync()
	}
	if err != nil && w.err == nil {
		w.err = err
	}
}

// step notes how far a burn has come; within a step, once a second.
func (w *Writer) step(step int, at disc.LBA, began bool) {
	if began || time.Since(w.last) >= time.Second {
		w.write(Entry{Event: "step", Step: step, LBA: at})
	}
}

// Close ends the journal. The error is the first one that writing it met.
func (w *Writer) Close() error { return errors.Join(w.err, w.f.Close()) }

// maxLine bounds a line of a journal: a plan with CD-TEXT and 99 tracks is long.
const maxLine = 16 << 20

// ReadJournal reads a journal. A last line that is cut off, as after a power cut,
// is left out.
func ReadJournal(path string) (*Journal, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	j, err := parseJournal(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	j.Path = path
	return j, nil
}

func parseJournal(r io.Reader) (*Journal, error) {
	j := new(Journal)
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxLine)
	for n := 1; scan.Scan(); n++ {
		var e Entry
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			if n > 1 {
				break
			}
			return nil, fmt.Errorf("%w: line %d: %w", ErrJournal, n, err)
		}
		j.At = e.Time
		switch e.Event {
		case "begin":
			if e.Begin == nil || e.Begin.Plan == nil {
				return nil, fmt.Errorf("%w: line %d: no plan", ErrJournal, n)
			}
			j.Begin = *e.Begin
		case "step":
			j.Last = e
		case "failed":
			j.Last, j.Failed = e, true
		case "done":
			j.Done = true
		}
		if j.Begin.Plan == nil {
			return nil, fmt.Errorf("%w: line %d: it does not begin with a plan", ErrJournal, n)
		}
	}
	if j.Begin.Plan == nil {
		return nil, errors.Join(fmt.Errorf("%w: it is empty", ErrJournal), scan.Err())
	}
	if e := &j.Last; e.Step < 0 || e.Step > len(j.Begin.Plan.Steps) {
		return nil, fmt.Errorf("%w: step %d of %d", ErrJournal, e.Step, len(j.Begin.Plan.Steps))
	}
	return j, nil
}

// Failures lists the burns in a folder that failed or were broken off, the last
// one first. Burns that were gone on with later do not count, nor do simulations.
func Failures(dir string) ([]*Journal, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	retried := make(map[string]bool)
	var all []*Journal
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), journalSuffix) {
			continue
		}
		j, err := ReadJournal(filepath.Join(dir, e.Name()))
		if err != nil {
			continue // of another version, or of a crash before the first line
		}
		if j.Begin.Retry != "" {
			retried[filepath.Base(j.Begin.Retry)] = true
		}
		all = append(all, j)
	}
	all = slices.DeleteFunc(all, func(j *Journal) bool { return j.Done || j.Begin.Plan.Simulate || retried[filepath.Base(j.Path)] })
	slices.SortFunc(all, func(a, b *Journal) int { return b.At.Compare(a.At) })
	return all, nil
}

// failure notes how a burn ended that failed.
func (w *Writer) failure(err *Error, sum string, bytes int64) {
	e := Entry{Event: "failed", Step: err.Index, LBA: err.LBA, Error: err.Error(), State: err.State, SHA256: sum, Bytes: bytes}
	if s := scsi.SenseOf(err); s != nil {
		e.Sense = s.Triple()
	}
	if errors.Is(err, context.Canceled) {
		e.Error = fmt.Sprintf("it was interrupted at sector %d", err.LBA)
	}
	w.write(e)
}
