// Package flacenc makes FLAC files (RFC 9639) of the samples of a CD, on all processors.
package flacenc

import (
	"context"
	"crypto/md5"
	"errors"
	"hash"
	"io"
	"runtime"
)

// A File takes what is written one after the other, and at its start again: STREAMINFO and
// the seek table are known at the end.
type File interface {
	io.Writer
	io.WriterAt
}

// ErrHalfSample is returned by [Encoder.Close] when what was written ends within a sample.
var ErrHalfSample = errors.New("flacenc: the samples end within one")

// batchBlocks is how many blocks go from hand to hand together: 128 KiB of samples.
const batchBlocks = 8

// A batch is some blocks on their way.
type batch struct {
	in    []byte
	first uint64           // number of the first frame
	out   []byte           // the frames
	sizes [batchBlocks]int // of them
	room  [batchBlocks * maxFrame]byte
	done  chan struct{}
}

// An Encoder takes samples as they are on a CD: 44100 a second, 16 bits, left and right by
// turns, the least significant byte first. It uses all processors, a megabyte for each, and
// soon allocates nothing more.
type Encoder struct {
	ctx     context.Context
	free    chan *batch
	work    chan *batch // for whoever encodes
	order   chan *batch // the same, for whoever writes
	cur     *batch      // being filled
	made    int         // batches, as they are needed: some songs are short
	end     chan struct{}
	next    uint64 // number of the next frame
	workers int    // at most
	failed  chan struct{}
	closed  bool
	err     error // of writing, once failed is closed

	file stream
}

// NewEncoder writes the head of a FLAC file to an empty file. Close has to be called, also
// when the file is given up.
func NewEncoder(ctx context.Context, f File, o Options) (*Encoder, error) {
	e := &Encoder{ctx: ctx, end: make(chan struct{}), failed: make(chan struct{})}
	head, seek, err := o.head()
	if err != nil {
		return nil, err
	}
	e.file = stream{f: f, md5: md5.New(), smallest: 1 << 24, seek: seek}
	if _, err := f.Write(head); err != nil {
		return nil, err
	}
	e.workers = min(runtime.GOMAXPROCS(0), 16)
	batches := 2*e.workers + 2
	e.free, e.work, e.order = make(chan *batch, batches), make(chan *batch, batches), make(chan *batch, batches)
	go e.write()
	return e, nil
}

// Write takes samples. It returns the context's error, or that of writing to the file.
func (e *Encoder) Write(p []byte) (int, error) {
	taken := 0
	for taken < len(p) {
		if e.cur == nil {
			if err := e.wait(); err != nil {
				return taken, err
			}
		}
		b := e.cur
		n := copy(b.in[len(b.in):cap(b.in)], p[taken:])
		b.in = b.in[:len(b.in)+n]
		taken += n
		if len(b.in) == cap(b.in) {
			e.send()
		}
	}
	return taken, nil
}

// wait waits for an empty batch.
func (e *Encoder) wait() error {
	if err := e.ctx.Err(); err != nil {
		return err
	}
	if len(e.free) == 0 && e.made < cap(e.free) {
		if e.made < e.workers {
			go encode(e.work)
		}
		e.made++
		e.free <- &batch{in: make([]byte, 0, batchBlocks*blockSize*4), done: make(chan struct{}, 1)}
	}
	select {
	case <-e.failed:
		return e.err
	case <-e.ctx.Done():
		return e.ctx.Err()
	case b := <-e.free:
		b.in, b.first = b.in[:0], e.next
		e.cur = b
		e.next += batchBlocks
		return nil
	}
}

func (e *Encoder) send() {
	e.work <- e.cur
	e.order <- e.cur
	e.cur = nil
}

// Close waits until all is written, and completes the head of the file, unless writing
// failed or the context is done. It does not close the file. A second Close does nothing.
func (e *Encoder) Close() error {
	if e.closed {
		return e.err
	}
	e.closed = true
	half := e.cur != nil && len(e.cur.in)%4 != 0
	if e.cur != nil && !half {
		e.send()
	}
	close(e.work)
	close(e.order)
	<-e.end
	switch {
	case e.err != nil:
	case e.ctx.Err() != nil:
		e.err = e.ctx.Err()
	case half:
		e.err = ErrHalfSample
	default:
		e.err = e.file.complete()
	}
	return e.err
}

// encode makes frames until there is no more work.
func encode(work <-chan *batch) {
	c := new(coder)
	for b := range work {
		c.w = bitWriter{buf: b.room[:]}
		for i, rest := 0, b.in; len(rest) > 0; i++ {
			n := min(len(rest), blockSize*4)
			before := c.w.at
			c.frame(rest[:n], b.first+uint64(i))
			b.sizes[i] = c.w.at - before
			rest = rest[n:]
		}
		b.out = b.room[:c.w.at]
		b.done <- struct{}{}
	}
}

// write writes the batches in their order, and hashes the samples while they are encoded.
func (e *Encoder) write() {
	defer close(e.end)
	failed := false
	for b := range e.order {
		_, _ = e.file.md5.Write(b.in)
		<-b.done
		if !failed && e.ctx.Err() == nil {
			if err := e.file.add(b); err != nil {
				e.err, failed = err, true
				close(e.failed)
			}
		}
		e.free <- b
	}
}

// stream is what becomes of the frames: a file, and what its head says of them.
type stream struct {
	f                 File
	md5               hash.Hash
	samples           uint64 // of each channel
	bytes             uint64 // of frames
	smallest, largest int    // frame
	seek              seekTable
}

// add writes a batch.
func (s *stream) add(b *batch) error {
	if _, err := s.f.Write(b.out); err != nil {
		return err
	}
	for rest, i := len(b.in)/4, 0; rest > 0; i++ {
		n := min(rest, blockSize)
		s.seek.pass(s.samples, s.bytes, n)
		s.samples += uint64(n)
		s.bytes += uint64(b.sizes[i])
		s.smallest, s.largest = min(s.smallest, b.sizes[i]), max(s.largest, b.sizes[i])
		rest -= n
	}
	return nil
}

// complete writes what the head says of the frames.
func (s *stream) complete() error {
	if s.samples == 0 {
		s.smallest = 0 // not known
	}
	if _, err := s.f.WriteAt(streamInfo(s), infoAt); err != nil {
		return err
	}
	if len(s.seek.points) == 0 {
		return nil
	}
	_, err := s.f.WriteAt(s.seek.bytes(), s.seek.at)
	return err
}
