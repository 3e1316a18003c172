package testdisc

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"spindle/disc"
)

const (
	rate = 44100
	beat = rate / 4
)

// Music makes samples of a CD that are as hard to code as music: notes whose overtones
// decay, from all sides, drums, and the noise of a room. n is of each channel.
func Music(n int) []byte {
	b := &band{r: rand.New(rand.NewPCG(11, 12)), left: make([]float64, n), right: make([]float64, n)}
	root := 110.0
	for at := 0; at < n; at += beat {
		if at/beat%16 == 0 {
			root = 82.4 * math.Pow(2, float64(b.r.IntN(12))/12)
		}
		for range 1 + b.r.IntN(3) {
			b.note(at+b.r.IntN(beat/20), root*scale[b.r.IntN(len(scale))])
		}
		b.drum(at, 1800+b.r.IntN(4000), 0.02+0.1*float64(at/beat%2))
	}
	out := make([]byte, 0, n*4)
	for i := range n {
		for _, x := range []float64{b.left[i], b.right[i]} {
			x += 0.0004 * b.r.NormFloat64()
			out = binary.LittleEndian.AppendUint16(out, uint16(int16(math.Round(32767*max(-1, min(1, x))))))
		}
	}
	return out
}

// scale are the intervals of the notes above their root.
var scale = []float64{1, 9.0 / 8, 5.0 / 4, 3.0 / 2, 5.0 / 3, 2, 9.0 / 4, 5.0 / 2, 3, 4, 5}

type band struct {
	r           *rand.Rand
	left, right []float64
}

// note plays a note with its overtones.
func (b *band) note(at int, frequency float64) {
	level, pan := 0.02+0.08*b.r.Float64(), b.r.Float64()
	decay := 0.2 + b.r.Float64() // seconds to a third
	for h := 1.0; h <= 10 && h*frequency < rate/2; h++ {
		w := 2 * math.Pi * frequency * h * (1 + 0.0003*h*h) / rate
		g := math.Exp(-(1 + h/4) / (decay * rate))
		// A damped oscillation follows from its last two values.
		c1, c2 := 2*g*math.Cos(w), -g*g
		y1, y2 := 0.0, -level/h*math.Sin(w)*b.r.Float64()
		for i := at; i < min(len(b.left), at+2*rate); i++ {
			y := c1*y1 + c2*y2
			y2, y1 = y1, y
			b.left[i] += y * (1 - pan)
			b.right[i] += y * pan
		}
	}
}

// drum beats one whose sound takes so many samples to decay.
func (b *band) drum(at, decay int, level float64) {
	low, g := 0.0, 1.0
	for i := at; i < min(len(b.left), at+5*decay); i++ {
		low += 0.3 * (b.r.NormFloat64() - low)
		g *= 1 - 1/float64(decay)
		b.left[i] += level * g * low
		b.right[i] += level * g * (0.8*low + 0.1*b.r.NormFloat64())
	}
}

// music is a disc of two minutes.
func music() *builder {
	const seconds = 120
	b := newBuilder()
	b.track(disc.Audio, 0, seconds*75, 0)
	copy(b.bin.Bytes(), Music(seconds*rate))
	return b
}
