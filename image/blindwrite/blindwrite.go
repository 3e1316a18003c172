// Package blindwrite reads the images of BlindWrite 5 and 6: a .b5t or .b6t that describes the
// disc, and .b5i or .b6i files with its sectors. The format was never published; the meaning of
// its fields is that which libmirage (cdemu) and Aaru have established.
package blindwrite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/image/laid"
)

func init() {
	format.Register(format.Format{Name: "BlindWrite image", Suffixes: []string{".b5t", ".b6t"}, Match: match, Open: openFile})
}

func match(p *format.Probe) format.Score {
	if hasMagic(p.Head) {
		return format.Sure
	}
	return format.No
}

// maxDescriptor is far above what 99 tracks, the structures of a DVD and DPM can need.
const maxDescriptor = 64 << 20

// openFile opens an image by its descriptor. The files with its sectors must lie beside it.
func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	o := opener{ctx: ctx, main: f, files: make(map[string]*format.File), sources: make(map[string]*laid.Source)}
	return laid.Open(f, &o.closers, o.open)
}

type opener struct {
	ctx     context.Context
	main    *format.File
	d       *descriptor
	files   map[string]*format.File // by the names that are stated
	sources map[string]*laid.Source // by the blocks that they are of
	closers []io.Closer
}

func (o *opener) open() (disc.Image, error) {
	b, err := laid.ReadDescriptor(o.main, maxDescriptor)
	if err != nil {
		return nil, err
	}
	if o.d, err = parse(b); err != nil {
		return nil, err
	}
	out := laid.Disc{MCN: o.d.mcn, CDText: o.d.text}
	for i := range o.d.sessions {
		s := &o.d.sessions[i]
		for k := range s.tracks {
			t, err := o.track(s, k)
			if err != nil {
				return nil, fmt.Errorf("track %d (at byte %d): %w", s.tracks[k].point, s.tracks[k].at, err)
			}
			t.Session = i + 1
			out.Tracks = append(out.Tracks, *t)
		}
	}
	if o.d.isDVD() {
		out.Medium = disc.MediumFor(max(int64(out.Tracks[0].End), disc.LargestCD+1))
	}
	return out.Open(o.ctx, o.main, o.closers...)
}

// track lays out the k-th track of a session: up to what follows it.
func (o *opener) track(s *session, k int) (*laid.Track, error) {
	t := &s.tracks[k]
	end := t.start + t.length
	switch {
	case k+1 < len(s.tracks):
		end = s.tracks[k+1].start - s.tracks[k+1].pregap
	case t.length == 0:
		end = s.end
	}
	if end <= t.start || end > disc.MaxLBA {
		return nil, laid.Errorf("it starts at %d, and ends at %d", t.start, end)
	}
	mode := disc.Mode2
	switch t.kind {
	case kindAudio:
		mode = disc.Audio
	case kindMode1, kindDVD:
		mode = disc.Mode1
	}
	out := &laid.Track{Track: disc.Track{
		Number: t.point, Mode: mode, Control: t.control, Start: disc.LBA(t.start), Pregap: int(t.pregap), End: disc.LBA(end),
	}}
	if mode.IsData() {
		out.Control |= disc.DataTrack
	}
	return out, o.stored(out)
}

// stored finds where the sectors of a track are: in one block from its begin or some sector
// of its pregap on, or in several that follow one another.
func (o *opener) stored(t *laid.Track) error {
	begin, end := int64(t.Begin()), int64(t.End)
	var of []*block
	for i := range o.d.blocks {
		b := &o.d.blocks[i]
		if b.end() <= begin || b.first >= end {
			continue
		}
		if n := len(of); n > 0 && (of[n-1].end() != b.first || of[n-1].size() != b.size()) {
			return laid.Errorf("blocks of data at sectors %d and %d do not follow one another", of[n-1].first, b.first)
		}
		of = append(of, b)
	}
	if len(of) == 0 || of[0].first > int64(t.Start) || of[len(of)-1].end() < end {
		return laid.Errorf("no block of data has all its sectors, %d to %d", t.Start, t.End-1)
	}
	var err error
	if t.Source, err = o.source(of); err != nil {
		return err
	}
	t.Size = int(of[0].size())
	t.Unstored = int(max(0, of[0].first-begin))
	if t.Offset = max(0, begin-of[0].first) * int64(t.Size); len(of) == 1 {
		t.Offset += of[0].offset
	}
	switch t.Size {
	case cdsector.Size + 16:
		t.Sub = laid.OnlyQ
	case cdsector.Size + cdsector.SubSize:
		t.Sub = laid.Linear
	}
	return nil
}

// source makes the source of blocks. That of one is its file, as others may be in it.
func (o *opener) source(of []*block) (*laid.Source, error) {
	key := ""
	var parts []*format.File
	for _, b := range of {
		f, err := o.file(b.name)
		if err != nil {
			return nil, err
		}
		if len(of) > 1 {
			key += fmt.Sprintf("%s\x00%d\x00", f.Path, b.offset)
			if b.offset+b.bytes > f.Size {
				return nil, laid.Errorf("a block of %d bytes at byte %d of %s, which has %d", b.bytes, b.offset, filepath.Base(f.Path), f.Size)
			}
			f = f.From(b.offset)
			f.Size = b.bytes
		} else {
			key = f.Path
		}
		parts = append(parts, f)
	}
	if s := o.sources[key]; s != nil {
		return s, nil
	}
	s := laid.NewSource(parts...)
	o.sources[key] = s
	return s, nil
}

// file opens a file by its name, or, where all were renamed, by that of the descriptor.
func (o *opener) file(name string) (*format.File, error) {
	if f := o.files[name]; f != nil {
		return f, nil
	}
	dir, stem := filepath.Dir(o.main.Path), filepath.Base(format.Stem(o.main.Path))
	base := name[strings.LastIndexAny(name, `/\`)+1:]
	path, err := format.FindCompanion(dir, base)
	if ext := filepath.Ext(base); errors.Is(err, os.ErrNotExist) && len(ext) > 1 {
		if other, err2 := format.FindCompanion(dir, stem+ext); err2 == nil {
			path, err = other, nil
		}
	}
	if err != nil {
		return nil, err
	}
	f, err := o.main.OpenCompanion(o.ctx, path)
	if err != nil {
		return nil, err
	}
	o.closers = append(o.closers, f)
	o.files[name] = f
	return f, nil
}
