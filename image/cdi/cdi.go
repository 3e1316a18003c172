// Package cdi reads the images of DiscJuggler: the sectors of all tracks, and behind them a
// descriptor. The format was never published; the meaning of its fields is that which
// libmirage (cdemu), Aaru and cdirip have established.
package cdi

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"spindle/disc"
	"spindle/image/format"
	"spindle/image/laid"
)

func init() {
	format.Register(format.Format{Name: "DiscJuggler image", Suffixes: []string{".cdi"}, Match: match, Open: openFile})
}

const (
	tailSize      = 8
	maxDescriptor = 4 << 20 // far above what 99 tracks with texts need
)

// match goes by the descriptor: what leads to it is weak.
func match(p *format.Probe) format.Score {
	b, version, err := read(p.Tail(tailSize), p.Size, func(b []byte, at int64) error {
		_, err := p.R.ReadAt(b, at)
		return err
	})
	if err == nil {
		_, err = parse(b, version)
	}
	switch {
	case err == nil:
		return format.Sure
	case strings.HasSuffix(strings.ToLower(p.Name), ".cdi"):
		return format.Guess // opening says what is wrong
	}
	return format.No
}

// read reads the descriptor of a file that ends with tail, without that.
func read(tail []byte, size int64, readAt func(b []byte, at int64) error) ([]byte, uint32, error) {
	if len(tail) < tailSize {
		return nil, 0, laid.Errorf("it has %d bytes", size)
	}
	version, pos := binary.LittleEndian.Uint32(tail), int64(binary.LittleEndian.Uint32(tail[4:]))
	switch version {
	case version2, version3:
	case version35:
		pos = size - pos
	default:
		return nil, 0, laid.Errorf("its end states the version %08Xh", version)
	}
	if pos < 0 || pos > size-tailSize || size-tailSize-pos > maxDescriptor {
		return nil, 0, laid.Errorf("its descriptor is at byte %d, and it has %d", pos, size)
	}
	b := make([]byte, size-tailSize-pos)
	return b, version, readAt(b, pos)
}

func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	img, err := open(ctx, f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return img, nil
}

func open(ctx context.Context, f *format.File) (disc.Image, error) {
	if err := f.NeedWhole(); err != nil {
		return nil, err
	}
	readAt := func(b []byte, at int64) error {
		if n, err := f.ReadAt(b, at); n < len(b) {
			return err
		}
		return nil
	}
	tail := make([]byte, min(tailSize, f.Size))
	if err := readAt(tail, f.Size-int64(len(tail))); err != nil {
		return nil, err
	}
	b, version, err := read(tail, f.Size, readAt)
	if err != nil {
		return nil, err
	}
	d, err := parse(b, version)
	if err != nil {
		return nil, err
	}
	l, err := d.layOut(laid.NewSource(f))
	if err != nil {
		return nil, err
	}
	return l.Open(ctx, f, f)
}
