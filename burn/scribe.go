package burn

import "sync"

// scribe passes positions on to a log from a goroutine of its own, so that a busy
// disk never holds up a drive: of what the log is too slow for, only the latest counts.
type scribe struct {
	to     Log
	mu     sync.Mutex
	latest *Position
	wake   chan struct{}
	done   chan struct{}
}

// newScribe begins to write into a log, which may be nil.
func newScribe(to Log) *scribe {
	s := &scribe{to: to, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *scribe) run() {
	defer close(s.done)
	for range s.wake {
		s.write()
	}
	s.write()
}

func (s *scribe) write() {
	s.mu.Lock()
	at := s.latest
	s.latest = nil
	s.mu.Unlock()
	if at != nil && s.to != nil {
		s.to.Reached(*at)
	}
}

// reached notes how far the burn is, and does not wait.
func (s *scribe) reached(at Position) {
	s.mu.Lock()
	s.latest = &at
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// close ends the scribe once the last position is in the log.
func (s *scribe) close() {
	close(s.wake)
	<-s.done
}
