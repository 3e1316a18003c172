package rip

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"spindle/disc/digest"
	"spindle/drive"
	"spindle/image/mapfile"
)

// depth is how many batches may be under way: what the drive reads ahead of the
// disk and the hashing.
const depth = 32

// flushEvery is how often, by the drive's clock, the map is brought up to date on
// the disk.
const flushEvery = time.Second

// A writer takes batches from the goroutine that reads and, in goroutines of its
// own, checks, writes, marks and hashes them. It owns the files of the image,
// its map and its hashes. Its methods are for the goroutine that reads, except
// the loops and what they call.
type writer struct {
	plan    *plan
	mapPath string
	state   *state
	out     *output
	tracker tracker
	hasher  *digest.Hasher
	rebuilt bool      // sectors came without EDC and parity; writeLoop's until close
	subs    subPlacer // writeLoop's until close

	free     chan *batch
	work     chan *batch
	hash     chan *batch
	flushNow chan struct{} // to the goroutine that flushes
	loops    sync.WaitGroup
	inFlight sync.WaitGroup // batches between send and release

	flushed  time.Time // when the last flush was asked for
	hashNext int64     // position up to which batches were passed on to be hashed

	mu  sync.Mutex // guards err, and what changes in state
	err error      // the first failure to write
}

// newWriter makes a writer of a plan, whose map says what is finished.
func newWriter(p *plan, mapPath string, st *state, m *mapfile.Map) *writer {
	w := &writer{
		plan: p, mapPath: mapPath, state: st, out: newOutput(p), tracker: tracker{m: m, plan: p},
		free: make(chan *batch, depth), work: make(chan *batch, depth),
		hash: make(chan *batch, depth), flushNow: make(chan struct{}, 1),
	}
	for range depth {
		w.free <- new(batch)
	}
	_, sizes := p.regions.tracks()
	w.hasher = digest.New(digest.All, sizes)
	return w
}

// start begins to take batches.
func (w *writer) start(now time.Time) {
	w.flushed = now
	w.loops.Go(w.writeLoop)
	w.loops.Go(w.hashLoop)
	w.loops.Go(w.flushLoop)
}

// take returns an empty batch, once there is one.
func (w *writer) take() *batch { return <-w.free }

// drop gives a batch back that holds nothing.
func (w *writer) drop(b *batch) { w.free <- b }

// send passes a batch on.
func (w *writer) send(b *batch) {
	w.inFlight.Add(1)
	w.work <- b
}

// drain waits until all batches are written and marked.
func (w *writer) drain() { w.inFlight.Wait() }

// stop ends the goroutines once all batches are through, and writes the map. It
// returns the first error of writing.
func (w *writer) stop() error {
	close(w.work)
	close(w.flushNow)
	w.loops.Wait()
	w.flush()
	return w.failure()
}

func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("%w: %w", ErrOutput, err)
	}
}

// failure returns the first error of writing.
func (w *writer) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// pointersDropped notes in the state that error pointers are wrong.
func (w *writer) pointersDropped() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Dropped = true
}

// overread notes in the state whether the samples beyond the end of the disc were read.
func (w *writer) overread(done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Overread = done
}

// proved notes in the state what something beside the drive proved.
func (w *writer) proved(s []drive.Stretch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Proven = s
}

// voted notes in the state what was put together.
func (w *writer) voted(v []Vote) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Voted = v
}

// settled notes in the state what was decided on.
func (w *writer) settled(s []Settled) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Settled = s
}

// repaired notes in the state what is about to be repaired. Some of it may have been hashed as it was read: the hashes are
// those of the image when it is finished. Nothing is under way.
func (w *writer) repaired(s []Repaired) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Repaired = s
	_, sizes := w.plan.regions.tracks()
	w.hasher, w.hashNext = digest.New(digest.All, sizes), -1
}

func (w *writer) writeLoop() {
	defer close(w.hash)
	for b := range w.work {
		if b.intent == filler || b.intent == absent {
			b.fill(w.plan)
		} else {
			b.check(w.plan.caps)
			if w.plan.displaces(b.r) && b.intent != repaired {
				clear(b.good)
			}
		}
		w.rebuilt = w.rebuilt || b.rebuilt
		if w.failure() == nil {
			w.fail(w.write(b))
		}
		if b.pos() == w.hashNext && b.allGood() && w.proven(b) && w.failure() == nil {
			w.hashNext += int64(len(b.main))
			w.hash <- b
			continue
		}
		w.release(b)
	}
}

// proven reports whether good sectors of a batch are good for ever.
func (w *writer) proven(b *batch) bool {
	return b.intent == secondReading || b.intent == absent || b.intent == voted || b.intent == repaired || !w.plan.provesNothing(b.r)
}

// write compares a second reading with the first, writes, and marks what is
// written.
func (w *writer) write(b *batch) error {
	if b.intent == secondReading {
		if err := w.compare(b); err != nil {
			return err
		}
	}
	if err := w.out.writeAt(b.main, b.pos()); err != nil {
		return err
	}
	if err := w.writeSub(b); err != nil {
		return err
	}
	w.tracker.mark(b.pos(), int64(b.r.size), b.n, func(i int) mapfile.Status { return w.stateOf(b, i) })
	return nil
}

// stateOf is the state of a sector that is written.
func (w *writer) stateOf(b *batch, i int) mapfile.Status {
	switch {
	case b.intent == filler:
		return unread
	case len(b.differs) > 0 && b.differs[i]:
		return readOnce
	case !b.good[i]:
		return flawed
	case w.proven(b):
		return mapfile.Finished
	}
	return readOnce
}

// compare keeps only those sectors of a batch good that are what the image holds.
func (w *writer) compare(b *batch) error {
	was := make([]byte, len(b.main))
	if err := w.out.readAt(was, b.pos()); err != nil {
		return err
	}
	size := b.r.size
	for i := range b.good {
		at := i * size
		b.differs = append(b.differs, b.good[i] && !bytes.Equal(was[at:at+size], b.main[at:at+size]))
		b.good[i] = b.good[i] && !b.differs[i]
	}
	return nil
}

func (w *writer) release(b *batch) {
	w.free <- b
	w.inFlight.Done()
}

func (w *writer) hashLoop() {
	for b := range w.hash {
		if _, err := w.hasher.Write(b.main); err != nil {
			w.fail(err)
		}
		w.release(b)
	}
}

// flushLoop keeps the map on the disk close to the truth, and never ahead of it.
func (w *writer) flushLoop() {
	for range w.flushNow {
		w.flush()
	}
}

// tick asks for a flush when it is time for one. A flush under way is not waited
// for.
func (w *writer) tick(now time.Time) {
	if now.Sub(w.flushed) < flushEvery {
		return
	}
	w.flushed = now
	select {
	case w.flushNow <- struct{}{}:
	default:
	}
}

// flush brings the data to the disk that the map vouches for, and then the map.
func (w *writer) flush() {
	m := w.tracker.snapshot()
	err := w.out.sync()
	if err == nil {
		w.mu.Lock()
		s := *w.state
		w.mu.Unlock()
		err = writeMap(w.mapPath, m, &s)
	}
	w.fail(err)
}

// hashRest hashes the image from where the hashing while reading ended.
func (w *writer) hashRest(ctx context.Context, report func(done int64)) error {
	size := w.plan.regions.size()
	if w.hasher.Offset() == size {
		return nil
	}
	// Bytes that were never written at the end of the image count too.
	if err := w.out.truncate(); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	buf := make([]byte, 1<<20)
	for at := w.hasher.Offset(); at < size; at = w.hasher.Offset() {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), size-at)]
		if err := w.out.readAt(b, at); err != nil {
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
		if _, err := w.hasher.Write(b); err != nil {
			return err
		}
		report(w.hasher.Offset())
	}
	return nil
}
