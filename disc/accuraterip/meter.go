// Package accuraterip compares the tracks of an audio CD with what the AccurateRip database
// states of them: checksums that other people's drives gave.
//
// A match proves a track. No match proves nothing: the disc may be of another pressing.
//
// The formulas are those that CUETools, whipper, cyanrip and ARver agree on; there is no
// standard.
package accuraterip

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"

	"spindle/disc/pcm"
)

const (
	frame = 588 // samples in a sector

	// Outside is how many sectors at the start of the first track (but for its last sample), and
	// at the end of the last one, are in no checksum.
	Outside = 5
	// skip is where counting begins in the first track, and how much of the last is not
	// counted: 5 frames, which a drive without overreading may lack.
	skip = Outside * frame

	// MaxOffset is how many samples another pressing may be away.
	MaxOffset = skip - 1

	// keyFrame is the frame whose own checksum finds other pressings.
	keyFrame = 450
)

// A Track is the place of an audio track in the stream, in samples: from INDEX 01 to
// INDEX 01 of the next track.
type Track struct{ First, End int64 }

// Sums are the checksums of a track.
type Sums struct {
	V1, V2   uint32
	Frame450 uint32 // 0 for a track shorter than 451 frames

	// CRC32 is that of all samples of the track; CRC32NonNull leaves out 16-bit words
	// that are zero, as Exact Audio Copy can.
	CRC32, CRC32NonNull uint32

	Silent bool // no sample that V1 and V2 count is other than 0
}

// A Meter computes the checksums of all tracks of a disc in one pass over its audio. Each Write
// takes whole samples.
type Meter struct {
	tracks  []track
	windows pcm.Windows
	edges   []*edge // by place
	next    int     // the next edge to come
	cur     int     // the track that is passing, or the next
	at, end int64

	// Sums over all samples so far: of the samples, and of each times its place, counted from
	// 1 at the start of the stream. Their differences are the checksums at any offset.
	sum, weighted uint32

	nonNull [4096]byte // the part of a piece without zeros
}

// track is a track while it passes.
type track struct {
	Track
	from, to  int64 // the samples that count: [from, to) in the stream
	low, high uint32
	sound     bool // a sample that counts is not 0
	crc       uint32
	nonNull   uint32
	begin     *edge // around from
	finish    *edge // around to
	key       *pcm.Window
}

// An edge is a place around which samples are kept, with the sums before the first of them.
type edge struct {
	*pcm.Window
	place         int64
	sum, weighted uint32
}

// NewMeter makes a Meter for audio tracks in order, which do not overlap.
func NewMeter(tracks []Track) *Meter {
	m := new(Meter)
	if len(tracks) == 0 {
		return m
	}
	m.end = tracks[len(tracks)-1].End
	edges := make(map[int64]*edge) // most tracks end where the next begins
	edgeAt := func(place int64) *edge {
		if edges[place] == nil {
			edges[place] = &edge{Window: m.windows.Keep(place, MaxOffset, m.end), place: place}
			m.edges = append(m.edges, edges[place])
		}
		return edges[place]
	}
	for i, t := range tracks {
		x := track{Track: t, from: t.First, to: t.End}
		if i == 0 {
			x.from += skip - 1
		}
		if i == len(tracks)-1 {
			x.to -= skip
		}
		x.to = max(x.to, x.from)
		x.begin, x.finish = edgeAt(x.from), edgeAt(x.to)
		if key := t.First + keyFrame*frame; key+frame <= t.End {
			x.key = m.windows.KeepRun(key-MaxOffset, key+frame+MaxOffset, m.end)
		}
		m.tracks = append(m.tracks, x)
	}
	slices.SortFunc(m.edges, func(a, b *edge) int { return cmp.Compare(a.First, b.First) })
	return m
}

// ErrStream is the error of a Write that is not of whole samples, or of more than there are.
var ErrStream = errors.New("not the audio of the disc")

// Write takes the next samples.
func (m *Meter) Write(p []byte) (int, error) {
	if len(p)%pcm.SampleSize != 0 || m.at+int64(len(p)/pcm.SampleSize) > m.end {
		return 0, ErrStream
	}
	m.windows.Write(m.at, p)
	for rest := p; len(rest) > 0; {
		n := min(m.run(), int64(len(rest)/pcm.SampleSize), int64(len(m.nonNull)/pcm.SampleSize))
		m.take(rest[:n*pcm.SampleSize])
		rest = rest[n*pcm.SampleSize:]
	}
	return len(p), nil
}

// run returns how many samples from here on are treated alike.
func (m *Meter) run() int64 {
	for m.next < len(m.edges) && m.edges[m.next].First == m.at {
		e := m.edges[m.next]
		e.sum, e.weighted = m.sum, m.weighted
		m.next++
	}
	for m.cur < len(m.tracks) && m.tracks[m.cur].End <= m.at {
		m.cur++
	}
	end := m.end
	if m.next < len(m.edges) {
		end = min(end, m.edges[m.next].First)
	}
	if m.cur < len(m.tracks) {
		t := &m.tracks[m.cur]
		for _, x := range [...]int64{t.First, t.from, t.to, t.End} {
			if x > m.at {
				end = min(end, x)
			}
		}
	}
	return end - m.at
}

// take counts samples that are treated alike.
func (m *Meter) take(p []byte) {
	n := int64(len(p) / pcm.SampleSize)
	origin, in := int64(0), m.cur < len(m.tracks) && m.tracks[m.cur].First <= m.at
	if in {
		origin = m.tracks[m.cur].First
	}
	r := count(p, uint32(m.at-origin)+1)
	m.sum += r.sum
	m.weighted += r.low + uint32(origin)*r.sum
	if in {
		t := &m.tracks[m.cur]
		if m.at >= t.from && m.at < t.to {
			t.low += r.low
			t.high += r.high
			t.sound = t.sound || r.sound
		}
		t.crc = crc32.Update(t.crc, crc32.IEEETable, p)
		if r.nulls {
			t.nonNull = m.withoutNulls(t.nonNull, p)
		} else {
			t.nonNull = crc32.Update(t.nonNull, crc32.IEEETable, p)
		}
	}
	m.at += n
}

// counted are the sums over a run of samples.
type counted struct {
	sum       uint32
	low, high uint32 // of the halves of each sample times its weight
	nulls     bool   // a word is zero
	sound     bool   // a sample is not
}

// count sums samples, the first of which has a weight.
func count(p []byte, weight uint32) counted {
	var sum, low, high uint64
	var nulls, sound uint32
	for ; len(p) >= 4; p = p[4:] {
		s := binary.LittleEndian.Uint32(p)
		x := uint64(s) * uint64(weight)
		sum += uint64(s)
		low += x & 0xFFFFFFFF
		high += x >> 32
		nulls |= (s - 0x00010001) &^ s
		sound |= s
		weight++
	}
	return counted{uint32(sum), uint32(low), uint32(high), nulls&0x80008000 != 0, sound != 0}
}

// withoutNulls continues a CRC over the words that are not zero.
func (m *Meter) withoutNulls(crc uint32, p []byte) uint32 {
	n := 0
	for ; len(p) >= 2; p = p[2:] {
		a, b := p[0], p[1]
		m.nonNull[n], m.nonNull[n+1] = a, b
		if a|b != 0 {
			n += 2
		}
	}
	return crc32.Update(crc, crc32.IEEETable, m.nonNull[:n])
}

// Sums returns the checksums of each track, when all samples are written.
func (m *Meter) Sums() []Sums {
	all := make([]Sums, len(m.tracks))
	for i := range m.tracks {
		t := &m.tracks[i]
		all[i] = Sums{V1: t.low, V2: t.low + t.high, CRC32: t.crc, CRC32NonNull: t.nonNull, Silent: !t.sound}
		for o, f := range t.keyFrames() {
			if o == 0 {
				all[i].Frame450 = f
			}
		}
	}
	return all
}
