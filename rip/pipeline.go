package rip

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"spindle/disc/cdsector"
	"spindle/disc/digest"
	"spindle/rip/mapfile"
)

// readOnce is the state in the map of audio that was read, and is to be read again
// and compared. ddrescue calls it "non-scraped": tried, and not finished.
const readOnce = mapfile.NonScraped

// depth is how many batches may be under way: what the drive reads ahead of the
// disk and the hashing.
const depth = 32

// flushEvery is how often, by the drive's clock, the map is brought up to date on
// the disk.
const flushEvery = time.Second

// A pipeline takes batches from the goroutine that reads and, in goroutines of
// its own, checks, writes, marks and hashes them.
type pipeline struct {
	j     *job
	free  chan *batch
	work  chan *batch
	hash  chan *batch
	wake  chan struct{} // to the goroutine that flushes
	wg    sync.WaitGroup
	under sync.WaitGroup // batches between send and release

	flushed  time.Time // when the last flush was asked for
	hashNext int64     // position up to which batches were passed on to be hashed

	mu  sync.Mutex
	err error // the first failure to write
}

func (j *job) startPipeline() {
	p := &pipeline{
		j: j, free: make(chan *batch, depth), work: make(chan *batch, depth),
		hash: make(chan *batch, depth), wake: make(chan struct{}, 1),
		flushed: j.drive.Clock().Now(),
	}
	for range depth {
		p.free <- new(batch)
	}
	var sizes []int64
	for i := range j.regions {
		sizes = append(sizes, j.regions[i].bytes())
	}
	j.hasher = digest.New(sizes)
	j.pipe = p
	p.wg.Go(p.writeLoop)
	p.wg.Go(p.hashLoop)
	p.wg.Go(p.flushLoop)
}

// send passes a batch on.
func (p *pipeline) send(b *batch) {
	p.under.Add(1)
	p.work <- b
}

// drop gives a batch back that holds nothing.
func (p *pipeline) drop(b *batch) { p.free <- b }

// drain waits until all batches are written and marked.
func (p *pipeline) drain() { p.under.Wait() }

// close ends the goroutines once all batches are through, and writes the map.
// It returns the first error of writing.
func (p *pipeline) close() error {
	close(p.work)
	close(p.wake)
	p.wg.Wait()
	p.flush()
	return p.failure()
}

func (p *pipeline) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil && err != nil {
		p.err = fmt.Errorf("%w: %w", ErrOutput, err)
	}
}

// failure returns the first error of writing.
func (p *pipeline) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *pipeline) writeLoop() {
	defer close(p.hash)
	for b := range p.work {
		if b.fill {
			p.j.fillBatch(b)
		} else {
			p.j.examine(b)
		}
		if p.failure() == nil {
			if b.compare {
				p.fail(p.compare(b))
			}
			if err := p.write(b); err != nil {
				p.fail(err)
			} else {
				p.mark(b)
			}
		}
		if pos := b.r.position(b.at); pos == p.hashNext && b.allGood() && p.final(b) && p.failure() == nil {
			p.hashNext += int64(len(b.main))
			p.hash <- b
			continue
		}
		p.release(b)
	}
}

// final reports whether good sectors of a batch are good for ever.
func (p *pipeline) final(b *batch) bool { return b.compare || !p.j.unsure(b.r) }

// compare keeps only those sectors of a batch good that are what the image holds.
func (p *pipeline) compare(b *batch) error {
	was := make([]byte, len(b.main))
	if err := p.j.out.readAt(was, b.r.position(b.at)); err != nil {
		return err
	}
	size := b.r.size
	for i := range b.good {
		at := i * size
		b.good[i] = b.good[i] && bytes.Equal(was[at:at+size], b.main[at:at+size])
	}
	return nil
}

func (b *batch) allGood() bool {
	for _, g := range b.good {
		if !g {
			return false
		}
	}
	return true
}

func (p *pipeline) release(b *batch) {
	p.free <- b
	p.under.Done()
}

func (p *pipeline) write(b *batch) error {
	pos := b.r.position(b.at)
	if err := p.j.out.writeAt(b.main, pos); err != nil {
		return err
	}
	if sub := p.j.out.sub; sub != nil && len(b.sub) > 0 {
		return sub.writeAt(b.sub, pos/cdsector.Size*cdsector.SubSize)
	}
	return nil
}

// mark notes the state of each sector of a batch that is written.
func (p *pipeline) mark(b *batch) {
	j := p.j
	j.mu.Lock()
	defer j.mu.Unlock()
	size := int64(b.r.size)
	pos := b.r.position(b.at)
	for i := 0; i < b.n; {
		k := i + 1
		for k < b.n && b.good[k] == b.good[i] {
			k++
		}
		s := mapfile.Bad
		switch {
		case b.good[i] && p.final(b):
			s = mapfile.Finished
		case b.good[i]:
			s = readOnce
		}
		j.m.Set(pos+int64(i)*size, int64(k-i)*size, s)
		i = k
	}
}

func (p *pipeline) hashLoop() {
	for b := range p.hash {
		if _, err := p.j.hasher.Write(b.main); err != nil {
			p.fail(err)
		}
		p.release(b)
	}
}

// flushLoop keeps the map on the disk close to the truth, and never ahead of it.
func (p *pipeline) flushLoop() {
	for range p.wake {
		p.flush()
	}
}

// tick asks for a flush when it is time for one. A flush under way is not waited
// for.
func (p *pipeline) tick(now time.Time) {
	if now.Sub(p.flushed) < flushEvery {
		return
	}
	p.flushed = now
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// flush brings the data to the disk that the map vouches for, and then the map.
func (p *pipeline) flush() {
	j := p.j
	j.mu.Lock()
	m := j.m.Clone()
	j.mu.Unlock()
	err := j.out.sync()
	if err == nil {
		err = writeMap(j.mapPath, m)
	}
	p.fail(err)
}
