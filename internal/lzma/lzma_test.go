package lzma

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/ulikunitz/xz/lzma"
)

// blocks are of kinds that CHDs hold.
func blocks() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 4096)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	records := make([]byte, 19584)
	for i := range records {
		if records[i] = byte(i / 7); i%28 > 20 {
			records[i] = byte(r.Uint32N(3))
		}
	}
	tone := make([]byte, 4096)
	for i := 0; i < len(tone); i += 4 {
		binary.LittleEndian.PutUint32(tone[i:], uint32(i*i))
	}
	far := append(bytes.Repeat(noise, 1), make([]byte, 300_000)...)
	return map[string][]byte{
		"nothing": nil, "a byte": {7}, "two": {0, 0}, "three": []byte("aba"), "zeros": make([]byte, 70000),
		"noise": noise, "records": records, "tone": tone, "far": append(far, noise...),
		"words": bytes.Repeat([]byte("to be or not to be, that is the question; "), 40),
	}
}

// library decodes as other programs do.
func library(t testing.TB, packed []byte, size int) []byte {
	head := make([]byte, lzma.HeaderLen)
	head[0] = (2*5+0)*9 + 3
	binary.LittleEndian.PutUint32(head[1:], uint32(max(lzma.MinDictCap, size)))
	binary.LittleEndian.PutUint64(head[5:], uint64(size))
	z, err := lzma.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// byLibrary encodes as other programs do.
func byLibrary(t testing.TB, src []byte) []byte {
	var b bytes.Buffer
	z, err := lzma.WriterConfig{SizeInHeader: true, Size: int64(len(src)), DictCap: max(lzma.MinDictCap, len(src))}.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(src); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()[lzma.HeaderLen:]
}

func checkRoundTrip(t testing.TB, e *Encoder, src []byte) int {
	packed, ok := e.Append([]byte("before"), src, 2*len(src)+100)
	if !ok || !bytes.HasPrefix(packed, []byte("before")) {
		t.Fatal("given up")
	}
	packed = packed[len("before"):]
	got := make([]byte, len(src))
	if err := Decode(got, packed); err != nil || !bytes.Equal(got, src) {
		t.Fatalf("decoded otherwise: %v", err)
	}
	if len(src) > 0 && !bytes.Equal(library(t, packed, len(src)), src) { // it wants something
		t.Fatal("the library decodes otherwise")
	}
	return len(packed)
}

func TestRoundTrip(t *testing.T) {
	e := NewEncoder()
	for name, src := range blocks() {
		t.Run(name, func(t *testing.T) {
			ours, theirs := checkRoundTrip(t, e, src), byLibrary(t, src)
			if ours > len(theirs)+len(theirs)/100 {
				t.Errorf("%d bytes, and %d by the library", ours, len(theirs))
			}
			got := make([]byte, len(src))
			if err := Decode(got, theirs); err != nil || !bytes.Equal(got, src) {
				t.Errorf("decoded what the library encoded otherwise: %v", err)
			}
		})
	}
}

// An encoder may be used for ever: its places wrap around.
func TestPlacesWrap(t *testing.T) {
	e := NewEncoder()
	src := blocks()["records"]
	checkRoundTrip(t, e, src)
	e.f.shift = 1<<31 - 1 - int32(len(src)) - 10
	checkRoundTrip(t, e, src)
	checkRoundTrip(t, e, src)
}

func TestGivesUp(t *testing.T) {
	e := NewEncoder()
	src := blocks()["noise"]
	if b, ok := e.Append([]byte("x"), src, len(src)/2); ok || string(b) != "x" {
		t.Error("went on with noise")
	}
}

func TestCorrupt(t *testing.T) {
	e := NewEncoder()
	src := blocks()["words"]
	packed, _ := e.Append(nil, src, len(src))
	got := make([]byte, len(src))
	for n := range packed {
		if err := Decode(got, packed[:n]); err == nil && !bytes.Equal(got, src) {
			t.Fatalf("cut to %d of %d bytes, and no error", n, len(packed))
		}
	}
	if Decode(got, append([]byte{1}, packed[1:]...)) == nil {
		t.Error("a first byte that is not zero, and no error")
	}
}

func FuzzDecode(f *testing.F) {
	e := NewEncoder()
	for _, src := range blocks() {
		if len(src) <= 4096 {
			b, _ := e.Append(nil, src, 2*len(src)+100)
			f.Add(b, len(src))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, size int) {
		_ = Decode(make([]byte, min(max(size, 0), 1<<16)), src)
	})
}

func FuzzRoundTrip(f *testing.F) {
	for _, src := range blocks() {
		if len(src) <= 4096 {
			f.Add(src)
		}
	}
	e := NewEncoder()
	f.Fuzz(func(t *testing.T, src []byte) { checkRoundTrip(t, e, src) })
}

// code is something like a disc of programs: the test's own.
func code(b *testing.B) []byte {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	all, err := os.ReadFile(self)
	if err != nil {
		b.Fatal(err)
	}
	return all[:min(len(all), 4<<20)]
}

const hunk = 8 * 2448

func BenchmarkEncode(b *testing.B) {
	src := code(b)
	e := NewEncoder()
	b.SetBytes(hunk)
	var out []byte
	packed, n := 0, 0
	for i := 0; b.Loop(); i++ {
		at := i * hunk % (len(src) - hunk)
		out, _ = e.Append(out[:0], src[at:at+hunk], hunk)
		packed += len(out)
		n++
	}
	b.ReportMetric(100*float64(packed)/float64(n*hunk), "%")
}

func BenchmarkDecode(b *testing.B) {
	packed, _ := NewEncoder().Append(nil, code(b)[:hunk], hunk)
	out := make([]byte, hunk)
	b.SetBytes(hunk)
	for b.Loop() {
		if err := Decode(out, packed); err != nil {
			b.Fatal(err)
		}
	}
}
