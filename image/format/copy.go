package format

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/disc/digest"
)

// copyBatch is how many sectors are read at a time.
const copyBatch = 256

// Copy writes the sectors [from, to) of a track to a file, where it stands. Data
// sectors are checked by their EDC, and everything is hashed, beside reading and
// writing, but with NoCheck. What stands in a file of the image just as it is wanted
// is copied by the system (copy_file_range, which on some file systems shares the
// blocks).
func (o *Output) Copy(f *os.File, t *disc.Track, from, to disc.LBA, s Stored) error {
	o.noteCopy(from, to, s)
	if at, ok := o.offload(from, to, s); ok {
		return o.copyInSystem(f, at, t, from, to, s)
	}
	return o.stream(o.ctx, t, from, to, s, f.Write)
}

// CopyTo gives the whole sectors [from, to) of a track to write, which must not
// keep them, as Copy does.
func (o *Output) CopyTo(t *disc.Track, from, to disc.LBA, write func([]byte) (int, error)) error {
	o.noteCopy(from, to, Whole)
	return o.stream(o.ctx, t, from, to, Whole, write)
}

// WritePadding writes bytes that are no sectors of the image: empty ones that the format
// has besides. They are hashed too.
func (o *Output) WritePadding(f *os.File, p []byte) error {
	if _, err := f.Write(p); err != nil {
		return err
	}
	o.progress(len(p))
	if o.hash == nil {
		return nil
	}
	_, err := o.hash.Write(p)
	return err
}

func (o *Output) progress(n int) {
	o.done += int64(n)
	o.flush.wrote(n)
	if o.Progress != nil {
		o.Progress(o.done, o.total)
	}
}

// stream reads, checks, picks, writes and hashes.
func (o *Output) stream(ctx context.Context, t *disc.Track, from, to disc.LBA, s Stored, write func([]byte) (int, error)) error {
	size, stored := o.Layout.Medium.SectorSize(), s.Size(o.Layout.Medium)
	direct := stored == size && s != Swapped // what is read is what is written
	h := startHashing(o.hash, copyBatch*max(size, stored))
	defer h.stop()
	var in, sub []byte
	if !direct {
		in = make([]byte, copyBatch*size)
	}
	if s == WithSub {
		sub = make([]byte, copyBatch*cdsector.SubSize)
	}
	for a := from; a < to; a += copyBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(copyBatch, int(to-a))
		out := <-h.free
		var err error
		switch {
		case direct:
			out = out[:n*size]
			if err = o.Image.ReadSectors(ctx, out, a); err == nil {
				o.look(t, out, a, s)
			}
		case s == UserData && t.Mode == disc.Mode1:
			var ok bool
			if ok, err = o.Image.ReadUser(ctx, out[:n*stored], a); ok || err != nil {
				out = out[:n*stored]
				break
			}
			fallthrough
		default:
			out, err = o.convert(ctx, out, in[:n*size], sub[:min(len(sub), n*cdsector.SubSize)], t, a, s)
		}
		if err != nil {
			return err
		}
		if _, err := write(out); err != nil {
			return err
		}
		h.put(out)
		o.progress(len(out))
	}
	return h.stop()
}

// convert reads sectors and appends what is stored of them to out.
func (o *Output) convert(ctx context.Context, out, in, sub []byte, t *disc.Track, first disc.LBA, s Stored) ([]byte, error) {
	size := o.Layout.Medium.SectorSize()
	if err := o.Image.ReadSectors(ctx, in, first); err != nil {
		return nil, err
	}
	o.look(t, in, first, s)
	if s == WithSub {
		if err := o.readSub(ctx, sub, first); err != nil {
			return nil, err
		}
	}
	for i := 0; i*size < len(in); i++ {
		sector := in[i*size : (i+1)*size]
		if s == WithSub {
			out = append(out, sector...)
			var raw [cdsector.SubSize]byte
			cdsector.Interleave(&raw, (*[cdsector.SubSize]byte)(sub[i*cdsector.SubSize:]))
			out = append(out, raw[:]...)
			continue
		}
		p, err := s.pick(sector, first+disc.LBA(i))
		if err != nil {
			return nil, err
		}
		out = append(out, p...)
	}
	return out, nil
}

// look counts data sectors whose EDC is wrong. Where the EDC is not written, that is
// kept as a flaw, also with NoCheck: nothing else would say it of the new image.
func (o *Output) look(t *disc.Track, p []byte, first disc.LBA, s Stored) {
	loses := s == UserData
	if o.NoCheck && !loses || o.Layout.Medium != disc.CD || !t.Mode.IsData() {
		return
	}
	for i := 0; i*cdsector.Size < len(p); i++ {
		sector, at := (*[cdsector.Size]byte)(p[i*cdsector.Size:]), first+disc.LBA(i)
		if at < t.Start || cdsector.HasSync(sector) && cdsector.EDCOK(sector, cdsector.Classify(sector)) {
			continue
		}
		if loses {
			o.unsaid = append(o.unsaid, disc.Flaw{First: at, Count: 1, Kind: disc.ReadWithErrors})
		}
		if o.NoCheck || o.madeWrong(at) {
			continue
		}
		if o.res.Damaged == 0 {
			o.res.First = at
		}
		o.res.Damaged++
	}
}

// madeWrong reports whether the EDC of a sector is wrong because it was computed for one
// with a flaw: parity cannot mend it, and it is counted as a flaw.
func (o *Output) madeWrong(a disc.LBA) bool {
	if !o.Image.Flaws().Contains(a) {
		return false
	}
	e, ok := o.Image.ExtentAt(a)
	return ok && e.Form.MakesEDC()
}

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
// wanted.
func (o *Output) offload(from, to disc.LBA, s Stored) ([]stretch, bool) {
	size := int64(s.Size(o.Layout.Medium))
	var all []stretch
	for a := from; a < to; {
		e, ok := o.Image.ExtentAt(a)
		if !ok || !s.stores(&e, o.Layout.Medium) {
			return nil, false
		}
		file, ok := e.Source.(*os.File)
		if !ok {
			return nil, false
		}
		n := min(disc.LBA(e.Count), to-a)
		all = append(all, stretch{file.Name(), file, e.Offset, int64(n) * size})
		a += n
	}
	return all, true
}

// systemPiece is how much the system is asked to copy at a time, so that an
// interruption is heard.
const systemPiece = 16 << 20

// copyInSystem copies stretches of files by the system, while the sectors are
// read, checked and hashed beside it.
func (o *Output) copyInSystem(f *os.File, from []stretch, t *disc.Track, first, end disc.LBA, s Stored) error {
	if o.NoCheck {
		for _, x := range from {
			if err := x.copyTo(o.ctx, f, o.progress); err != nil {
				return err
			}
		}
		return nil
	}
	var wg sync.WaitGroup
	var copyErr error
	ctx, cancel := context.WithCancel(o.ctx) // when one of the two fails, the other ends
	defer cancel()
	wg.Go(func() {
		for _, x := range from {
			if copyErr = x.copyTo(ctx, f, func(int) {}); copyErr != nil {
				cancel()
				return
			}
		}
	})
	err := o.stream(ctx, t, first, end, s, func(p []byte) (int, error) { return len(p), nil })
	if err != nil {
		cancel()
	}
	wg.Wait()
	if copyErr != nil && (err == nil || errors.Is(err, context.Canceled) && o.ctx.Err() == nil) {
		return copyErr
	}
	return err
}

// copyTo copies the stretch to where f stands, and tells how far it is.
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
		return errors.Join(err, errors.New(x.name+" was replaced while it was read"))
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

// hashing hashes buffers beside reading and writing.
type hashing struct {
	free chan []byte  // empty, with room
	feed *digest.Feed // nil when nothing is hashed
}

func startHashing(to *digest.Hasher, size int) *hashing {
	const buffers = 6
	h := &hashing{free: make(chan []byte, buffers)}
	for range buffers {
		h.free <- make([]byte, 0, size)
	}
	if to != nil {
		h.feed = to.Feed(buffers)
	}
	return h
}

// put hashes b, and frees it then.
func (h *hashing) put(b []byte) {
	if h.feed == nil {
		h.free <- b[:0]
		return
	}
	h.feed.Put(b, func() { h.free <- b[:0] })
}

// stop waits until all is hashed.
func (h *hashing) stop() error {
	if h.feed == nil {
		return nil
	}
	return h.feed.Close()
}
