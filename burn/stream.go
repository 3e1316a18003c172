package burn

import (
	"context"
	"crypto/sha256"
	"hash"
	"sync"
	"sync/atomic"

	"spindle/disc"
	"spindle/internal/realtime"
)

// ringSize is how much is read ahead of the drive, in bytes.
const ringSize = 32 << 20

// chunkSize is the most that one WRITE carries: 32 sectors of a BD, and as many
// whole sectors as fit of others.
const chunkSize = 64 << 10

// chunk is the data of one WRITE.
type chunk struct {
	step  int
	first disc.LBA // on the disc
	n     int      // sectors
	data  []byte
	err   error // the source ended here; data is not valid
	sent  Sum   // of the image, with this chunk
	last  bool  // the step ends here, before its count: so did the stream
	note  *Note // or nil
	users atomic.Int32
}

// feed reads the source ahead of the drives that burn it: one goroutine reads,
// each drive takes the chunks in order. With several drives the slowest one sets
// the pace.
type feed struct {
	src   *Source
	steps []Step
	most  int // bytes a chunk
	outs  []chan *chunk
	free  chan *chunk
	depth int
	stop  context.CancelFunc
	wg    sync.WaitGroup
	hash  hash.Hash // of what was read of the image
	sent  Sum       // the same; valid once the goroutine has ended
	lock  bool      // the buffers into memory
}

// startFeed starts reading ahead for drives recorders; most is the largest transfer,
// in bytes, that all of them accept.
func startFeed(ctx context.Context, src *Source, steps []Step, most, drives int, lock bool) *feed {
	most = max(min(most, chunkSize), FormRaw96.Size())
	f := &feed{src: src, steps: steps, most: most, depth: ringSize / most, hash: sha256.New(), lock: lock}
	ctx, f.stop = context.WithCancel(ctx)
	f.free = make(chan *chunk, f.depth)
	for range f.depth {
		f.free <- new(chunk)
	}
	for range drives {
		f.outs = append(f.outs, make(chan *chunk, f.depth+1))
	}
	f.wg.Go(func() { f.run(ctx) })
	return f
}

// close ends reading.
func (f *feed) close() {
	f.stop()
	f.wg.Wait()
	if f.src.stream != nil {
		f.src.sent = f.sent
	}
	for {
		select {
		case c := <-f.free:
			if f.lock && c.data != nil {
				realtime.UnlockMemory(c.data[:cap(c.data)])
			}
		default:
			return
		}
	}
}

// fill says how full the ring of a drive is, from 0 to 1.
func (f *feed) fill(drive int) float64 { return float64(len(f.outs[drive])) / float64(f.depth) }

func (f *feed) run(ctx context.Context) {
	defer func() {
		for _, out := range f.outs {
			close(out)
		}
	}()
	for i, s := range f.steps {
		if w, ok := s.(writing); ok && !f.step(ctx, i, w) {
			return
		}
	}
}

// step reads what a step writes. It reports whether to continue.
func (f *feed) step(ctx context.Context, i int, s writing) bool {
	area, fill := s.area(), s.filler(f.src)
	size := area.Form.Size()
	stream, _ := s.(WriteStep)
	ended := f.src.stream == nil || stream.Count == 0
	for done, count := 0, area.Count; done < count; {
		c := f.take(ctx)
		if c == nil {
			return false
		}
		n := min(f.most/size, count-done)
		data := c.data[:n*size]
		content, err := fill(ctx, data, done)
		if err == nil {
			f.sum(content)
		}
		if err == nil && stream.Count > 0 && (f.src.ended || done+n == count) {
			err = f.src.short(area.LBA)
		}
		if err == nil && !ended && f.src.ended {
			ended, count = true, stream.length(done+len(content)/size)
			n = min(n, count-done)
			c.note = &Note{Code: NoteStream, Bytes: f.src.length, Sectors: count}
		}
		c.step, c.first, c.n, c.data = i, area.LBA+disc.LBA(done), n, data[:n*size]
		c.last = done+n == count && count < area.Count
		c.err, c.sent = err, f.sent
		f.pass(c)
		if err != nil {
			return false
		}
		done += n
	}
	return true
}

// take returns a chunk to fill, of the largest size, once a drive has released one; nil where reading is over.
func (f *feed) take(ctx context.Context) *chunk {
	var c *chunk
	select {
	case <-ctx.Done():
		return nil
	case c = <-f.free:
	}
	if cap(c.data) < f.most {
		c.data = make([]byte, f.most)
		if f.lock {
			realtime.LockMemory(c.data)
		}
	}
	c.data, c.note = c.data[:f.most], nil
	return c
}

// sum takes content of the image into the sum of what was read of it.
func (f *feed) sum(content []byte) {
	if len(content) == 0 {
		return
	}
	f.hash.Write(content)
	f.sent.Bytes += int64(len(content))
	f.hash.Sum(f.sent.SHA256[:0])
}

// pass gives a chunk to every drive.
func (f *feed) pass(c *chunk) {
	c.users.Store(int32(len(f.outs)))
	for _, out := range f.outs {
		out <- c // has room for all chunks there are
	}
}

// release gives a chunk back that a drive has written.
func (f *feed) release(c *chunk) {
	if c.users.Add(-1) == 0 {
		f.free <- c
	}
}
