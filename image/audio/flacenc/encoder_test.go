package flacenc

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"
)

// memory is a file.
type memory struct{ b []byte }

func (m *memory) Write(p []byte) (int, error) { m.b = append(m.b, p...); return len(p), nil }
func (m *memory) WriteAt(p []byte, at int64) (int, error) {
	return copy(m.b[at:], p), nil
}
func (m *memory) ReadAt(p []byte, at int64) (int, error) { return bytes.NewReader(m.b).ReadAt(p, at) }

// encoded makes a file of samples that come in pieces of some size.
func encoded(t testing.TB, samples []byte, piece int, o Options) []byte {
	t.Helper()
	var m memory
	e, err := NewEncoder(t.Context(), &m, o)
	if err != nil {
		t.Fatal(err)
	}
	for len(samples) > 0 {
		n := min(piece, len(samples))
		if got, err := e.Write(samples[:n]); err != nil || got != n {
			t.Fatal(got, err)
		}
		samples = samples[n:]
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return m.b
}

// decoded is what the library reads; it checks both sums of each frame.
func decoded(t testing.TB, file []byte) ([]byte, *flac.Stream) {
	t.Helper()
	s, err := flac.Parse(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for {
		f, err := s.ParseNext()
		if errors.Is(err, io.EOF) {
			return out, s
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, left := range f.Subframes[0].Samples {
			out = binary.LittleEndian.AppendUint16(out, uint16(left))
			out = binary.LittleEndian.AppendUint16(out, uint16(f.Subframes[1].Samples[i]))
		}
	}
}

// signals are what an encoder may stumble over. Each makes the samples of a moment.
var signals = []struct {
	name string
	at   func(r *rand.Rand, i int) (left, right int)
}{
	{"silence", func(*rand.Rand, int) (int, int) { return 0, 0 }},
	{"a constant", func(*rand.Rand, int) (int, int) { return -5, 32767 }},
	{"the lowest", func(*rand.Rand, int) (int, int) { return -32768, -32768 }},
	{"lowest against highest", func(*rand.Rand, int) (int, int) { return -32768, 32767 }},
	{"square wave", func(_ *rand.Rand, i int) (int, int) { return square(i / 50), square(i / 2) }},
	{"every other sample", func(_ *rand.Rand, i int) (int, int) { return square(i), -square(i) - 1 }},
	{"white noise", func(r *rand.Rand, _ int) (int, int) { return int(int16(r.Uint32())), int(int16(r.Uint32())) }},
	{"extremes at random", func(r *rand.Rand, _ int) (int, int) { return square(r.IntN(2)), square(r.IntN(2)) }},
	{"both channels the same", func(r *rand.Rand, i int) (int, int) { v := wave(r, i); return v, v }},
	{"opposite channels", func(r *rand.Rand, i int) (int, int) { v := wave(r, i); return v, -v }},
	{"one channel silent", func(r *rand.Rand, i int) (int, int) { return wave(r, i), 0 }},
	{"wasted bits", func(r *rand.Rand, i int) (int, int) { return wave(r, i) &^ 7, wave(r, i) &^ 1 }},
	{"only the highest bit", func(r *rand.Rand, _ int) (int, int) { return -32768 * r.IntN(2), -32768 * r.IntN(2) }},
	{"a click", func(_ *rand.Rand, i int) (int, int) {
		if i == 3 {
			return 32767, -32768
		}
		return 0, 0
	}},
	{"pure tone", func(_ *rand.Rand, i int) (int, int) {
		return int(32767 * math.Sin(float64(i)*0.01)), int(32767 * math.Cos(float64(i)*0.01))
	}},
	{"a ramp", func(_ *rand.Rand, i int) (int, int) { return int(int16(i * 3)), int(int16(i * i / 100)) }},
	{"music", func(r *rand.Rand, i int) (int, int) {
		v := wave(r, i)
		return v + r.IntN(300), v*3/4 + r.IntN(300)
	}},
	{"loud and silent by turns", func(r *rand.Rand, i int) (int, int) {
		if i/3000%2 == 0 {
			return r.IntN(3), 1
		}
		return int(int16(r.Uint32())), wave(r, i)
	}},
}

func square(i int) int {
	if i%2 == 0 {
		return 32767
	}
	return -32768
}

func wave(r *rand.Rand, i int) int {
	x := float64(i)
	return int(9000*math.Sin(x*0.05)+5000*math.Sin(x*0.11+1)+3000*math.Sin(x*0.31)) + r.IntN(50)
}

// lengths are numbers of samples at which something begins or ends.
var lengths = []int{
	0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 15, 16, 17, 31, 64, 100, 255, 256, 257, 588, 1024, blockSize - 1, blockSize, blockSize + 1, 2*blockSize + 8,
	batchBlocks * blockSize, batchBlocks*blockSize + 1, 2*batchBlocks*blockSize - 3,
}

func signal(at func(*rand.Rand, int) (int, int), n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 0, n*4)
	for i := range n {
		left, right := at(r, i)
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(left)))
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(right)))
	}
	return b
}

// What goes in comes out, whatever it is and however long, and the head says so.
func TestRoundTrip(t *testing.T) {
	for _, s := range signals {
		for _, n := range lengths {
			want := signal(s.at, n)
			file := encoded(t, want, 10007, Options{Samples: int64(n)})
			got, stream := decoded(t, file)
			if !bytes.Equal(got, want) {
				t.Errorf("%s, %d samples: others come out", s.name, n)
			}
			if stream.Info.MD5sum != md5.Sum(want) || stream.Info.NSamples != uint64(n) {
				t.Errorf("%s, %d samples: the head says %d, %x", s.name, n, stream.Info.NSamples, stream.Info.MD5sum)
			}
			if most := n*4 + 20*(n/blockSize+1) + 300; len(file) > most {
				t.Errorf("%s, %d samples: %d bytes, more than %d", s.name, n, len(file), most)
			}
		}
	}
}

// Samples at random, of a random number of bits, in pieces of any size.
func TestRandom(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 3))
		n := r.IntN(3 * blockSize)
		want := make([]byte, 0, 4*n)
		shift, wasted := r.IntN(16), r.IntN(8)
		v := 0
		for range 2 * n {
			v += int(int16(r.Uint32())) >> shift
			if r.IntN(500) == 0 {
				v, shift = 0, r.IntN(16)
			}
			want = binary.LittleEndian.AppendUint16(want, uint16(max(-32768, min(32767, v))>>wasted<<wasted))
		}
		if got, _ := decoded(t, encoded(t, want, 1+r.IntN(5000), Options{})); !bytes.Equal(got, want) {
			t.Errorf("seed %d: other samples", seed)
		}
	}
}

// The sizes of the frames are those that are there, and the seek table leads to them.
func TestHead(t *testing.T) {
	n := 2*seekEvery + 5000
	file := encoded(t, signal(signals[0].at, n), 1<<20, Options{Samples: int64(n)})
	s, err := flac.Parse(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	frames := bytes.NewReader(file[audioAt(file):])
	var starts []int64
	smallest, largest := math.MaxInt, 0
	for frames.Len() > 0 {
		before := frames.Len()
		starts = append(starts, frames.Size()-int64(before))
		if _, err := frame.Parse(frames); err != nil {
			t.Fatal(err)
		}
		smallest, largest = min(smallest, before-frames.Len()), max(largest, before-frames.Len())
	}
	if int(s.Info.FrameSizeMin) != smallest || int(s.Info.FrameSizeMax) != largest {
		t.Errorf("frames of %d to %d bytes, the head says %d to %d", smallest, largest, s.Info.FrameSizeMin, s.Info.FrameSizeMax)
	}
	table, ok := s.Blocks[0].Body.(*meta.SeekTable)
	if !ok || len(table.Points) != 3 {
		t.Fatalf("%+v", s.Blocks[0])
	}
	for i, p := range table.Points {
		due := uint64(i * seekEvery)
		if starts[p.SampleNum/blockSize] != int64(p.Offset) || p.SampleNum > due || p.SampleNum+uint64(p.NSamples) <= due {
			t.Errorf("point %d: sample %d at byte %d", i, p.SampleNum, p.Offset)
		}
	}
}

func audioAt(file []byte) int {
	at := 4
	for last := false; !last; {
		last = file[at]&lastBlock != 0
		at += headSize + int(binary.BigEndian.Uint32(file[at:])&maxLength)
	}
	return at
}

// Fewer samples than announced leave points of the seek table unused.
func TestFewerSamples(t *testing.T) {
	file := encoded(t, signal(signals[0].at, 100), 400, Options{Samples: 2 * seekEvery})
	_, s := decoded(t, file)
	if p := s.Blocks[0].Body.(*meta.SeekTable).Points; len(p) != 2 || p[0].NSamples != 100 || p[1].SampleNum != 1<<64-1 {
		t.Errorf("%+v", p)
	}
}

var album = CueSheet{
	Catalog: "4012345678901", LeadIn: minLeadIn, LeadOut: 588 * 1000,
	Tracks: []CueTrack{
		{Number: 1, ISRC: "DEA123400001", PreEmphasis: true, Indexes: []CueIndex{{1, 0}}},
		{Number: 2, Offset: 588 * 300, Indexes: []CueIndex{{0, 0}, {1, 588 * 75}}},
		{Number: 3, Offset: 588 * 800, Data: true, Indexes: []CueIndex{{1, 0}}},
	},
}

// Comments and a cue sheet are read back.
func TestMetadata(t *testing.T) {
	comments := [][2]string{{"TITLE", "\u00c9tude"}, {"ARTIST", "a"}, {"ARTIST", "b=c"}, {"EMPTY", ""}}
	file := encoded(t, nil, 1, Options{Comments: comments, CueSheet: &album, Padding: 100})
	_, s := decoded(t, file)
	var types []meta.Type
	for _, b := range s.Blocks {
		types = append(types, b.Type)
	}
	if diff := cmp.Diff([]meta.Type{meta.TypeCueSheet, meta.TypeVorbisComment, meta.TypePadding}, types); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff(&meta.VorbisComment{Vendor: vendor, Tags: comments}, s.Blocks[1].Body); diff != "" {
		t.Error(diff)
	}
	want := &meta.CueSheet{
		MCN: album.Catalog, NLeadInSamples: minLeadIn, IsCompactDisc: true,
		Tracks: []meta.CueSheetTrack{
			{Num: 1, ISRC: "DEA123400001", IsAudio: true, HasPreEmphasis: true, Indicies: []meta.CueSheetTrackIndex{{Num: 1}}},
			{Num: 2, Offset: 588 * 300, IsAudio: true, Indicies: []meta.CueSheetTrackIndex{{Num: 0}, {Num: 1, Offset: 588 * 75}}},
			{Num: 3, Offset: 588 * 800, Indicies: []meta.CueSheetTrackIndex{{Num: 1}}},
			{Num: 170, Offset: 588 * 1000, IsAudio: true},
		},
	}
	if diff := cmp.Diff(want, s.Blocks[0].Body); diff != "" {
		t.Error(diff)
	}
}

// What no file can say is refused before one is begun.
func TestRefused(t *testing.T) {
	sheet := func(change func(*CueSheet)) Options {
		c := album
		c.Tracks = append([]CueTrack(nil), album.Tracks...)
		change(&c)
		return Options{CueSheet: &c}
	}
	for name, test := range map[string]struct {
		o    Options
		want error
	}{
		"catalog":      {sheet(func(c *CueSheet) { c.Catalog = strings.Repeat("1", 129) }), ErrCueSheet},
		"lead-in":      {sheet(func(c *CueSheet) { c.LeadIn = 588 }), ErrCueSheet},
		"no track":     {sheet(func(c *CueSheet) { c.Tracks = nil }), ErrCueSheet},
		"lead-out":     {sheet(func(c *CueSheet) { c.LeadOut++ }), ErrCueSheet},
		"its place":    {sheet(func(c *CueSheet) { c.LeadOut = 588 }), ErrCueSheet},
		"track number": {sheet(func(c *CueSheet) { c.Tracks[1].Number = 1 }), ErrCueSheet},
		"track":        {sheet(func(c *CueSheet) { c.Tracks[1].Offset = 5 }), ErrCueSheet},
		"order":        {sheet(func(c *CueSheet) { c.Tracks[2].Offset = 0 }), ErrCueSheet},
		"ISRC":         {sheet(func(c *CueSheet) { c.Tracks[0].ISRC = "short" }), ErrCueSheet},
		"no index":     {sheet(func(c *CueSheet) { c.Tracks[0].Indexes = nil }), ErrCueSheet},
		"index":        {sheet(func(c *CueSheet) { c.Tracks[0].Indexes = []CueIndex{{2, 0}} }), ErrCueSheet},
		"index behind": {sheet(func(c *CueSheet) { c.Tracks[0].Indexes = []CueIndex{{1, 0}, {2, 588 * 2000}} }), ErrCueSheet},
		"padding":      {Options{Padding: 1 << 24}, ErrTooLong},
		"comment":      {Options{Comments: [][2]string{{"A", strings.Repeat("x", 1<<24)}}}, ErrTooLong},
		"comments":     {Options{Comments: [][2]string{{"A", strings.Repeat("x", 1<<23)}, {"A", strings.Repeat("x", 1<<23)}}}, ErrTooLong},
		"name":         {Options{Comments: [][2]string{{"A=B", "x"}}}, ErrComment},
		"empty name":   {Options{Comments: [][2]string{{"", "x"}}}, ErrComment},
		"no UTF-8":     {Options{Comments: [][2]string{{"A", "\xff"}}}, ErrComment},
	} {
		var m memory
		if _, err := NewEncoder(t.Context(), &m, test.o); !errors.Is(err, test.want) || len(m.b) != 0 {
			t.Errorf("%s: %v, %d bytes", name, err, len(m.b))
		}
	}
}

// Comments are replaced in the room that there is, and nothing else changes.
func TestRetag(t *testing.T) {
	samples := signal(signals[len(signals)-2].at, 5000)
	m := memory{encoded(t, samples, 20000, Options{Samples: 5000, Comments: [][2]string{{"A", "b"}}, Padding: 30})}
	before := bytes.Clone(m.b)
	for _, comments := range [][][2]string{
		{{"A", "c"}}, {{"ALBUM", "12345678901234567"}, {"B", "3456"}}, nil, {{"A", "b"}},
	} {
		if err := Retag(&m, comments); err != nil {
			t.Fatal(comments, err)
		}
		got, s := decoded(t, m.b)
		if have := s.Blocks[1].Body.(*meta.VorbisComment); !cmp.Equal(have.Tags, comments) || have.Vendor != vendor || !bytes.Equal(got, samples) {
			t.Errorf("%v: %v", comments, have)
		}
	}
	if !bytes.Equal(m.b, before) {
		t.Error("the first comments do not lead back to the first file")
	}
	if err := Retag(&m, [][2]string{{"A", strings.Repeat("x", 32)}}); !errors.Is(err, ErrNoRoom) || !bytes.Equal(m.b, before) {
		t.Errorf("no room: %v", err)
	}
	for n := range audioAt(before) - 30 { // cut within all but the padding
		cut := memory{bytes.Clone(before[:n])}
		if err := Retag(&cut, nil); err == nil {
			t.Errorf("%d bytes: no error", n)
		}
	}
}

// full is a disk with so much room.
type full struct {
	memory
	room int
}

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, errFull
	}
	f.room -= len(p)
	return f.memory.Write(p)
}

// Errors of the file and of the context come back, from Write before long and from Close,
// and no goroutine stays.
func TestStopped(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	samples := signal(signals[6].at, 40*batchBlocks*blockSize)
	f := &full{room: 1 << 20}
	e, err := NewEncoder(t.Context(), f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := e.Write(samples); !errors.Is(err, errFull) || n == len(samples) {
		t.Errorf("full: %d, %v", n, err)
	}
	if err := e.Close(); !errors.Is(err, errFull) || !errors.Is(e.Close(), errFull) {
		t.Errorf("full: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if e, err = NewEncoder(ctx, &memory{}, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(samples[:1000]); err != nil {
		t.Fatal(err)
	}
	cancel()
	if n, err := e.Write(samples); !errors.Is(err, context.Canceled) || n > batchBlocks*blockSize*4 {
		t.Errorf("cancelled: %d, %v", n, err)
	}
	if err := e.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if e, err = NewEncoder(t.Context(), &memory{}, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(samples[:1002]); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); !errors.Is(err, ErrHalfSample) {
		t.Errorf("half a sample: %v", err)
	}
	for i := 0; runtime.NumGoroutine() > goroutines; i++ {
		if i > 1e6 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
		runtime.Gosched()
	}
}

// Frames are made without allocating.
func TestAllocations(t *testing.T) {
	c := new(coder)
	c.w.buf = make([]byte, maxFrame)
	block := signal(signals[len(signals)-2].at, blockSize)
	c.frame(block, 0)
	if n := testing.AllocsPerRun(20, func() { c.w.reset(); c.frame(block, 5) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
