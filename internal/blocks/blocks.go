// Package blocks reads and makes files that hold their content in pieces that are
// compressed one by one: it gives the content at any place, keeps what was read last, and
// uses all processors.
package blocks

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"spindle/internal/packed"
)

// A Piece is a run of bytes of the content that is read as one.
type Piece struct {
	Index      int64
	Begin, End int64 // in the content, in bytes
}

// A Source is content in pieces. Its methods are called by several goroutines.
type Source interface {
	// Piece returns the piece that has a byte, which lies in the content.
	Piece(off int64) Piece
	// Read fills dst, which has the size of the piece.
	Read(dst []byte, p Piece) error
}

// A DamagedError says that a piece cannot be read. It wraps [packed.ErrDamaged].
type DamagedError struct {
	Piece  int64 // its number, from 0
	Offset int64 // of what is stored of it in the file, in bytes
	Err    error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("block %d, at byte %d of the file: %v", e.Piece, e.Offset, e.Err)
}

func (e *DamagedError) Unwrap() []error { return []error{packed.ErrDamaged, e.Err} }

// cacheBytes is how much of what was read is kept. What one read spans is not kept, for it
// is rarely asked for again.
const cacheBytes = 2 << 20

// A Reader is an [io.ReaderAt] of content in pieces, for any number of goroutines.
type Reader struct {
	source Source
	size   int64
	cache  cache
}

// NewReader reads content of size bytes.
func NewReader(source Source, size int64) *Reader {
	return &Reader{source: source, size: size}
}

// Size is the size of the content in bytes.
func (r *Reader) Size() int64 { return r.size }

// ReadAt implements [io.ReaderAt].
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("blocks: negative offset")
	}
	short := false
	if left := r.size - off; int64(len(p)) > left {
		p, short = p[:max(0, left)], true
	}
	n, err := r.readAll(p, off)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// mostShared bounds how many pieces are divided between the processors at a time.
const mostShared = 1024

// readAll reads pieces, each of several runs of them on a processor.
func (r *Reader) readAll(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		var pieces []Piece
		at := off + int64(done)
		for len(pieces) < mostShared && at < off+int64(len(p)) {
			x := r.source.Piece(at)
			if x.End <= at || x.Begin > at {
				return done, fmt.Errorf("blocks: byte %d is in no piece", at)
			}
			pieces = append(pieces, x)
			at = x.End
		}
		n, err := r.readPieces(p, off, pieces)
		if err != nil {
			return max(done, n), err
		}
		done = int(min(int64(len(p)), at-off))
	}
	return done, nil
}

// readPieces copies what p wants of pieces that follow one another. The number is that of
// the bytes of p that are right when it fails.
func (r *Reader) readPieces(p []byte, off int64, pieces []Piece) (int, error) {
	shares := min(runtime.GOMAXPROCS(0), len(pieces))
	errs, good := make([]error, shares), make([]int, shares)
	share := func(i int) {
		for _, x := range pieces[i*len(pieces)/shares : (i+1)*len(pieces)/shares] {
			if errs[i] = r.copyPiece(p, off, x); errs[i] != nil {
				good[i] = int(max(0, x.Begin-off))
				return
			}
		}
	}
	if shares == 1 {
		share(0)
		return good[0], errs[0]
	}
	var wg sync.WaitGroup
	for i := range shares {
		wg.Go(func() { share(i) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return good[i], err
		}
	}
	return len(p), nil
}

// copyPiece copies what p wants of a piece.
func (r *Reader) copyPiece(p []byte, off int64, x Piece) error {
	from, to := max(x.Begin, off), min(x.End, off+int64(len(p)))
	out := p[from-off : to-off]
	if b, ok := r.cache.get(x.Index); ok {
		copy(out, b[from-x.Begin:])
		return nil
	}
	if from == x.Begin && to == x.End && len(p) > len(out) {
		return r.source.Read(out, x)
	}
	b := make([]byte, x.End-x.Begin)
	if err := r.source.Read(b, x); err != nil {
		return err
	}
	r.cache.put(x.Index, b)
	copy(out, b[from-x.Begin:])
	return nil
}

// A cache keeps the pieces that were used last.
type cache struct {
	mu   sync.Mutex
	size int
	all  []cached // the one used last at the end
}

type cached struct {
	index int64
	data  []byte
}

// mostCached bounds the pieces that are kept: they are searched one by one.
const mostCached = 64

func (c *cache) get(index int64) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.all) - 1; i >= 0; i-- {
		if x := c.all[i]; x.index == index {
			copy(c.all[i:], c.all[i+1:])
			c.all[len(c.all)-1] = x
			return x.data, true
		}
	}
	return nil, false
}

func (c *cache) put(index int64, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, cached{index, data})
	c.size += len(data)
	drop := 0
	for len(c.all)-drop > 1 && (c.size > cacheBytes || len(c.all)-drop > mostCached) {
		c.size -= len(c.all[drop].data)
		drop++
	}
	c.all = append(c.all[:0], c.all[drop:]...)
}

// ReadFull reads all of b from r, in which an end that comes early is [io.ErrUnexpectedEOF].
func ReadFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
