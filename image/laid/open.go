package laid

import (
	"fmt"
	"io"

	"spindle/disc"
	"spindle/image/format"
)

// Open opens an image by its descriptor f, which it closes. Where open fails, what it opened is
// closed, too.
func Open(f *format.File, closers *[]io.Closer, open func() (disc.Image, error)) (disc.Image, error) {
	defer f.Close()
	img, err := open()
	if err != nil {
		for _, c := range *closers {
			c.Close()
		}
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return img, nil
}

// ReadDescriptor reads a descriptor whole. One that was cut, or has more than so many bytes, is
// refused.
func ReadDescriptor(f *format.File, most int64) ([]byte, error) {
	if err := f.NeedWhole(); err != nil {
		return nil, err
	}
	if f.Size > most {
		return nil, Errorf("it has %d bytes", f.Size)
	}
	b := make([]byte, f.Size)
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return nil, err
	}
	return b, nil
}
