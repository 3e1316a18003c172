package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"spindle/burn"
	"spindle/scsi"
)

// A Writer writes a journal. It is the Log of a [burn.Job].
type Writer struct {
	path string
	f    file
	size int64 // of the lines that are whole, in bytes
	torn bool  // part of a line stands behind them
	last time.Time
	// synced is when the lines were put on the disk.
	synced time.Time
	at     burn.Position // the last one that was reached
	err    error
}

// A file is what a journal needs of an [os.File].
type file interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// CreateIn begins a journal in a folder, which it makes where it is missing, under
// a name that tells the time.
func CreateIn(dir string, b Begin) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	now := time.Now().UTC().Format("20060102-150405")
	const most = 100
	for i := 0; ; i++ {
		w, err := Create(filepath.Join(dir, fmt.Sprintf("%s-%d%s", now, i, Suffix)), b)
		if !errors.Is(err, fs.ErrExist) || i == most {
			return w, err
		}
	}
}

// Create begins a journal in a file that is not there yet. The file appears once
// its first line is whole and on the disk.
func Create(path string, b Begin) (*Writer, error) {
	begin, err := newBegin2(&b)
	if err != nil {
		return nil, err
	}
	temporary := path + ".new"
	// Whoever has the temporary file may make the journal: a crash can leave
	// one, which is then in nobody's way for long.
	if st, err := os.Stat(temporary); err == nil && time.Since(st.ModTime()) > time.Minute {
		_ = os.Remove(temporary)
	}
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	w := &Writer{path: path, f: f, at: burn.Position{Step: -1}}
	w.write(line2{Version: Version, Event: "begin", Begin: begin})
	err = errors.Join(w.err, f.Close())
	if err == nil {
		if _, there := os.Lstat(path); there == nil {
			err = &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
		} else {
			err = os.Rename(temporary, path)
		}
	}
	if err != nil {
		_ = os.Remove(temporary)
		return nil, err
	}
	syncDir(filepath.Dir(path))
	// Appending, so that what a failed write left is cut off.
	if w.f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return nil, err
	}
	return w, nil
}

// syncDir puts the name of a new file on the disk, where the system can do that.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// Path returns the name of the file.
func (w *Writer) Path() string { return w.path }

// Close ends the journal. The error is the first one that writing it met.
func (w *Writer) Close() error { return errors.Join(w.err, w.f.Close()) }

// syncEvery is how often what is reached within a step is put on the disk.
const syncEvery = 5 * time.Second

// write adds a line, which is on the disk when it returns.
func (w *Writer) write(l line2) {
	w.add(l)
	w.sync()
}

// sync puts what was written on the disk.
func (w *Writer) sync() {
	w.synced = time.Now()
	w.keep(w.f.Sync())
}

// keep keeps the first error.
func (w *Writer) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

// add adds a line.
func (w *Writer) add(l line2) {
	l.Time = time.Now()
	w.last = l.Time
	b, err := json.Marshal(l)
	if err == nil {
		err = w.append(append(b, '\n'))
	}
	w.keep(err)
}

// append adds a line, or nothing. What is left of a line that could not be written,
// as on a disk that is full, is cut off; where that fails, too, it gets an end of its
// own before the next line, and [Read] leaves it out.
func (w *Writer) append(line []byte) error {
	if w.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := w.f.Write(line)
	if err == nil {
		w.size, w.torn = w.size+int64(n), false
		return nil
	}
	if n > 0 || w.torn {
		w.torn = w.f.Truncate(w.size) != nil
	}
	return err
}

// Reached implements [burn.Log]: a line for each step, and one a second in a step.
func (w *Writer) Reached(at burn.Position) {
	began := at.Step != w.at.Step
	w.at = at
	if !began && time.Since(w.last) < time.Second {
		return
	}
	w.add(line2{Event: "reached", At: newPosition2(at)})
	if began || time.Since(w.synced) >= syncEvery {
		w.sync()
	}
}

// Failed implements [burn.Log].
func (w *Writer) Failed(e *burn.Error) {
	f := &failure2{Reason: string(Stopped), Error: e.Err.Error(), State: string(e.State)}
	if errors.Is(e, context.Canceled) {
		f.Reason, f.Error = string(Interrupted), ""
	}
	if s := scsi.SenseOf(e); s != nil {
		f.Sense = s.Triple()
	}
	w.write(line2{Event: "failed", At: newPosition2(e.At), Failure: f})
}

// Verified implements [burn.Log].
func (w *Writer) Verified(v *burn.Verification) {
	w.write(line2{Event: "verified", Verified: &verified2{v.Sectors, newRanges2(v.Different), newRanges2(v.Unreadable)}})
}

// Ended implements [burn.Log]. A disc that does not hold the image is a burn that
// failed, and is burned again from the start.
func (w *Writer) Ended(r burn.Result) {
	var failed *burn.Error
	f := &failure2{State: string(r.State)}
	at := w.at
	at.Step++
	switch {
	case errors.As(r.Err, &failed):
		return // it was written down
	case errors.Is(r.Err, context.Canceled):
		f.Reason = string(Unverified)
	case r.Err != nil:
		f.Reason, f.Error = string(Unverified), cause(r.Err).Error()
	case r.Verification != nil && !r.Verification.OK():
		f.Reason = string(Different)
		at.LBA = 0
	default:
		w.write(line2{Event: "done"})
		return
	}
	w.write(line2{Event: "failed", At: newPosition2(at), Failure: f})
}

// cause is what stopped a comparison, without the words around it.
func cause(err error) error {
	var verify *burn.VerifyError
	if errors.As(err, &verify) {
		return verify.Err
	}
	return err
}
