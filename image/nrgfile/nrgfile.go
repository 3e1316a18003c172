// Package nrgfile opens and writes the disc images of Nero Burning ROM.
package nrgfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/image/isofile"
	"spindle/nrg"
)

func init() {
	format.Register(format.Format{
		Name: "Nero image", Suffixes: []string{".nrg"}, Match: match, Open: openFile, Create: create,
	})
}

func match(p *format.Probe) format.Score {
	switch {
	case nrg.Detect(p.R, p.Size):
		return format.Sure
	case strings.HasSuffix(strings.ToLower(p.Name), ".nrg"):
		return format.Likely // opening says what is missing: its end, most often. It may begin as an .iso does.
	}
	return format.No
}

func openFile(_ context.Context, f *format.File) (disc.Image, error) {
	img, err := open(f)
	if errors.Is(err, nrg.ErrNoFooter) {
		if data, found := withoutTable(f); found {
			return data, nil
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return img, nil
}

func open(f *format.File) (disc.Image, error) {
	t, err := nrg.Read(f, f.Size)
	if err != nil {
		return nil, err
	}
	l, extents, err := t.Place(f.ReaderAt, f.Size)
	if err != nil {
		return nil, err
	}
	return disc.NewImage(disc.Contents{Layout: l, Extents: extents, Files: f.Files(), Closers: []io.Closer{f}})
}

// withoutTable opens the data track that a file begins with whose table is lost: how large
// it was says the volume in it. Nero stores the two seconds before the first track, too. Where other
// tracks follow, nothing says what they are, and it is not opened.
func withoutTable(f *format.File) (disc.Image, bool) {
	offsets := []int64{0}
	for _, size := range []int64{cdsector.UserSize, cdsector.Mode2Size, cdsector.Size, cdsector.Size + cdsector.SubSize} {
		offsets = append(offsets, addr.Pregap*size)
	}
	for _, offset := range offsets {
		if offset >= f.Size {
			continue
		}
		part := f.From(offset)
		part.Cut = true // if the volume is whole, it may be that something followed it
		if img, err := isofile.RecoverLone(part, nrg.BeginsTable); err == nil {
			return img, true
		}
	}
	return nil, false
}
