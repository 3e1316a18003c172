package burn

import "sync"

// watcher passes progress on to an observer from a goroutine of its own, so that
// a slow terminal never holds up a drive: of what the observer is too slow for,
// only the latest counts.
type watcher struct {
	to     Observer
	mu     sync.Mutex
	latest *Progress
	notes  []Note
	wake   chan struct{}
	done   chan struct{}
}

func watch(to Observer) *watcher {
	if to == nil {
		to = silent{}
	}
	w := &watcher{to: to, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run()
	return w
}

func (w *watcher) run() {
	defer close(w.done)
	for range w.wake {
		w.deliver()
	}
	w.deliver()
}

func (w *watcher) deliver() {
	w.mu.Lock()
	p, notes := w.latest, w.notes
	w.latest, w.notes = nil, nil
	w.mu.Unlock()
	for _, n := range notes {
		w.to.Note(n)
	}
	if p != nil {
		w.to.Progress(*p)
	}
}

func (w *watcher) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watcher) report(p Progress) {
	w.mu.Lock()
	w.latest = &p
	w.mu.Unlock()
	w.poke()
}

func (w *watcher) note(n Note) {
	w.mu.Lock()
	w.notes = append(w.notes, n)
	w.mu.Unlock()
	w.poke()
}

// close ends the watcher once all is delivered.
func (w *watcher) close() {
	close(w.wake)
	<-w.done
}
