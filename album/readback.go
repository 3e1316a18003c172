package album

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/audio"
	"spindle/internal/regular"
)

// ErrNotSame means that a file of an album does not give back what it was made of.
var ErrNotSame = errors.New("not what it was made of")

// ReadBack decodes the files that were made of an image, and compares all of them with it: until
// then they may not be the only copy. Progress may be nil; it receives bytes of sectors.
func (c *Created) ReadBack(ctx context.Context, img disc.Image, progress func(done, total int64)) error {
	b := &readBack{img: img, progress: progress}
	for _, s := range c.Songs {
		b.total += int64(s.End-s.First) * cdsector.Size
	}
	for _, d := range c.Data {
		b.total += int64(d.End-d.First) * cdsector.Size
	}
	for i := 0; i < len(c.Songs); {
		n := i + 1
		for n < len(c.Songs) && c.Songs[n].Path == c.Songs[i].Path {
			n++
		}
		if err := b.songs(ctx, c.Songs[i].Path, c.Songs[i].First, c.Songs[n-1].End); err != nil {
			return err
		}
		i = n
	}
	for i := range c.Data {
		if err := b.data(ctx, &c.Data[i]); err != nil {
			return err
		}
	}
	return nil
}

// A readBack compares files with the image that they were made of.
type readBack struct {
	img         disc.Image
	progress    func(done, total int64)
	done, total int64
}

// songs compares a file of samples, which holds the sectors [first, end) and no more.
func (b *readBack) songs(ctx context.Context, path string, first, end disc.LBA) error {
	f, err := audio.Open(ctx, path)
	if err != nil {
		return err
	}
	defer f.Close()
	if size := int64(end-first) * cdsector.Size; f.Size != size || f.Swapped {
		return fmt.Errorf("%s is %w: it has %d bytes of samples, not %d", filepath.Base(path), ErrNotSame, f.Size, size)
	}
	return b.file(ctx, path, io.NewSectionReader(f.Source, f.Offset, f.Size), first, end, 0, cdsector.Size)
}

// data compares the file of a track of data.
func (b *readBack) data(ctx context.Context, d *MadeData) error {
	f, err := regular.Open(d.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	from, size := 0, cdsector.Size
	if strings.HasSuffix(d.Path, ".iso") {
		from, size = cdsector.Mode1.UserData()
	}
	return b.file(ctx, d.Path, f, d.First, d.End, from, size)
}

// file compares the bytes [from, from+size) of each sector.
func (b *readBack) file(ctx context.Context, path string, r io.Reader, first, end disc.LBA, from, size int) error {
	const step = 256
	var was, is [step * cdsector.Size]byte
	for at := first; at < end; {
		n := min(step, int(end-at))
		if err := b.img.ReadSectors(ctx, was[:n*cdsector.Size], at); err != nil {
			return err
		}
		if _, err := io.ReadFull(r, is[:n*size]); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		for i := range n {
			if !bytes.Equal(was[i*cdsector.Size+from:][:size], is[i*size:][:size]) {
				return fmt.Errorf("%s is %w: it differs at sector %d", filepath.Base(path), ErrNotSame, at+disc.LBA(i))
			}
		}
		at += disc.LBA(n)
		if b.done += int64(n) * cdsector.Size; b.progress != nil {
			b.progress(b.done, b.total)
		}
	}
	return nil
}
