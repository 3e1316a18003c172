package ccd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

func init() {
	format.Register(format.Format{
		Name: "CloneCD image", Suffixes: []string{".ccd"}, Match: match, Open: openFile, Create: create,
	})
}

func match(p *format.Probe) format.Score {
	head := bytes.TrimPrefix(p.Head, []byte("\xEF\xBB\xBF"))
	if len(head) < 9 || !bytes.EqualFold(head[:9], []byte("[CloneCD]")) {
		return format.No
	}
	return format.Sure
}

// openFile opens a CloneCD image by its .ccd file. The .img must lie beside it; a .sub
// may.
func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	defer f.Close()
	path := f.Path
	d, err := Parse(io.NewSectionReader(f, 0, f.Size))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.NeedWhole(); err != nil {
		return nil, err
	}
	img, err := d.open(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

func (d *Descriptor) open(ctx context.Context, f *format.File) (disc.Image, error) {
	dir, stem := filepath.Dir(f.Path), filepath.Base(format.Stem(f.Path))
	name, err := format.FindCompanion(dir, stem+".img")
	if err != nil {
		return nil, err
	}
	img, err := f.OpenCompanion(ctx, name)
	if err != nil {
		return nil, err
	}
	closers := []io.Closer{img}
	var sub *format.File
	if name, err = format.FindCompanion(dir, stem+".sub"); err == nil {
		if sub, err = f.OpenCompanion(ctx, name); err == nil {
			closers = append(closers, sub)
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		f.Remark(format.Remark{Kind: format.NoSubchannels, File: filepath.Join(dir, stem+".sub")})
		err = nil
	}
	var out disc.Image
	if err == nil {
		out, err = d.image(ctx, f, img, sub, closers)
	}
	if err != nil {
		for _, c := range closers {
			c.Close()
		}
		return nil, err
	}
	return out, nil
}

// image makes the image of a descriptor and its files; sub may be nil.
func (d *Descriptor) image(ctx context.Context, main *format.File, img, sub *format.File, closers []io.Closer) (disc.Image, error) {
	if d.Scrambled {
		return nil, errors.New("its data tracks are scrambled: save the disc again without that option")
	}
	l, err := d.Layout()
	if err != nil {
		return nil, err
	}
	if need := int64(l.Sectors()) * cdsector.Size; img.Size < cdsector.Size {
		return nil, fmt.Errorf("%s is too short: it has %d bytes, and the tracks need %d", filepath.Base(img.Path), img.Size, need)
	}
	files := []string{main.Path, img.Path}
	if sub != nil {
		files = append(files, sub.Path)
	}
	var extents []disc.Extent
	at := int64(0) // sectors in the files
	for _, t := range l.Tracks() {
		e := disc.Extent{First: t.Begin(), Count: t.Sectors(), Source: img.ReaderAt, Offset: at * cdsector.Size}
		if sub != nil {
			e.Sub = &disc.SubExtent{Source: sub.ReaderAt, Offset: at * cdsector.SubSize}
		}
		if t.Mode.IsData() {
			first := (at + int64(t.Pregap)) * cdsector.Size
			if size := format.OtherSize(img, first, img.Size, cdsector.Size); size > 0 {
				return nil, fmt.Errorf("the sectors of %s have %d bytes, and those of a CloneCD image have %d", filepath.Base(img.Path), size, cdsector.Size)
			}
			t.Mode = format.SectorMode(img, first, t.Mode)
		}
		extents = append(extents, e)
		at += int64(t.Sectors())
	}
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for _, t := range s.Tracks {
			if t.Mode == disc.Mode2 && s.Format == disc.FormatCDROM {
				s.Format = disc.FormatXA
			}
		}
	}
	c := format.Completer{Layout: l, Extents: extents}
	c.Complete(img, img.ReaderAt, img.Size, main)
	if sub != nil {
		c.Complete(sub, sub.ReaderAt, sub.Size, main)
	}
	whole, err := c.Image(files, closers)
	if err != nil {
		return nil, err
	}
	return format.WithFileMaps(ctx, main, whole, map[string]io.ReaderAt{img.Path: img.ReaderAt})
}
