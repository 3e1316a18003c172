package loudness

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// level is a stretch of a sine in both channels.
type level struct {
	dB      float64 // to full scale
	seconds float64
}

// tones are those of 1 kHz.
func tones(rate int, levels ...level) []byte {
	var b []byte
	for _, l := range levels {
		a := fullScale * math.Pow(10, l.dB/20)
		var periods []byte // ten: a whole number of samples
		for i := range rate / 100 {
			v := uint16(int16(math.Round(a * math.Sin(2*math.Pi*1000*float64(i)/float64(rate)))))
			periods = binary.LittleEndian.AppendUint16(periods, v)
			periods = binary.LittleEndian.AppendUint16(periods, v)
		}
		b = append(b, bytes.Repeat(periods, int(math.Round(l.seconds*100)))...)
	}
	return b
}

// cases are those of EBU Tech 3341 that are made of sines in two channels, and their
// loudness.
var cases = []struct {
	name   string
	levels []level
	want   float64
}{
	{"1", []level{{-23, 20}}, -23},
	{"2", []level{{-33, 20}}, -33},
	{"3", []level{{-36, 10}, {-23, 60}, {-36, 10}}, -23},
	{"4", []level{{-72, 10}, {-36, 10}, {-23, 60}, {-36, 10}, {-72, 10}}, -23},
	{"5", []level{{-26, 20}, {-20, 20.1}, {-26, 20}}, -23},
}

func measure(rate int, b []byte) Result {
	m := New(rate)
	_, _ = m.Write(b)
	return m.Result()
}

func TestLoudnessEBU(t *testing.T) {
	for i, c := range cases {
		for _, rate := range []int{44100, 48000} {
			if i > 0 && rate == 48000 {
				continue
			}
			if got := measure(rate, tones(rate, c.levels...)).Loudness; math.Abs(got-c.want) > 0.1 {
				t.Errorf("case %s at %d Hz: %.2f LUFS, want %.1f", c.name, rate, got, c.want)
			}
		}
	}
}

// peakCases are those of EBU Tech 3341: sines of 1/divisor of the rate whose peaks lie
// between samples.
var peakCases = []struct {
	name      string
	amplitude float64
	divisor   float64
	degrees   float64
	want      float64 // dBTP, + 0.2 - 0.4
}{
	{"15", 0.5, 4, 0, -6},
	{"16", 0.5, 4, 45, -6},
	{"17", 0.5, 6, 60, -6},
	{"18", 0.5, 8, 67.5, -6},
	{"19", 1.41, 4, 45, 3},
}

func peakTone(amplitude, divisor, degrees float64) []byte {
	const n, fade = 20000, 2000
	var b []byte
	for i := range n {
		a := amplitude * fullScale * min(1, float64(i)/fade, float64(n-1-i)/fade)
		v := math.Round(a * math.Sin(2*math.Pi*float64(i)/divisor+degrees*math.Pi/180))
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(max(-fullScale, min(fullScale-1, v)))))
		b = binary.LittleEndian.AppendUint16(b, 0)
	}
	return b
}

func TestTruePeakEBU(t *testing.T) {
	for _, c := range peakCases {
		got := 20 * math.Log10(measure(48000, peakTone(c.amplitude, c.divisor, c.degrees)).TruePeak)
		if got > c.want+0.2 || got < c.want-0.4 {
			t.Errorf("case %s: %.2f dBTP, want %.1f", c.name, got, c.want)
		}
	}
}

// What is left out because it cannot be a peak is none.
func TestTruePeakSkips(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		x := make([]float64, 400)
		scale := r.Float64()
		for i := range x {
			x[i] = scale * (2*r.Float64() - 1) * float64(r.IntN(2))
		}
		want := 0.0
		for i := taps; i <= len(x); i++ {
			want = stretchPeak(x[i-taps:i], math.Inf(1), want)
		}
		if got := between(x, 0); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	for i := range phases {
		var middle, others float64
		for j, c := range phases[i] {
			if j == taps/2 || j == taps/2-1 {
				middle += math.Abs(c)
			} else {
				others += math.Abs(c)
			}
		}
		if middle > middleMost || others > othersMost {
			t.Errorf("phase %d: %v, %v", i, middle, others)
		}
	}
}

// At 48 kHz, the filter is that of the standard.
func TestFilter(t *testing.T) {
	for _, c := range []struct{ got, want section }{
		{shelf(48000), section{1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585}},
		{highPass(48000), section{1, -2, 1, -1.99004745483398, 0.99007225036621}},
	} {
		g, w := c.got, c.want
		for _, d := range []float64{g.b0 - w.b0, g.b1 - w.b1, g.b2 - w.b2, g.a1 - w.a1, g.a2 - w.a2} {
			if math.Abs(d) > 1e-12 {
				t.Errorf("%+v, want %+v", g, w)
				break
			}
		}
	}
}

// Nothing is as loud as silence is not.
func TestSilence(t *testing.T) {
	for name, b := range map[string][]byte{"nothing": nil, "silence": make([]byte, 44100*4), "too quiet": tones(44100, level{-75, 1})} {
		r := measure(44100, b)
		if _, ok := r.Gain(); !math.IsInf(r.Loudness, -1) || ok || r.Peak > 0.001 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	r := measure(44100, tones(44100, level{-23, 0.39}))
	if !math.IsInf(r.Loudness, -1) || r.Peak == 0 {
		t.Errorf("less than a block: %+v", r)
	}
}

// How samples are divided among calls changes nothing; the last of them count.
func TestPieces(t *testing.T) {
	b := tones(44100, level{-20, 0.7}, level{-40, 0.3})
	b = append(b, 0, 0, 0, 0x80) // the right channel's lowest, at the end
	want := measure(44100, b)
	if want.Peak != 1 || want.TruePeak < 1 {
		t.Errorf("%+v", want)
	}
	for _, piece := range []int{1, 3, 4, 1000, 4097} {
		m := New(44100)
		for p := b; len(p) > 0; {
			n := min(piece, len(p))
			_, _ = m.Write(p[:n])
			p = p[n:]
		}
		if got := m.Result(); got.Loudness != want.Loudness && math.Abs(got.Loudness-want.Loudness) > 1e-9 || got.Peak != want.Peak || got.TruePeak != want.TruePeak {
			t.Errorf("pieces of %d bytes: %+v", piece, got)
		}
	}
}

// The loudness of an album is that of all its blocks: a quiet track does not count for
// half.
func TestAlbum(t *testing.T) {
	loud, quiet, silent := measure(44100, tones(44100, level{-20, 5})), measure(44100, tones(44100, level{-45, 5})), measure(44100, make([]byte, 44100*4))
	all := Album(quiet, loud, silent)
	if math.Abs(all.Loudness-loud.Loudness) > 0.01 || all.Peak != loud.Peak || all.TruePeak != loud.TruePeak {
		t.Errorf("%+v", all)
	}
	if gain, ok := all.Gain(); !ok || math.Abs(gain-2) > 0.05 {
		t.Errorf("gain %v", gain)
	}
}

// TestForJudges writes the cases into the folder SPINDLE_LOUDNESS_DIR, named by what is
// measured: testdata/judges/images compares with other programs.
func TestForJudges(t *testing.T) {
	dir := os.Getenv("SPINDLE_LOUDNESS_DIR")
	if dir == "" {
		t.Skip("SPINDLE_LOUDNESS_DIR is not set")
	}
	samples := make(map[string][]byte)
	for _, c := range cases {
		samples["case"+c.name] = tones(44100, c.levels...)
	}
	for _, c := range peakCases {
		samples["case"+c.name] = peakTone(c.amplitude, c.divisor, c.degrees)
	}
	samples["noise"] = noise(20 * 44100)
	var table []byte
	for name, b := range samples {
		r := measure(44100, b)
		table = fmt.Appendf(table, "%s %.2f %.2f\n", name, r.Loudness, 20*math.Log10(r.TruePeak))
		if err := os.WriteFile(filepath.Join(dir, name+".raw"), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "table"), table, 0o666); err != nil {
		t.Fatal(err)
	}
}

// noise is like music in that its level changes and that its channels are not the same.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 0, n*4)
	var low float64
	for i := range n {
		a := 0.02 + 0.2*math.Abs(math.Sin(float64(i)/30000))
		low += 0.1 * (r.NormFloat64() - low)
		for _, v := range []float64{low*3 + 0.2*r.NormFloat64(), low*3 - 0.2*r.NormFloat64()} {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(max(-1, min(1, a*v))*(fullScale-1))))
		}
	}
	return b
}

func BenchmarkMeter(b *testing.B) {
	p := noise(10 * 44100)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		measure(44100, p)
	}
}
