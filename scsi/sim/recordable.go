package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// A Store keeps the sectors of a recordable disc: 2352 bytes each of a CD, track
// after track without what is between sessions; 2048 bytes each of a DVD or BD,
// by address. What was never written reads as zeros or as the end of the file.
type Store interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
}

// State is what a recordable disc is beyond its sectors. It can be kept as JSON.
type State struct {
	Media    string         `json:"media"`
	Capacity int            `json:"capacity"` // sectors
	Sessions []SessionState `json:"sessions,omitempty"`
	Final    bool           `json:"final,omitempty"`   // nothing can be appended
	NextFF   bool           `json:"nextFF,omitempty"`  // final, with an empty pointer to a next session
	Spoiled  bool           `json:"spoiled,omitempty"` // a write failed where it cannot be mended
	MCN      string         `json:"mcn,omitempty"`
	CDText   []disc.Pack    `json:"cdText,omitempty"`
	Layer0   int            `json:"layer0,omitempty"` // sectors of the first layer, where the host chose
	Minimal  bool           `json:"minimal,omitempty"`
	Format   FormatState    `json:"format,omitzero"`
}

// FormatState is how a disc is formatted that has to be.
type FormatState struct {
	Done         bool `json:"done,omitempty"`
	Blocks       int  `json:"blocks,omitempty"`
	Intermediate bool `json:"intermediate,omitempty"` // DVD-RW: grows with what is written
	Background   byte `json:"background,omitempty"`   // DVD+RW: as in READ DISC INFORMATION
	Spares       bool `json:"spares,omitempty"`       // BD: has spare areas
	POW          bool `json:"pow,omitempty"`          // BD-R: pseudo-overwrite
}

// SessionState is a session, closed or open.
type SessionState struct {
	Format  disc.SessionFormat `json:"format,omitempty"`
	Closed  bool               `json:"closed,omitempty"`
	LeadOut disc.LBA           `json:"leadOut,omitempty"` // once closed
	Tracks  []TrackState       `json:"tracks,omitempty"`
}

// TrackState is a track that was begun or reserved.
type TrackState struct {
	Number   int          `json:"number"`
	Mode     disc.Mode    `json:"mode,omitempty"`
	Control  disc.Control `json:"control,omitempty"`
	ISRC     string       `json:"isrc,omitempty"`
	Start    disc.LBA     `json:"start"`
	Pregap   int          `json:"pregap,omitempty"`
	Indexes  []disc.LBA   `json:"indexes,omitempty"`
	Next     disc.LBA     `json:"next"`             // after the last sector on the disc
	End      disc.LBA     `json:"end,omitempty"`    // of a closed or a reserved track
	RunOut   int          `json:"runOut,omitempty"` // unreadable sectors at its end
	Closed   bool         `json:"closed,omitempty"`
	Reserved bool         `json:"reserved,omitempty"`
	Damaged  bool         `json:"damaged,omitempty"`
	Packets  bool         `json:"packets,omitempty"`
	Links    []disc.LBA   `json:"links,omitempty"`  // where seven link sectors begin
	Offset   int          `json:"offset,omitempty"` // of a CD track in the store, in sectors
}

func (t *TrackState) begin() disc.LBA { return t.Start - disc.LBA(t.Pregap) }

// possible reports whether the numbers make sense.
func (t *TrackState) possible() bool {
	return t.Number >= 1 && t.Pregap >= 0 && t.Offset >= 0 && t.Start >= 0 &&
		t.Next >= t.begin() && t.Next <= disc.MaxLBA && t.End <= disc.MaxLBA &&
		t.RunOut >= 0 && t.RunOut <= int(max(t.Start, t.End, t.Next)-t.Start) // an open track has no end
}

// A Recordable is a disc that a simulated recorder can write. It is also the
// [disc.Image] of what is on it. While a drive has it, only that drive may use it.
type Recordable struct {
	disc.Plain // it keeps sectors, and nothing beside them

	mu    sync.Mutex
	kind  kind
	st    State
	store Store
	save  func(State, *disc.Layout) error
}

// NewRecordable makes a blank disc of a kind that [MediaNames] lists. A capacity
// of zero is the kind's own. save, unless nil, is called with every new state of
// the disc, and with the layout of its closed sessions, or nil; the store holds
// the sectors by then.
func NewRecordable(media string, capacity int, store Store, save func(State, *disc.Layout) error) (*Recordable, error) {
	k, ok := kinds()[media]
	if !ok || k.class == pressed {
		return nil, fmt.Errorf("%q is no kind of disc that can be written", media)
	}
	st := State{Media: media, Capacity: k.capacity}
	if capacity > 0 {
		st.Capacity = capacity
	}
	switch media {
	case "dvd-ram", "dvd-rw-ro": // sold, or meant to be, formatted
		st.Format = FormatState{Done: true, Blocks: st.Capacity}
	}
	return OpenRecordable(st, store, save)
}

// OpenRecordable makes a disc of the state and the sectors that it had.
func OpenRecordable(st State, store Store, save func(State, *disc.Layout) error) (*Recordable, error) {
	k, ok := kinds()[st.Media]
	if !ok || k.class == pressed {
		return nil, fmt.Errorf("%q is no kind of disc that can be written", st.Media)
	}
	if st.Capacity < 1 || st.Capacity > disc.MaxLBA {
		return nil, fmt.Errorf("a disc of %d sectors", st.Capacity)
	}
	r := &Recordable{kind: k, st: st, store: store, save: save}
	for i := range st.Sessions {
		for j := range st.Sessions[i].Tracks {
			if t := &st.Sessions[i].Tracks[j]; !t.possible() {
				return nil, fmt.Errorf("track %d of the recorded state is impossible", t.Number)
			}
		}
	}
	if st.Media == "dvd-rw" && st.Format.Done {
		r.kind = kinds()["dvd-rw-ro"]
	}
	if l := r.layout(false); l != nil {
		if err := l.Validate(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// State returns the state of the disc.
func (r *Recordable) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.st.clone()
}

func (s State) clone() State {
	s.Sessions = slices.Clone(s.Sessions)
	for i := range s.Sessions {
		s.Sessions[i].Tracks = slices.Clone(s.Sessions[i].Tracks)
	}
	s.CDText = slices.Clone(s.CDText)
	return s
}

// Media names the kind of disc, as in a [Spec].
func (r *Recordable) Media() string { return r.st.Media }

// Layout implements [disc.Image]: the closed sessions, or what a formatted disc
// holds; nil where there is nothing.
func (r *Recordable) Layout() *disc.Layout {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.layout(false)
}

// readable is what can be read of a session.
func (s *SessionState) readable(number int) disc.Session {
	out := disc.Session{Number: number, Format: s.Format, LeadOut: s.LeadOut}
	for j := range s.Tracks {
		t := &s.Tracks[j]
		u := disc.Track{Number: t.Number, Mode: t.Mode, Control: t.Control, ISRC: t.ISRC,
			Start: t.Start, Pregap: t.Pregap, Indexes: t.Indexes, End: t.End}
		if !t.Closed {
			u.End = t.Next
		}
		if u.End <= u.Start {
			continue // nothing to read yet
		}
		for len(u.Indexes) > 0 && u.Indexes[len(u.Indexes)-1] >= u.End {
			u.Indexes = u.Indexes[:len(u.Indexes)-1]
		}
		out.Tracks = append(out.Tracks, u)
	}
	if n := len(out.Tracks); n > 0 && !s.Closed {
		out.LeadOut = out.Tracks[n-1].End
	}
	return out
}

// layout is the disc as its TOC states it, or, with the open tracks, as far as it
// can be read.
func (r *Recordable) layout(open bool) *disc.Layout {
	medium := r.kind.profile.medium()
	l := &disc.Layout{Medium: medium, MCN: r.st.MCN, CDText: r.st.CDText}
	if r.kind.class == random {
		if !r.st.Format.Done || r.st.Format.Blocks == 0 {
			return nil
		}
		l.Sessions = []disc.Session{{Number: 1, LeadOut: disc.LBA(r.st.Format.Blocks), Tracks: []disc.Track{
			{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(r.st.Format.Blocks)}}}}
		return l
	}
	for i := range r.st.Sessions {
		s := &r.st.Sessions[i]
		if !s.Closed && !open {
			break
		}
		if out := s.readable(i + 1); len(out.Tracks) > 0 {
			l.Sessions = append(l.Sessions, out)
		}
	}
	if len(l.Sessions) == 0 {
		return nil
	}
	if r.kind.layers == 2 && r.st.Layer0 > 0 && l.End() > disc.LBA(r.st.Layer0) {
		l.LayerBreak = disc.LBA(r.st.Layer0)
	}
	return l
}

// track returns the track that holds an address, written or not.
func (r *Recordable) track(a disc.LBA) *TrackState {
	for i := range r.st.Sessions {
		for j := range r.st.Sessions[i].Tracks {
			t := &r.st.Sessions[i].Tracks[j]
			if end := max(t.End, t.Next); a >= t.begin() && a < end {
				return t
			}
		}
	}
	return nil
}

// ReadSectors implements [disc.Image].
func (r *Recordable) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	size := r.kind.profile.medium().SectorSize()
	if len(p)%size != 0 {
		return fmt.Errorf("a buffer of %d bytes for sectors of %d", len(p), size)
	}
	if size == cdsector.UserSize {
		if first < 0 || int(first)+len(p)/size > max(r.st.Capacity, r.st.Format.Blocks) {
			return fmt.Errorf("%w: %d", disc.ErrNoSector, first)
		}
		return readZeros(r.store, p, int64(first)*int64(size))
	}
	for len(p) > 0 {
		t := r.track(first)
		if t == nil {
			return fmt.Errorf("%w: %d", disc.ErrNoSector, first)
		}
		n := min(len(p)/size, int(max(t.End, t.Next)-first))
		at := int64(t.Offset) + int64(first-t.begin())
		if err := readZeros(r.store, p[:n*size], at*int64(size)); err != nil {
			return err
		}
		p, first = p[n*size:], first+disc.LBA(n)
	}
	return nil
}

// readZeros reads, with zeros where the store ends.
func readZeros(s io.ReaderAt, p []byte, at int64) error {
	n, err := s.ReadAt(p, at)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		clear(p[n:])
		return nil
	}
	return err
}

// Close implements [disc.Image].
func (r *Recordable) Close() error {
	if c, ok := r.store.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// keep saves the state.
func (r *Recordable) keep() error {
	if r.save == nil {
		return nil
	}
	return r.save(r.st.clone(), r.content())
}

// content is the layout of what the closed sessions hold: without the run-out
// blocks that end a session, which hold nothing.
func (r *Recordable) content() *disc.Layout {
	l := r.layout(false)
	if l == nil {
		return nil
	}
	for i := range l.Sessions {
		s := &l.Sessions[i]
		t := &s.Tracks[len(s.Tracks)-1]
		if u := r.track(t.Start); u != nil && u.RunOut > 0 {
			t.End -= disc.LBA(u.RunOut)
			s.LeadOut -= disc.LBA(u.RunOut)
		}
	}
	return l
}

// runOutAt reports whether a sector of the disc is one of those that end a track
// or join packets, and cannot be read.
func (r *Recordable) runOutAt(a disc.LBA) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.track(a)
	if t == nil {
		return false
	}
	for _, at := range t.Links {
		if a >= at && a < at+linkSectors {
			return true
		}
	}
	return t.Closed && a >= t.End-disc.LBA(t.RunOut)
}

// last returns the last session, or nil.
func (r *Recordable) last() *SessionState {
	if len(r.st.Sessions) == 0 {
		return nil
	}
	return &r.st.Sessions[len(r.st.Sessions)-1]
}

// open returns the session that is open, or nil.
func (r *Recordable) open() *SessionState {
	if s := r.last(); s != nil && !s.Closed {
		return s
	}
	return nil
}

// numbered returns the track of a number, or nil.
func (r *Recordable) numbered(n int) *TrackState {
	for i := range r.st.Sessions {
		for j := range r.st.Sessions[i].Tracks {
			if t := &r.st.Sessions[i].Tracks[j]; t.Number == n {
				return t
			}
		}
	}
	return nil
}

// lastTrack returns the last track of the disc, or nil.
func (r *Recordable) lastTrack() *TrackState {
	for i := len(r.st.Sessions) - 1; i >= 0; i-- {
		if s := &r.st.Sessions[i]; len(s.Tracks) > 0 {
			return &s.Tracks[len(s.Tracks)-1]
		}
	}
	return nil
}

// blank reports whether nothing was ever written.
func (r *Recordable) blank() bool {
	return r.lastTrack() == nil && !r.st.Spoiled && !r.st.Final
}

// stored is the number of sectors of CD tracks in the store. The run-out blocks
// of a track count when another one of its session follows.
func (r *Recordable) stored() int {
	t := r.lastTrack()
	if t == nil {
		return 0
	}
	n := t.Offset + int(max(t.Next, t.End)-t.begin())
	if r.open() == nil {
		n -= t.RunOut
	}
	return n
}

// Memory is a [Store] in memory, of which only what is written takes room.
type Memory struct {
	mu    sync.RWMutex
	pages map[int64]*[memoryPage]byte
}

const memoryPage = 64 << 10

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{pages: make(map[int64]*[memoryPage]byte)} }

// ReadAt implements [io.ReaderAt]. There is no end.
func (m *Memory) ReadAt(p []byte, at int64) (int, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for done := 0; done < len(p); {
		page, skip := (at+int64(done))/memoryPage, int((at+int64(done))%memoryPage)
		n := min(len(p)-done, memoryPage-skip)
		if b := m.pages[page]; b != nil {
			copy(p[done:done+n], b[skip:])
		} else {
			clear(p[done : done+n])
		}
		done += n
	}
	return len(p), nil
}

// WriteAt implements [io.WriterAt].
func (m *Memory) WriteAt(p []byte, at int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for done := 0; done < len(p); {
		page, skip := (at+int64(done))/memoryPage, int((at+int64(done))%memoryPage)
		b := m.pages[page]
		if b == nil {
			b = new([memoryPage]byte)
			m.pages[page] = b
		}
		done += copy(b[skip:], p[done:])
	}
	return len(p), nil
}

// Truncate forgets what is at and after size.
func (m *Memory) Truncate(size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for page, b := range m.pages {
		switch from := size - page*memoryPage; {
		case from <= 0:
			delete(m.pages, page)
		case from < memoryPage:
			clear(b[from:])
		}
	}
	return nil
}
