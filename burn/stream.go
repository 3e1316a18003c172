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
	sum   hash.Hash // of what was read of the image; once the goroutine has ended
	bytes int64     // of it
	lock  bool      // the buffers into memory
}

// startFeed begins reading for so many drives, of which one takes most bytes at a
// time.
func startFeed(ctx context.Context, src *Source, steps []Step, most, drives int, lock bool) *feed {
	most = max(min(most, chunkSize), FormRaw96.Size())
	f := &feed{src: src, steps: steps, most: most, depth: ringSize / most, sum: sha256.New(), lock: lock}
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
	for i := range f.steps {
		s := &f.steps[i]
		if s.Op != OpWrite {
			continue
		}
		var raw *rawMaker
		if s.Form == FormRaw96 {
			raw = newRawMaker(f.src, s.LBA)
		}
		done := 0
		size := s.Form.Size()
		for done < s.Count {
			var c *chunk
			select {
			case <-ctx.Done():
				return
			case c = <-f.free:
			}
			n := min(f.most/size, s.Count-done)
			if cap(c.data) < f.most {
				c.data = make([]byte, f.most)
				if f.lock {
					realtime.LockMemory(c.data)
				}
			}
			c.step, c.first, c.n, c.data = i, s.LBA+disc.LBA(done), n, c.data[:n*size]
			c.err = f.read(ctx, s, c, done, raw)
			failed := c.err != nil
			c.users.Store(int32(len(f.outs)))
			for _, out := range f.outs {
				out <- c // has room for all chunks there are
			}
			if failed {
				return
			}
			done += n
		}
	}
}

// read fills a chunk.
func (f *feed) read(ctx context.Context, s *Step, c *chunk, done int, raw *rawMaker) error {
	switch {
	case s.Zeros:
		clear(c.data)
		return nil
	case s.Form == FormText:
		for i := range c.n {
			textSector((*[96]byte)(c.data[i*96:]), s.Packs, done+i)
		}
		return nil
	case raw != nil:
		return raw.read(ctx, c.data, c.first)
	}
	p := c.data
	if over := done + c.n - (s.Count - s.Pad); over > 0 {
		p = p[:len(p)-min(over, c.n)*s.Form.Size()]
		clear(c.data[len(p):])
	}
	if len(p) == 0 {
		return nil
	}
	if err := f.src.read(ctx, p, s.Source+disc.LBA(done), s.Form); err != nil {
		return err
	}
	f.sum.Write(p)
	f.bytes += int64(len(p))
	return nil
}

// release gives a chunk back that a drive has written.
func (f *feed) release(c *chunk) {
	if c.users.Add(-1) == 0 {
		f.free <- c
	}
}
