// Package mds reads and writes the images of Alcohol 120%: an .mds that describes the disc, and
// an .mdf with its sectors. The format was never published; the meaning of its fields is that
// which libmirage (cdemu), Aaru and mds4dc have established.
package mds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"spindle/addr"
	"spindle/disc"
	"spindle/image/format"
	"spindle/image/laid"
)

func init() {
	format.Register(format.Format{
		Name: "Alcohol 120% image", Suffixes: []string{".mds"}, Match: match, Open: openFile, Create: create,
	})
}

func match(p *format.Probe) format.Score {
	if p.HasMagic(magic) {
		return format.Sure
	}
	return format.No
}

// maxDescriptor is far above what 99 tracks, the structures of a DVD and DPM can need.
const maxDescriptor = 64 << 20

// openFile opens an image by its .mds. The .mdf must lie beside it.
func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	o := opener{ctx: ctx, main: f, sources: make(map[string]*laid.Source)}
	return laid.Open(f, &o.closers, o.open)
}

type opener struct {
	ctx     context.Context
	main    *format.File
	sources map[string]*laid.Source // by the names that are stated
	closers []io.Closer
}

func (o *opener) open() (disc.Image, error) {
	b, err := laid.ReadDescriptor(o.main, maxDescriptor)
	if err != nil {
		return nil, err
	}
	d, err := parse(b)
	if err != nil {
		return nil, err
	}
	out := laid.Disc{LayerBreak: d.layerBreak}
	for i := range d.sessions {
		s := &d.sessions[i]
		out.Formats = append(out.Formats, s.format)
		for k := range s.tracks {
			t, err := o.track(d, s, k)
			if err != nil {
				return nil, fmt.Errorf("track %d (at byte %d): %w", s.tracks[k].point, s.tracks[k].descriptor, err)
			}
			t.Session = i + 1
			out.Tracks = append(out.Tracks, *t)
		}
	}
	if d.isDVD() {
		if len(out.Tracks) != 1 {
			return nil, laid.Errorf("a DVD of %d tracks", len(out.Tracks))
		}
		out.Medium = disc.MediumFor(max(int64(out.Tracks[0].End), disc.LargestCD+1))
	}
	return out.Open(o.ctx, o.main, o.closers...)
}

// modes are those of the low three bits of a track's mode.
var modes = [8]disc.Mode{disc.Mode2, disc.Audio, disc.Mode1, disc.Mode2, disc.Mode2, disc.Mode2, disc.Mode1, disc.Mode2}

// track lays out the k-th track of a session.
func (o *opener) track(d *descriptor, s *session, k int) (*laid.Track, error) {
	t := &s.tracks[k]
	end := t.start + t.length
	if t.length == 0 { // up to what follows it
		end = int64(s.end)
		if k+1 < len(s.tracks) {
			end = s.tracks[k+1].start - s.tracks[k+1].pregap
		}
	}
	if t.start < 0 || t.start > disc.MaxLBA || end > disc.MaxLBA || t.pregap > t.start+addr.Pregap {
		return nil, laid.Errorf("it starts at %d after %d sectors of pregap, and has %d", t.start, t.pregap, t.length)
	}
	src, err := o.source(t.names)
	if err != nil {
		return nil, err
	}
	out := &laid.Track{
		Track: disc.Track{
			Number: t.point, Mode: modes[t.mode], Control: t.control,
			Start: disc.LBA(t.start), Pregap: int(t.pregap), End: disc.LBA(end),
		},
		Source: src, Offset: t.offset, Size: t.size, Unstored: int(t.pregap),
	}
	if t.sub&8 != 0 {
		out.Sub = laid.Interleaved
	}
	if d.isDVD() {
		out.Mode, out.Control, out.Pregap, out.Unstored = disc.Mode1, disc.DataTrack, 0, 0
	}
	return out, nil
}

// source finds the files that sectors are in: by the names that are stated, or by that of
// the descriptor.
func (o *opener) source(names []string) (*laid.Source, error) {
	key := strings.Join(names, "\x00")
	if s := o.sources[key]; s != nil {
		return s, nil
	}
	stem := filepath.Base(format.Stem(o.main.Path))
	if len(names) == 0 {
		names = []string{stem + ".mdf"}
	}
	var files []*format.File
	for _, name := range names {
		f, err := o.file(name, stem)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	// Parts that are not named have the suffixes .i00, .i01...
	for i := 0; len(names) == 1 && i < maxFiles; i++ {
		path, err := format.FindCompanion(filepath.Dir(o.main.Path), fmt.Sprintf("%s.i%02d", stem, i))
		if err != nil {
			break
		}
		f, err := o.main.OpenCompanion(o.ctx, path)
		if err != nil {
			return nil, err
		}
		o.closers = append(o.closers, f)
		files = append(files, f)
	}
	s := laid.NewSource(files...)
	o.sources[key] = s
	return s, nil
}

// file opens the file of a name, in which a star stands for that of the descriptor.
func (o *opener) file(name, stem string) (*format.File, error) {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	dir, ext := filepath.Dir(o.main.Path), filepath.Ext(name)
	path, err := format.FindCompanion(dir, strings.Replace(name, "*", stem, 1))
	if errors.Is(err, os.ErrNotExist) { // the files may have got another name together
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
	return f, nil
}
