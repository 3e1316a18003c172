// Package ctdb compares an audio CD with what the CUETools database (CTDB) states of it, and
// repairs it with the database's parity.
//
// The database has CRC-32s of a disc and its tracks, and, for some discs, parity words of
// a Reed-Solomon code over GF(2^16): the audio, without its edges, is a matrix of words
// of 16 bits with rows of ten sectors, and each column a code word. The format is known
// from CUETools; there is no standard.
package ctdb

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"iter"
	"slices"
	"sync"

	"spindle/disc/pcm"
)

const (
	rowSamples = columns / 2
	rowBytes   = columns * 2

	// MaxOffset is how many samples another pressing may be away.
	MaxOffset = rowSamples - 1
)

// A Track is the place of an audio track in the stream, in samples. The stream begins with
// the first audio track.
type Track struct{ First, End int64 }

// A Meter takes the audio of a disc in one pass, and then answers questions about it. Each
// Write takes whole samples.
type Meter struct {
	tracks  []span
	disc    span
	length  int64 // samples of the stream
	rows    int   // R: rows that have parity
	at      int64
	crc     uint32 // of all so far
	windows pcm.Windows
	edges   []*edge // by place
	next    int
	matrix  matrix
	// syndromes are those of the columns at offset 0, once all is written.
	syndromes func() []syndrome
}

// A span is what a CRC is computed over: all between two edges.
type span struct{ from, to *edge }

// An edge is a place around which samples are kept.
type edge struct {
	*pcm.Window
	place int64
	crc   uint32 // of all before the window
	// crcs are those of all before each place from the window's first to its end, once
	// asked for.
	crcs []uint32
}

// ErrTooShort is the error for a disc that is shorter than what the database leaves out
// at its edges.
var ErrTooShort = errors.New("too short for the CUETools database")

// NewMeter makes a Meter for audio tracks in order.
func NewMeter(tracks []Track) (*Meter, error) {
	m := new(Meter)
	m.syndromes = sync.OnceValue(m.matrix.syndromes)
	if len(tracks) > 0 {
		m.length = tracks[len(tracks)-1].End
	}
	m.rows = int(m.length/rowSamples) - 2
	if m.rows < 1 || m.rows > fieldOrder-MaxParity {
		return nil, ErrTooShort
	}
	known := make(map[int64]*edge) // most tracks end where the next begins
	edgeAt := func(place int64) *edge {
		if known[place] == nil {
			known[place] = &edge{Window: m.windows.Keep(place, rowSamples, m.length), place: place}
			m.edges = append(m.edges, known[place])
		}
		return known[place]
	}
	// The first row is left out, and the last with what does not fill a row.
	m.disc = span{edgeAt(rowSamples), edgeAt(int64(m.rows+1) * rowSamples)}
	for i, t := range tracks {
		if i == 0 {
			t.First += rowSamples
		}
		if i == len(tracks)-1 {
			t.End = m.disc.to.place
		}
		m.tracks = append(m.tracks, span{edgeAt(t.First), edgeAt(t.End)})
	}
	slices.SortFunc(m.edges, func(a, b *edge) int { return cmp.Compare(a.First, b.First) })
	return m, nil
}

// ErrStream is the error of a Write that is not of whole samples, or of more than there are.
var ErrStream = errors.New("not the audio of the disc")

// Write takes the next samples.
func (m *Meter) Write(p []byte) (int, error) {
	if len(p)%pcm.SampleSize != 0 || m.at+int64(len(p)/pcm.SampleSize) > m.length {
		return 0, ErrStream
	}
	m.windows.Write(m.at, p)
	m.matrix.write(m.inMatrix(p))
	total := len(p)
	for {
		for m.next < len(m.edges) && m.edges[m.next].First == m.at {
			m.edges[m.next].crc = m.crc
			m.next++
		}
		if len(p) == 0 {
			return total, nil
		}
		n := len(p)
		if m.next < len(m.edges) {
			n = int(min(int64(n), (m.edges[m.next].First-m.at)*pcm.SampleSize))
		}
		m.crc = crc32.Update(m.crc, crc32.IEEETable, p[:n])
		m.at += int64(n / pcm.SampleSize)
		p = p[n:]
	}
}

// inMatrix returns the part of the next samples that rows with parity hold.
func (m *Meter) inMatrix(p []byte) []byte {
	end := m.at + int64(len(p)/pcm.SampleSize)
	from, to := max(m.at, m.disc.from.place), min(end, m.disc.to.place)
	if from >= to {
		return nil
	}
	return p[(from-m.at)*pcm.SampleSize : (to-m.at)*pcm.SampleSize]
}

// before returns the CRCs of all before each place of the window.
func (e *edge) before() []uint32 {
	if e.crcs == nil {
		crcs := make([]uint32, 1, e.End-e.First+1)
		crcs[0] = e.crc
		for p, c := e.Bytes, e.crc; len(p) > 0; p = p[pcm.SampleSize:] {
			c = crc32.Update(c, crc32.IEEETable, p[:pcm.SampleSize])
			crcs = append(crcs, c)
		}
		e.crcs = crcs
	}
	return e.crcs
}

// moved returns where the span is with both edges moved by o samples, and false where the disc
// has no such.
func (s *span) moved(o int64) (from, to int64, ok bool) {
	a, b := s.from.place+o, s.to.place+o
	return a, b, a < b && a >= s.from.First && a <= s.from.End && b >= s.to.First && b <= s.to.End
}

// at returns the CRC of the span with both edges moved by o samples, and false where the disc
// has no such.
func (s *span) at(o int64) (uint32, bool) {
	a, b, ok := s.moved(o)
	if !ok {
		return 0, false
	}
	return s.to.before()[b-s.to.First] ^ crcMul(crcShift((b-a)*pcm.SampleSize), s.from.before()[a-s.from.First]), true
}

// all gives the CRC at each offset at which there is one, those next to 0 first.
func (s *span) all() iter.Seq2[int, uint32] {
	return func(yield func(int, uint32) bool) {
		shift := crcShift((s.to.place - s.from.place) * pcm.SampleSize)
		from, to := s.from.before(), s.to.before()
		for i := range 2*MaxOffset + 1 {
			o := nearest(i)
			a, b, ok := s.moved(int64(o))
			if !ok {
				continue
			}
			if !yield(o, to[b-s.to.First]^crcMul(shift, from[a-s.from.First])) {
				return
			}
		}
	}
}

// nearest counts 0, 1, -1, 2, -2, ...
func nearest(i int) int {
	if i%2 == 1 {
		return (i + 1) / 2
	}
	return -i / 2
}

// Sums are the CRC-32s of a disc and its tracks, as the database computes them. Those of a
// track too short to have one are 0.
type Sums struct {
	Disc   uint32
	Tracks []uint32
}

// Sums returns the CRCs, when all samples are written.
func (m *Meter) Sums() (s Sums) {
	s.Disc, _ = m.disc.at(0)
	for i := range m.tracks {
		crc, _ := m.tracks[i].at(0)
		s.Tracks = append(s.Tracks, crc)
	}
	return s
}

// Covers returns the samples that the CRC of the disc proves at an offset: [first, end).
func (m *Meter) Covers(offset int) (first, end int64) {
	return m.disc.from.place + int64(offset), m.disc.to.place + int64(offset)
}

// word returns a word near the edges of the disc.
func (m *Meter) word(at int64) uint16 {
	w := m.disc.from.Window
	if at >= 2*w.End {
		w = m.disc.to.Window
	}
	return binary.LittleEndian.Uint16(w.Bytes[2*(at-2*w.First):])
}

// column returns the syndrome of a column with all rows moved by o samples: its words begin at
// word columns + c + 2o of the stream, and may be those of a neighbour, one row on.
func (m *Meter) column(c, o int) syndrome {
	f := gf()
	at := c + 2*o
	own := ((at % columns) + columns) % columns
	s := m.syndromes()[own]
	first := int64(own + columns) // of the own column
	behind := first + int64(m.rows)*columns
	switch {
	case at >= columns: // without the first word, and with one more
		gone, came := m.word(first), m.word(behind)
		for i := range s {
			s[i] = f.mul(s[i]^f.mul(gone, f.pow(i*(m.rows-1))), f.pow(i)) ^ came
		}
	case at < 0: // with one before, and without the last
		gone, came := m.word(behind-columns), m.word(first-columns)
		for i := range s {
			s[i] = f.mul(s[i]^gone, f.pow(-i)) ^ f.mul(came, f.pow(i*(m.rows-1)))
		}
	}
	return s
}
