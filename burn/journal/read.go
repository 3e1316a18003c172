package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// The bounds of what is read. A plan with CD-TEXT and 99 tracks is long; a burn notes
// a line a second.
const (
	maxLine  = 16 << 20
	maxLines = 1 << 20
)

// Read reads a journal. A line that is cut off, as after a power cut or on a disk
// that was full, is left out. The error is an [*Error], or that of reading the file.
func Read(path string) (*Journal, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, &Error{Path: path, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	j, err := parse(f)
	var e *Error
	if errors.As(err, &e) {
		e.Path = path
	}
	if err != nil {
		return nil, err
	}
	j.Path = path
	return j, nil
}

// A format takes the lines of a version.
type format interface {
	line(j *Journal, raw []byte, first bool) error
}

// parse reads the lines.
func parse(r io.Reader) (*Journal, error) {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxLine)
	scan.Split(wholeLines)
	var j *Journal
	var f format
	n := 0
	for scan.Scan() {
		n++
		raw := scan.Bytes()
		if n > maxLines {
			return nil, &Error{Line: n, Err: errors.New("too many lines")}
		}
		if j == nil {
			j = new(Journal)
			var err error
			if f, err = formatOf(j, raw); err != nil {
				return nil, atLine(err, n)
			}
		}
		if n > 1 && torn(raw) {
			continue
		}
		if err := f.line(j, raw, n == 1); err != nil {
			return nil, atLine(err, n)
		}
		if s := j.At.Step; s < 0 || s > len(j.Plan.Steps) {
			return nil, &Error{Line: n, Field: "step", Err: fmt.Errorf("%d of %d steps", s, len(j.Plan.Steps))}
		}
	}
	if err := endOf(scan.Err(), n); err != nil {
		return nil, err
	}
	return j, nil
}

// endOf says what is wrong where n lines end with an error, or none. A last line that is
// cut short, behind others, is not wrong.
func endOf(err error, n int) error {
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return &Error{Line: n + 1, Err: err}
	case errors.Is(err, errCut) && n == 0:
		return &Error{Line: 1, Err: err}
	case err != nil && !errors.Is(err, errCut):
		return err
	case n == 0:
		return &Error{Err: errEmpty}
	}
	return nil
}

// torn reports whether a line is the beginning of an object, without its end.
func torn(raw []byte) bool {
	if len(raw) == 0 || raw[0] != '{' {
		return len(raw) == 0
	}
	var v json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(raw)).Decode(&v), io.ErrUnexpectedEOF)
}

// errCut is a last line without an end.
var errCut = errors.New("it is cut short")

// wholeLines splits lines, and gives none that has no end.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, errCut
	}
	return 0, nil, nil
}

// formatOf finds the version that the first line states.
func formatOf(j *Journal, raw []byte) (format, error) {
	var head struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, err
	}
	switch {
	case head.Version == nil:
		j.Version = 1
		return version1{}, nil
	case *head.Version == Version:
		j.Version = Version
		return version2{}, nil
	}
	return nil, &Error{Field: "version", Version: *head.Version, Err: ErrVersion}
}

// atLine makes an error that names the line, and the field if it is known.
func atLine(err error, n int) error {
	var e *Error
	if errors.As(err, &e) {
		e.Line = n
		return e
	}
	e = &Error{Line: n, Err: err}
	var field *fieldError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &field):
		e.Field, e.Err = field.name, field.err
	case errors.As(err, &typ):
		e.Field, e.Err = typ.Field, fmt.Errorf("%s in place of %s", typ.Value, typ.Type.Kind())
	}
	return e
}

// strict decodes a value that may have no fields but those known.
func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// A fieldError is a value that cannot be.
type fieldError struct {
	name string
	err  error
}

func (e *fieldError) Error() string { return fmt.Sprintf("%q: %v", e.name, e.err) }

func (e *fieldError) Unwrap() error { return e.err }

// wrong makes the error of a value that cannot be.
func wrong(name string, value any) error { return &fieldError{name, fmt.Errorf("%v cannot be", value)} }

// missing makes the error of a value that is not there.
func missing(name string) error { return &fieldError{name, errors.New("it is missing")} }
