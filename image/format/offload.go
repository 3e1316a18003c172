package format

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"spindle/disc"
)

// stores reports whether an extent holds sectors just as they are wanted.
func (s Stored) stores(e *disc.Extent, t disc.Medium) bool {
	size := s.Size(t)
	if e.Form.Size() != size || e.Stride != 0 && e.Stride != size {
		return false
	}
	switch e.Form {
	case disc.FormRaw:
		return s == Whole
	case disc.FormSwapped:
		return s == Swapped
	case disc.FormMode1, disc.FormXA1:
		return s == UserData
	case disc.FormMode2:
		return s == NoHeader
	case disc.FormBlock:
		return s == Whole || s == UserData
	}
	return false
}

// stretch is a run of bytes of a file of the image.
type stretch struct {
	name   string
	file   *os.File
	offset int64
	length int64
}

// offload finds where the sectors stand, when that is in files, just as they are
// wanted, and in one form.
func (o *Output) offload(from, to disc.LBA, s Stored) ([]stretch, disc.Form, bool) {
	size := int64(s.Size(o.Layout.Medium))
	var all []stretch
	var form disc.Form
	for a := from; a < to; {
		e, ok := o.Image.ExtentAt(a)
		if !ok || !s.stores(&e, o.Layout.Medium) || a > from && e.Form != form {
			return nil, 0, false
		}
		file, ok := e.Source.(*os.File)
		if !ok {
			return nil, 0, false
		}
		n := min(disc.LBA(e.Count), to-a)
		all = append(all, stretch{file.Name(), file, e.Offset, int64(n) * size})
		a += n
		form = e.Form
	}
	return all, form, len(all) > 0
}

// systemPiece is how much the system is asked to copy at a time, so that an
// interruption is heard.
const systemPiece = 16 << 20

// copyInSystem copies stretches of files by the system, and beside that reads, checks and
// hashes what arrives: what was written, whatever happens to the source meanwhile.
func (o *Output) copyInSystem(f *os.File, from []stretch, form disc.Form, t *disc.Track, first, end disc.LBA, s Stored) error {
	if o.NoCheck && o.hash == nil {
		for _, x := range from {
			if err := x.copyTo(o.ctx, f, o.progress); err != nil {
				return err
			}
		}
		return nil
	}
	base, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(o.ctx) // when one of the two fails, the other ends
	defer cancel()
	copying := newArriving(f, base)
	written, err := o.imageOf(copying, base, form, t, first, end)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		var err error
		for _, x := range from {
			if err = x.copyTo(ctx, f, copying.arrived); err != nil {
				break
			}
		}
		copying.end(err)
	})
	err = o.stream(ctx, written, t, first, end, s, func(p []byte) (int, error) { return len(p), nil })
	cancel()
	wg.Wait()
	return err
}

// imageOf is the image of a run of sectors in a file. What is known of them stays known.
func (o *Output) imageOf(source io.ReaderAt, offset int64, form disc.Form, t *disc.Track, first, end disc.LBA) (disc.Image, error) {
	return disc.NewImage(disc.Contents{
		Layout: &disc.Layout{Medium: o.Layout.Medium, Sessions: []disc.Session{{
			Number: 1, LeadOut: end, Tracks: []disc.Track{{Number: 1, Mode: t.Mode, Control: t.Control, Start: first, End: end}},
		}}},
		Extents: []disc.Extent{{First: first, Count: int(end - first), Source: source, Offset: offset, Form: form}},
		Flaws:   o.Image.Flaws().Clip(first, end),
	})
}

// arriving is a file that is being written, read as far as it is.
type arriving struct {
	f    *os.File
	mu   sync.Mutex
	more *sync.Cond
	upTo int64
	over bool
	err  error
}

func newArriving(f *os.File, base int64) *arriving {
	a := &arriving{f: f, upTo: base}
	a.more = sync.NewCond(&a.mu)
	return a
}

// arrived says that so many bytes more are there.
func (a *arriving) arrived(n int) {
	a.mu.Lock()
	a.upTo += int64(n)
	a.mu.Unlock()
	a.more.Broadcast()
}

// end says that no more will come.
func (a *arriving) end(err error) {
	a.mu.Lock()
	a.over, a.err = true, err
	a.mu.Unlock()
	a.more.Broadcast()
}

// ReadAt implements [io.ReaderAt]. It waits until the bytes are there.
func (a *arriving) ReadAt(p []byte, off int64) (int, error) {
	a.mu.Lock()
	for !a.over && a.upTo < off+int64(len(p)) {
		a.more.Wait()
	}
	err := a.err
	a.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return a.f.ReadAt(p, off)
}

// copyTo copies the stretch to where f stands, and reports its progress.
func (x *stretch) copyTo(ctx context.Context, f *os.File, progress func(bytes int)) error {
	// A handle of our own: the position of the image's is not ours to move.
	src, err := os.Open(x.name)
	if err != nil {
		return err
	}
	defer src.Close()
	a, err := src.Stat()
	if err != nil {
		return err
	}
	if b, err := x.file.Stat(); err != nil || !os.SameFile(a, b) {
		return errors.Join(err, changed(x.name))
	}
	if _, err := src.Seek(x.offset, io.SeekStart); err != nil {
		return err
	}
	for left := x.length; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(f, src, min(left, systemPiece))
		progress(int(n))
		if left -= n; err != nil {
			return err
		}
	}
	return nil
}
