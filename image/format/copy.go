package format

import (
	"context"
	"os"

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
	if at, form, ok := o.offload(from, to, s); ok {
		return o.copyInSystem(f, at, form, t, from, to, s)
	}
	return o.stream(o.ctx, o.Image, t, from, to, s, f.Write)
}

// CopyTo gives the whole sectors [from, to) of a track to write, which must not
// keep them, as Copy does.
func (o *Output) CopyTo(t *disc.Track, from, to disc.LBA, write func([]byte) (int, error)) error {
	return o.CopyAs(t, from, to, Whole, write)
}

// CopyAs gives what is stored of the sectors [from, to) of a track to write, which must not
// keep it, as Copy does.
func (o *Output) CopyAs(t *disc.Track, from, to disc.LBA, s Stored, write func([]byte) (int, error)) error {
	o.noteCopy(from, to, s)
	return o.stream(o.ctx, o.Image, t, from, to, s, write)
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
func (o *Output) stream(ctx context.Context, img disc.Image, t *disc.Track, from, to disc.LBA, s Stored, write func([]byte) (int, error)) error {
	size, stored := o.Layout.Medium.SectorSize(), s.Size(o.Layout.Medium)
	direct := stored == size && s != Swapped // what is read is what is written
	h := startHashing(o.hash, copyBatch*max(size, stored))
	defer h.stop()
	var in, sub []byte
	if !direct {
		in = make([]byte, copyBatch*size)
	}
	if s.hasSub() {
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
			if err = img.ReadSectors(ctx, out, a); err == nil {
				o.look(t, out, a, s)
			}
		case s == UserData && t.Mode == disc.Mode1:
			var ok bool
			if ok, err = img.ReadUser(ctx, out[:n*stored], a); ok || err != nil {
				out = out[:n*stored]
				break
			}
			fallthrough
		default:
			out, err = o.convert(ctx, img, out, in[:n*size], sub[:min(len(sub), n*cdsector.SubSize)], t, a, s)
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
func (o *Output) convert(ctx context.Context, img disc.Image, out, in, sub []byte, t *disc.Track, first disc.LBA, s Stored) ([]byte, error) {
	size := o.Layout.Medium.SectorSize()
	if err := img.ReadSectors(ctx, in, first); err != nil {
		return nil, err
	}
	o.look(t, in, first, s)
	if s.hasSub() {
		if err := o.readSub(ctx, sub, first); err != nil {
			return nil, err
		}
	}
	for i := 0; i*size < len(in); i++ {
		sector := in[i*size : (i+1)*size]
		p, err := s.pick(sector, t, first+disc.LBA(i))
		if err != nil {
			return nil, err
		}
		out = append(out, p...)
		if s.hasSub() {
			var raw [cdsector.SubSize]byte
			cdsector.Interleave(&raw, (*[cdsector.SubSize]byte)(sub[i*cdsector.SubSize:]))
			out = append(out, raw[:]...)
		}
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
		if loses { // a damaged sync pattern is not taken along
			if _, proven, err := t.Block(sector, at); proven && err == nil {
				continue
			}
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
