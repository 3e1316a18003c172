package accuraterip

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"testing"

	"spindle/disc/pcm"
	"spindle/internal/corpus"
	"spindle/internal/testdisc"

	"github.com/google/go-cmp/cmp"
)

// tracksOf makes tracks of their first frames and the end.
func tracksOf(frames ...int64) []Track {
	var all []Track
	for i := range len(frames) - 1 {
		all = append(all, Track{(frames[i] - frames[0]) * frame, (frames[i+1] - frames[0]) * frame})
	}
	return all
}

// measure writes a stream in steps of so many samples.
func measure(t testing.TB, tracks []Track, stream []byte, step int) *Meter {
	t.Helper()
	m := NewMeter(tracks)
	for p := stream; len(p) > 0; {
		n := min(step*pcm.SampleSize, len(p))
		if _, err := m.Write(p[:n]); err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
	return m
}

// cueTools is the disc of CUETools' own tests, from the start of track 1, and its tracks.
func cueTools() ([]Track, []byte) {
	return tracksOf(13, 68, 99, 136), testdisc.NetRandom(2314, 136*frame*pcm.SampleSize)[13*frame*pcm.SampleSize:]
}

func TestSums(t *testing.T) {
	tracks, stream := cueTools()
	want := []Sums{
		{V1: 3727147246, V2: 3988391122, CRC32: 321342250, CRC32NonNull: 224527589},
		{V1: 2202235240, V2: 2284845104, CRC32: 37001035, CRC32NonNull: 557159190},
		{V1: 3752629998, V2: 3841231027, CRC32: 516255430, CRC32NonNull: 516255430},
	}
	for _, step := range []int{len(stream), 588 * 20, 1000, 1} {
		m := measure(t, tracks, stream, step)
		if diff := cmp.Diff(want, m.Sums()); diff != "" {
			t.Errorf("steps of %d samples: %s", step, diff)
		}
		for _, x := range []struct {
			track, offset int
			sum           uint32
		}{
			{0, -1, 123722587}, {0, 99, 1975220196}, {1, -3, 1519928474}, {1, 11, 2114385036}, {2, -4, 1521167728}, {2, 55, 301435197},
			{0, 0, 3727147246}, {1, 0, 2202235240}, {2, 0, 3752629998},
		} {
			for o, v1 := range m.tracks[x.track].v1() {
				if o == x.offset && v1 != x.sum {
					t.Errorf("steps of %d samples: track %d at %d: %d, want %d", step, x.track+1, o, v1, x.sum)
				}
			}
		}
	}
}

// Tracks of a disc whose samples are 1, 2, 3, ...: the sums of 32 and 64 bits overflow.
func TestLongTracks(t *testing.T) {
	for _, test := range []struct {
		name   string
		frames []int64 // where tracks start on the disc, and the end
		want   map[int][2]uint32
	}{
		{"the first two", []int64{33, 5225, 7390, 7391}, map[int][2]uint32{0: {0x0AF18BB6, 0x8FBB68BA}, 1: {0x60F64E9A, 0x8D040A9A}}},
		{"the last", []int64{234102, 234103, 253038}, map[int][2]uint32{1: {0x6B74EFB4, 0x9A458AF6}}},
	} {
		tracks := tracksOf(test.frames...)
		m := NewMeter(tracks)
		p := make([]byte, 4*frame*500)
		for at := int64(0); at < m.end; {
			n := min(m.end-at, int64(len(p)/4))
			for i := range n {
				binary.LittleEndian.PutUint32(p[4*i:], uint32(test.frames[0]*frame+at+i+1))
			}
			if _, err := m.Write(p[:4*n]); err != nil {
				t.Fatal(err)
			}
			at += n
		}
		for i, s := range m.Sums() {
			if want, known := test.want[i]; known && (s.V1 != want[0] || s.V2 != want[1]) {
				t.Errorf("%s, track %d: %08X %08X, want %08X", test.name, i+1, s.V1, s.V2, want)
			}
		}
	}
}

// plain computes what a Meter does, by the definition.
func plain(tracks []Track, stream []byte, i int, offset int64) Sums {
	t, s := tracks[i], Sums{}
	n := t.End - t.First
	sample := func(k int64) uint64 {
		return uint64(binary.LittleEndian.Uint32(stream[(t.First+k-1+offset)*4:]))
	}
	for k := int64(1); k <= n; k++ {
		if i == 0 && k < 2940 || i == len(tracks)-1 && k > n-2940 {
			continue
		}
		x := sample(k) * uint64(k)
		s.V1 += uint32(x)
		s.V2 += uint32(x) + uint32(x>>32)
	}
	if n >= 451*frame {
		for j := int64(1); j <= frame; j++ {
			s.Frame450 += uint32(sample(450*frame+j) * uint64(j))
		}
	}
	part := stream[t.First*4 : t.End*4]
	s.CRC32 = crc32.ChecksumIEEE(part)
	var kept []byte
	for w := part; len(w) > 0; w = w[2:] {
		if w[0]|w[1] != 0 {
			kept = append(kept, w[:2]...)
		}
	}
	s.CRC32NonNull = crc32.ChecksumIEEE(kept)
	return s
}

// Short and long tracks, a gap between two, silence: as the definition has it, at all offsets.
func TestByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tracks := []Track{{0, 460 * frame}, {460 * frame, 462 * frame}, {462 * frame, 463 * frame}, {470 * frame, 480 * frame}, {480 * frame, 940 * frame}}
	stream := make([]byte, 940*frame*4)
	for i := range stream {
		if i/9000%4 != 3 {
			stream[i] = byte(r.Uint32())
		}
	}
	m := measure(t, tracks, stream, 10000)
	for i, got := range m.Sums() {
		if want := plain(tracks, stream, i, 0); got != want {
			t.Errorf("track %d: %+v, want %+v", i+1, got, want)
		}
	}
	for i := range m.tracks {
		all, keys := make(map[int]uint32), make(map[int]uint32)
		for o, v := range m.tracks[i].v1() {
			all[o] = v
		}
		for o, v := range m.tracks[i].keyFrames() {
			keys[o] = v
		}
		if len(all) != 2*MaxOffset+1 {
			t.Errorf("track %d: %d offsets", i+1, len(all))
		}
		for _, o := range []int{-MaxOffset, -588, -1, 0, 1, 1000, MaxOffset} {
			if got, want := all[o], plain(tracks, stream, i, int64(o)).V1; i < 4 && got != want || len(keys) > 0 && i < 4 && keys[o] != plain(tracks, stream, i, int64(o)).Frame450 {
				t.Errorf("track %d at %d: %08x, want %08x", i+1, o, got, want)
			}
		}
	}
}

func TestNotTheAudio(t *testing.T) {
	m := NewMeter(tracksOf(0, 20))
	for _, n := range []int{1, 3, 20*frame*4 + 4} {
		if _, err := m.Write(make([]byte, n)); err == nil {
			t.Errorf("%d bytes are taken", n)
		}
	}
	if s := NewMeter(nil).Sums(); len(s) != 0 {
		t.Error(s)
	}
}

// A track of one second in each place of a disc, and a silent one.
func TestSamples(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(corpus.Path(t, "audio", "arver", "samples", name))
		if err != nil {
			t.Fatal(err)
		}
		return b[44:]
	}
	sample, silence := read("sample.wav"), read("silence.wav")
	n := int64(len(sample) / 4)
	stream := append(append(append([]byte{}, sample...), sample...), sample...)
	got := measure(t, []Track{{0, n}, {n, 2 * n}, {2 * n, 3 * n}}, stream, 999).Sums()
	got = append(got, measure(t, []Track{{0, n}}, sample, 999).Sums()...)
	for i, want := range [][2]uint32{{0x9d6c90ec, 0xb775893e}, {0x3c8dd1d2, 0x56bba272}, {0x9360d25a, 0xaa2de02d}, {0xf43f9174, 0x0ae7c6f9}} {
		if s := got[i]; s.V1 != want[0] || s.V2 != want[1] || s.CRC32 != 0x8ce80129 || s.CRC32NonNull != 0x2d5000dc {
			t.Errorf("%d: %+v, want %08x", i, s, want)
		}
	}
	if s := measure(t, []Track{{0, int64(len(silence) / 4)}}, silence, 999).Sums()[0]; s.V1 != 0 || s.V2 != 0 {
		t.Errorf("silence: %+v", s)
	}
}

func BenchmarkMeter(b *testing.B) {
	p := testdisc.NetRandom(1, 256*frame*pcm.SampleSize)
	tracks := tracksOf(0, 1<<40)
	m := NewMeter(tracks)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Write(p); err != nil {
			b.Fatal(err)
		}
	}
}
