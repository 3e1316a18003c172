package blocks

import (
	"runtime"
	"sync"
)

// A Packer compresses what is written to it in batches of equal size, on all processors,
// and hands them on in their order: what it makes does not depend on how many there are.
type Packer struct {
	size int
	buf  []byte // of the next batch
	free chan []byte
	jobs chan *job
	line chan *job // in their order
	done chan struct{}
	once sync.Once
	wg   sync.WaitGroup

	mu  sync.Mutex
	err error
}

// job is a batch on its way.
type job struct {
	plain  []byte
	packed any
	err    error
	ready  chan struct{}
}

// NewPacker makes a Packer of batches of size bytes. Each processor gets a function of its own
// from compress, which makes something of a batch; emit takes these, with the batch, in
// their order. Neither may keep the batch.
func NewPacker[T any](size int, compress func() func(batch []byte) (T, error), emit func(T, []byte) error) *Packer {
	procs := runtime.GOMAXPROCS(0)
	ahead := 2*procs + 1
	p := &Packer{size: size, jobs: make(chan *job, ahead), line: make(chan *job, ahead),
		free: make(chan []byte, ahead+1), done: make(chan struct{})}
	for range ahead {
		p.free <- make([]byte, 0, size)
	}
	p.buf = make([]byte, 0, size)
	for range procs {
		pack := compress()
		p.wg.Go(func() {
			for j := range p.jobs {
				j.packed, j.err = pack(j.plain)
				close(j.ready)
			}
		})
	}
	go func() {
		defer close(p.done)
		for j := range p.line {
			<-j.ready
			if j.err == nil && p.failed() == nil {
				j.err = emit(j.packed.(T), j.plain)
			}
			if j.err != nil {
				p.fail(j.err)
			}
			p.free <- j.plain[:0]
		}
	}()
	return p
}

func (p *Packer) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
}

func (p *Packer) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Write takes more of the content. The error is the first of any batch.
func (p *Packer) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		k := min(len(b), p.size-len(p.buf))
		p.buf = append(p.buf, b[:k]...)
		b = b[k:]
		if len(p.buf) == p.size {
			p.send()
		}
	}
	return n, p.failed()
}

// send hands the batch that is complete to the processors.
func (p *Packer) send() {
	j := &job{plain: p.buf, ready: make(chan struct{})}
	p.line <- j
	p.jobs <- j
	p.buf = <-p.free
}

// Close waits for all batches, the last of which may be smaller. It may be called again.
func (p *Packer) Close() error {
	p.once.Do(func() {
		if len(p.buf) > 0 && p.failed() == nil {
			p.send()
		}
		close(p.jobs)
		close(p.line)
		p.wg.Wait()
		<-p.done
	})
	return p.failed()
}
