// Package gdi reads and writes the descriptors of GD-ROMs, the discs of the Dreamcast: a .gdi
// that lists the files of all tracks with the addresses at which they start. The format was
// never published; the meaning of its fields is that which Aaru and Flycast have established.
package gdi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/image/laid"
)

func init() {
	format.Register(format.Format{Name: "GDI file of a GD-ROM", Suffixes: []string{".gdi"}, Match: match, Open: openFile, Create: create})
}

// highDensity is where the second area of a GD-ROM begins, which is a session here.
const highDensity disc.LBA = 45000

// maxSize is far above what 99 tracks need.
const maxSize = 64 << 10

// A line is what a .gdi states of a track.
type line struct {
	number int // of the line, from 1
	track  int
	start  int
	data   bool
	size   int // of a sector
	name   string
	offset int64
}

func match(p *format.Probe) format.Score {
	head := p.Head
	if p.Size > maxSize {
		return format.No
	}
	switch lines, err := parse(string(head)); {
	case err == nil && len(lines) > 0:
		return format.Sure
	case strings.HasSuffix(strings.ToLower(p.Name), ".gdi"):
		return format.Guess // opening says what is wrong
	}
	return format.No
}

// A ParseError says what is wrong with a .gdi, and where.
type ParseError struct {
	Line int // from 1
	Msg  string
}

func (e *ParseError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

// parse reads the text: the number of tracks, and a line for each.
func parse(text string) ([]line, error) {
	scan := bufio.NewScanner(strings.NewReader(strings.TrimPrefix(text, "\uFEFF")))
	var all []line
	count, n := 0, 0
	for scan.Scan() {
		n++
		s := strings.TrimSpace(scan.Text())
		switch {
		case s == "":
		case count == 0:
			v, err := strconv.Atoi(s)
			if err != nil || v < 1 || v > 99 {
				return nil, &ParseError{n, "it is not the number of tracks, 1 to 99"}
			}
			count = v
		case len(all) == count:
			return nil, &ParseError{n, fmt.Sprintf("the first line states %d tracks, and this is one more", count)}
		default:
			l, err := parseLine(s)
			if err != nil {
				return nil, &ParseError{n, err.Error()}
			}
			l.number = n
			all = append(all, l)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, &ParseError{n + 1, err.Error()}
	}
	if count == 0 || len(all) < count {
		return nil, &ParseError{n + 1, fmt.Sprintf("%d of %d tracks are missing", count-len(all), count)}
	}
	return all, nil
}

// parseLine reads "3 45000 4 2352 track03.bin 0". A name with blanks is in quotation marks.
func parseLine(s string) (line, error) {
	fields := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(fields) < 6 {
		return line{}, fmt.Errorf("%d fields, not track, start, 0 or 4, bytes a sector, file and offset", len(fields))
	}
	var v [5]int64
	for i, f := range []string{fields[0], fields[1], fields[2], fields[3], fields[len(fields)-1]} {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil || n < 0 || i < 4 && n > disc.MaxLBA {
			return line{}, fmt.Errorf("%q is not a number that can be here", f)
		}
		v[i] = n
	}
	// The name is what is between the fourth field and the last, with its blanks.
	name := s
	for range 4 {
		name = strings.TrimLeft(name, " \t")
		name = name[strings.IndexAny(name, " \t"):]
	}
	name = strings.TrimSpace(name[:strings.LastIndexAny(name, " \t")])
	name = strings.TrimSuffix(strings.TrimPrefix(name, `"`), `"`)
	l := line{track: int(v[0]), start: int(v[1]), data: v[2] == 4, size: int(v[3]), name: name, offset: v[4]}
	switch {
	case v[2] != 0 && v[2] != 4:
		return l, fmt.Errorf("the kind of track %d is %d, not 0 (audio) or 4 (data)", l.track, v[2])
	case l.size != cdsector.Size && l.size != cdsector.UserSize && l.size != cdsector.Mode2Size:
		return l, fmt.Errorf("track %d has %d bytes a sector", l.track, l.size)
	case name == "":
		return l, errors.New("no file is named")
	}
	return l, nil
}

func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	o := opener{ctx: ctx, main: f, sources: make(map[string]*laid.Source)}
	return laid.Open(f, &o.closers, o.open)
}

type opener struct {
	ctx     context.Context
	main    *format.File
	sources map[string]*laid.Source // by their paths
	closers []io.Closer
}

func (o *opener) open() (disc.Image, error) {
	b, err := laid.ReadDescriptor(o.main, maxSize)
	if err != nil {
		return nil, err
	}
	lines, err := parse(string(b))
	if err != nil {
		return nil, err
	}
	d := laid.Disc{}
	for i := range lines {
		t, err := o.track(&lines[i])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", lines[i].number, err)
		}
		next := disc.LBA(disc.MaxLBA)
		if i+1 < len(lines) {
			next = disc.LBA(lines[i+1].start)
		}
		if rest := (t.Source.File.Size - t.Offset) % int64(t.Size); rest > 0 && t.End < next {
			t.End++ // of which a part is there: it was cut short
			if i+1 < len(lines) && (t.Start >= highDensity || next < highDensity) {
				t.End = next // at the most
			}
		}
		d.Tracks = append(d.Tracks, *t)
	}
	return d.Open(o.ctx, o.main, o.closers...)
}

// track lays out what a line states. How long a track is, its file says.
func (o *opener) track(l *line) (*laid.Track, error) {
	path, err := format.FindCompanion(filepath.Dir(o.main.Path), l.name)
	if err != nil {
		return nil, err
	}
	src := o.sources[path]
	if src == nil {
		f, err := o.main.OpenCompanion(o.ctx, path)
		if err != nil {
			return nil, err
		}
		o.closers = append(o.closers, f)
		src = laid.NewSource(f)
		o.sources[path] = src
	}
	f := src.File
	sectors := (f.Size - l.offset) / int64(l.size)
	if sectors < 1 || sectors > disc.MaxLBA {
		return nil, laid.Errorf("%s has %d bytes, and sectors of %d begin at byte %d", filepath.Base(path), f.Size, l.size, l.offset)
	}
	if l.data {
		if size := format.OtherSize(f.ReaderAt, l.offset, f.Size, l.size); size > 0 {
			return nil, laid.Errorf("%s is stated to have %d bytes a sector, and has %d", filepath.Base(path), l.size, size)
		}
	}
	t := &laid.Track{
		Track:   disc.Track{Number: l.track, Start: disc.LBA(l.start), End: disc.LBA(int64(l.start) + sectors)},
		Session: 1, Source: src, Offset: l.offset, Size: l.size,
	}
	if t.Start >= highDensity {
		t.Session = 2
	}
	if l.data {
		t.Mode, t.Control = disc.Mode1, disc.DataTrack
		if l.size == cdsector.Mode2Size {
			t.Mode = disc.Mode2
		}
	}
	return t, nil
}
