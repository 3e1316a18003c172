// Package nrgfile opens and writes the disc images of Nero Burning ROM.
package nrgfile

import (
	"context"
	"fmt"
	"io"
	"strings"

	"spindle/disc"
	"spindle/image/format"
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
		return format.Guess // opening says what is missing: its end, most often
	}
	return format.No
}

// Open opens a Nero image.
func Open(ctx context.Context, path string) (disc.Image, error) {
	return format.OpenPath(ctx, path, openFile)
}

func openFile(_ context.Context, f *format.File) (disc.Image, error) {
	img, err := open(f)
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
	return disc.NewImage(disc.Contents{Layout: l, Extents: extents, Files: []string{f.Path}, Closers: []io.Closer{f}})
}
