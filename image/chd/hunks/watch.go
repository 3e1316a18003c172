package hunks

import (
	"runtime"
	"sync"
)

// A watch hashes the content while others read it in its order, so that it need not be read once
// more to be compared with the checksums that are stated.
type watch struct {
	mu    sync.Mutex
	tally *tally
	next  int64            // the hunk that is hashed next
	ahead map[int64][]byte // hunks that were decoded before it
	err   error
}

// mostAhead is how many hunks may be decoded before one that precedes them. When there are more,
// that one is skipped by those who read, as the filler between the areas of a GD-ROM is.
func mostAhead() int { return 2 * runtime.GOMAXPROCS(0) }

// Watch has the content hashed from now on while it is read. It begins once, before anything is
// read by several goroutines.
func (f *File) Watch() {
	if len(f.stated()) > 0 {
		f.watch = &watch{tally: f.newTally(), ahead: map[int64][]byte{}}
	}
}

// Watched compares the checksums that the CHD states with what was read since [File.Watch], and
// reports whether that was all of it: if not, nothing is known. The error is one of [File.Check].
func (f *File) Watched() (all bool, err error) {
	w := f.watch
	if w == nil {
		return false, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if left := f.h.hunks - w.next; left <= int64(mostAhead()) { // the last may be filler, too
		f.fillTo(f.h.hunks)
	}
	if w.err != nil || w.next < f.h.hunks {
		return w.err != nil, w.err
	}
	return true, f.compare(w.tally)
}

// saw takes a hunk that was read.
func (f *File) saw(n int64, b []byte) {
	w := f.watch
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n < w.next || w.err != nil {
		return
	}
	w.ahead[n] = b
	f.fillTo(w.next)
	if len(w.ahead) > mostAhead() {
		first := n
		for k := range w.ahead {
			first = min(first, k)
		}
		f.fillTo(first)
	}
}

// fillTo hashes the hunks before the one with a number, those that were not read, too, and all
// behind them that were.
func (f *File) fillTo(end int64) {
	w := f.watch
	for w.err == nil && w.next < f.h.hunks {
		b, ok := w.ahead[w.next]
		if !ok && w.next >= end {
			return
		}
		if !ok {
			b = make([]byte, f.h.hunkBytes)
			w.err = f.decode(b, w.next)
		}
		_, _ = w.tally.Write(b[:min(int64(len(b)), f.h.logicalBytes-w.next*int64(len(b)))])
		delete(w.ahead, w.next)
		w.next++
	}
}
