package album

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := &readBack{img: img, progress: progress}
	jobs := b.jobs(c)
	todo := make(chan func(context.Context) error, len(jobs))
	for _, job := range jobs {
		todo <- job
	}
	close(todo)
	errs := make(chan error, len(jobs))
	var wg sync.WaitGroup
	for range min(len(jobs), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for job := range todo {
				if err := job(ctx); err != nil {
					errs <- err
					cancel() // the others
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// A readBack compares files with the image that they were made of.
type readBack struct {
	img      disc.Image
	progress func(done, total int64)

	mu          sync.Mutex
	done, total int64
}

// jobs are the files, each to be compared as a whole. A file may have several songs.
func (b *readBack) jobs(c *Created) (all []func(context.Context) error) {
	for i := 0; i < len(c.Songs); {
		s, end := c.Songs[i], c.Songs[i].End
		for ; i < len(c.Songs) && c.Songs[i].Path == s.Path; i++ {
			end = c.Songs[i].End
		}
		b.total += int64(end-s.First) * cdsector.Size
		all = append(all, func(ctx context.Context) error { return b.songs(ctx, s.Path, s.First, end) })
	}
	for i := range c.Data {
		d := &c.Data[i]
		b.total += int64(d.End-d.First) * cdsector.Size
		all = append(all, func(ctx context.Context) error { return b.data(ctx, d) })
	}
	return all
}

// advance counts sectors that are the same.
func (b *readBack) advance(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done += int64(n) * cdsector.Size; b.progress != nil {
		b.progress(b.done, b.total)
	}
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
	was, is := make([]byte, step*cdsector.Size), make([]byte, step*cdsector.Size)
	for at := first; at < end; {
		if err := ctx.Err(); err != nil {
			return err
		}
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
		b.advance(n)
	}
	return nil
}
