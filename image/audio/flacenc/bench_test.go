package flacenc

import (
	"os"
	"testing"

	"spindle/internal/testdisc"
)

// nowhere counts what is written.
type nowhere struct{ n int64 }

func (f *nowhere) Write(p []byte) (int, error)            { f.n += int64(len(p)); return len(p), nil }
func (f *nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

// BenchmarkEncoder encodes twenty seconds of something like music, or the samples in the
// file SPINDLE_SAMPLES, and states the ratio of sizes.
func BenchmarkEncoder(b *testing.B) {
	samples, err := os.ReadFile(os.Getenv("SPINDLE_SAMPLES"))
	if err != nil {
		samples = testdisc.Music(20 * 44100)
	}
	b.SetBytes(int64(len(samples)))
	b.ReportAllocs()
	for b.Loop() {
		var f nowhere
		e, err := NewEncoder(b.Context(), &f, Options{})
		if err != nil {
			b.Fatal(err)
		}
		const piece = 256 * 2352
		for p := samples; len(p) > 0; p = p[min(len(p), piece):] {
			if _, err := e.Write(p[:min(len(p), piece)]); err != nil {
				b.Fatal(err)
			}
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(f.n)/float64(len(samples)), "ratio")
	}
}
