// Package loudness measures how loud samples are, as they pass: the integrated loudness of
// ITU-R BS.1770, which ReplayGain 2 and EBU R 128 take, and their peaks.
package loudness

import (
	"encoding/binary"
	"math"
)

// Reference is the loudness that ReplayGain 2 brings music to, in LUFS.
const Reference = -18

// A Meter takes samples of 16 bits, left and right by turns, the least significant byte
// first.
type Meter struct {
	filter  filter
	segment int // samples of each channel in 100 ms
	passed  int // of the segment under way
	energy  float64
	before  [blockSegments - 1]float64 // energies of the last segments
	count   int                        // of segments
	blocks  []float64

	in    [2][taps - 1 + chunk]float64 // behind the samples that the interpolation looks back to
	peak  float64
	inter float64 // peak between samples
	rest  []byte  // less than a sample of each channel
}

const (
	// A block is 400 ms, and begins every 100 ms (BS.1770-5 annex 1).
	blockSegments = 4
	// chunk is how many samples of each channel are taken at a time.
	chunk = 256
	// sampleSize is that of a sample of each channel, in bytes.
	sampleSize = 4
)

// New returns a meter for that many samples of each channel a second: at least 10.
func New(rate int) *Meter {
	return &Meter{filter: newFilter(float64(rate)), segment: max(1, (rate+5)/10)}
}

// Write takes samples. It never fails.
func (m *Meter) Write(p []byte) (int, error) {
	taken := len(p)
	if len(m.rest) > 0 {
		n := min(sampleSize-len(m.rest), len(p))
		m.rest, p = append(m.rest, p[:n]...), p[n:]
		if len(m.rest) < sampleSize {
			return taken, nil
		}
		m.take(m.rest)
		m.rest = m.rest[:0]
	}
	for len(p) >= sampleSize {
		n := min(len(p)/sampleSize, chunk, m.segment-m.passed)
		m.take(p[:n*sampleSize])
		p = p[n*sampleSize:]
	}
	m.rest = append(m.rest, p...)
	return taken, nil
}

// take measures some samples: at most a chunk, and not beyond the end of a segment.
func (m *Meter) take(p []byte) {
	n := len(p) / sampleSize
	left, right := m.in[0][taps-1:][:n], m.in[1][taps-1:][:n]
	low, high := int32(0), int32(0)
	for i := range left {
		v := binary.LittleEndian.Uint32(p[i*sampleSize:])
		l, r := int32(int16(v)), int32(v)>>16
		left[i], right[i] = float64(l)*(1.0/fullScale), float64(r)*(1.0/fullScale)
		low, high = min(low, l, r), max(high, l, r)
	}
	m.peak = max(m.peak, float64(max(-low, high))/fullScale)
	for ch := range m.in {
		x := m.in[ch][:taps-1+n]
		m.inter = between(x, m.inter)
		copy(x, x[n:])
	}
	m.energy += m.filter.energy(left, right)
	if m.passed += n; m.passed == m.segment {
		m.endSegment()
	}
}

const fullScale = 1 << 15

func (m *Meter) endSegment() {
	m.filter.settle()
	m.count++
	sum := m.energy
	for _, e := range m.before {
		sum += e
	}
	if m.count >= blockSegments {
		m.blocks = append(m.blocks, sum/float64(blockSegments*m.segment))
	}
	copy(m.before[:], m.before[1:])
	m.before[len(m.before)-1] = m.energy
	m.energy, m.passed = 0, 0
}

// A Result is what was measured of a track, or of an album.
type Result struct {
	// Loudness is the integrated loudness in LUFS: -Inf when nothing is as loud as -70.
	Loudness float64
	Peak     float64 // of the samples; 1 is the lowest of 16 bits
	TruePeak float64 // between samples too, as if there were four times as many

	blocks []float64 // mean squares of what is as loud as -70 LUFS
}

// Result returns what was measured so far. What follows the last whole block of 400 ms
// counts for the peaks only.
func (m *Meter) Result() Result {
	r := Result{Peak: m.peak, TruePeak: m.inter}
	for ch := range m.in { // the last samples, with silence behind them
		x := make([]float64, 2*(taps-1))
		copy(x, m.in[ch][:taps-1])
		r.TruePeak = between(x, r.TruePeak)
	}
	r.TruePeak = max(r.TruePeak, r.Peak)
	for _, b := range m.blocks {
		if b > absoluteGate {
			r.blocks = append(r.blocks, b)
		}
	}
	r.Loudness = gated(r.blocks)
	return r
}

// Album returns the result of all tracks together: the loudness of all their blocks, which
// is not a mean of theirs.
func Album(tracks ...Result) Result {
	var all Result
	for i := range tracks {
		t := &tracks[i]
		all.Peak, all.TruePeak = max(all.Peak, t.Peak), max(all.TruePeak, t.TruePeak)
		all.blocks = append(all.blocks, t.blocks...)
	}
	all.Loudness = gated(all.blocks)
	return all
}

// Gain is how much brings a result to the [Reference], in dB. There is none for silence.
func (r *Result) Gain() (dB float64, ok bool) {
	if math.IsInf(r.Loudness, -1) {
		return 0, false
	}
	return Reference - r.Loudness, true
}

// absoluteGate is the mean square below which a block does not count: -70 LUFS.
var absoluteGate = meanSquare(-70)

// A block that is 10 LU below the mean of the others does not count either.
const relativeGate = 0.1

// Loudness is offset, in dB, so that the filter's gain at 1 kHz does not count.
const offset = -0.691

func meanSquare(lufs float64) float64 { return math.Pow(10, (lufs-offset)/10) }

// gated is the loudness of blocks that all passed the absolute gate.
func gated(blocks []float64) float64 {
	gate := mean(blocks, 0) * relativeGate
	return offset + 10*math.Log10(mean(blocks, gate))
}

// mean is that of the blocks above a gate, or 0.
func mean(blocks []float64, gate float64) float64 {
	sum, n := 0.0, 0
	for _, b := range blocks {
		if b > gate {
			sum += b
			n++
		}
	}
	return sum / float64(max(n, 1))
}
