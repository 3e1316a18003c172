package rip

import (
	"sync"

	"spindle/image/mapfile"
)

// States of sectors in the map of a rip beside those of ddrescue. Of a sector that
// is not finished the map alone says why: what stands in its place proves nothing.
const (
	// unread: it could not be read; filler stands in its place.
	unread = mapfile.Bad
	// flawed: it was read with errors; what came stands in its place.
	flawed = mapfile.ReadWithErrors
	// readOnce: audio that was read, and is to be read again and compared.
	// ddrescue calls it "non-scraped": tried, and not finished.
	readOnce = mapfile.NonScraped
)

// A tracker is the map of a rip, for the goroutine that reads and those that
// write.
type tracker struct {
	mu   sync.Mutex
	m    *mapfile.Map
	plan *plan // which parts count; nil: all
}

// next returns the next block in one of the states, from a position on.
func (t *tracker) next(pos int64, states ...mapfile.Status) (mapfile.Block, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.m.Next(pos, states...)
}

// at returns the state of a position.
func (t *tracker) at(pos int64) mapfile.Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.m.At(pos)
}

func (t *tracker) set(pos, size int64, s mapfile.Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.m.Set(pos, size, s)
}

// replace gives the bytes of a run that are in one state another one.
func (t *tracker) replace(pos, size int64, old, with mapfile.Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for end := pos + size; pos < end; {
		b, ok := t.m.Next(pos, old)
		if !ok || b.Pos >= end {
			return
		}
		pos = min(b.End(), end)
		t.m.Set(b.Pos, pos-b.Pos, with)
	}
}

// mark sets the states of neighbouring sectors of a size.
func (t *tracker) mark(pos, size int64, n int, state func(i int) mapfile.Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := 0; i < n; {
		s, k := state(i), i+1
		for k < n && state(k) == s {
			k++
		}
		t.m.Set(pos+int64(i)*size, int64(k-i)*size, s)
		i = k
	}
}

// working notes where the drive reads.
func (t *tracker) working(pos int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.m.Pos = pos
}

// phase notes what is being done.
func (t *tracker) phase(s mapfile.Status, pass int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.m.Phase, t.m.Pass = s, max(1, pass)
}

// A tally is how many bytes are in which states.
type tally struct{ total, finished, once, bad, untrimmed int64 }

func (t *tracker) tally() tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	y := tally{total: t.m.Size()}
	m := t.m
	if t.plan != nil && t.plan.only != nil {
		m, y.total = t.plan.ofAsked(m, mapfile.NonTried), 0
		for _, s := range t.plan.only {
			y.total += s.end - s.pos
		}
	}
	for _, b := range m.Blocks() {
		switch b.Status {
		case mapfile.Finished:
			y.finished += b.Size
		case readOnce:
			y.once += b.Size
		case unread, flawed, mapfile.NonTrimmed:
			y.bad += b.Size
			if b.Status == mapfile.NonTrimmed {
				y.untrimmed += b.Size
			}
		}
	}
	return y
}

// snapshot returns a copy of the map.
func (t *tracker) snapshot() *mapfile.Map {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.m.Clone()
}
