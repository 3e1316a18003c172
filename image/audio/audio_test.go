package audio

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image/format"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/meta"
)

// tone is samples that a coder finds something in: two tones and some noise.
func tone(sectors int) []byte {
	r := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, 0, sectors*SectorSize)
	for i := range sectors * 588 {
		for ch := range 2 {
			v := 9000*math.Sin(float64(i)*0.02*float64(1+ch)) + float64(r.IntN(300))
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(v)))
		}
	}
	return b
}

func write(t testing.TB, name string, parts ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, bytes.Join(parts, nil), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// aiff makes an AIFF-C file, or with an empty compression an AIFF file.
func aiff(samples []byte, compression string) []byte {
	be := binary.BigEndian
	comm := be.AppendUint16(nil, 2)
	comm = be.AppendUint32(comm, uint32(len(samples)/4))
	comm = be.AppendUint16(comm, 16)
	comm = append(comm, 0x40, 0x0E, 0xAC, 0x44, 0, 0, 0, 0, 0, 0)
	kind := "AIFF"
	if compression != "" {
		kind, comm = "AIFC", append(comm, compression+"\x00\x00"...)
	}
	b := append([]byte("FORM\x00\x00\x00\x00"), kind...)
	chunk := func(id string, data []byte) {
		b = append(b, id...)
		b = be.AppendUint32(b, uint32(len(data)))
		b = append(b, data...)
	}
	chunk("COMM", comm)
	chunk("SSND", append(make([]byte, 8), samples...))
	return b
}

func swapped(b []byte) []byte {
	out := bytes.Clone(b)
	for i := 0; i+1 < len(out); i += 2 {
		out[i], out[i+1] = out[i+1], out[i]
	}
	return out
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	f, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f.Source, f.Offset, f.Size))
	if err != nil {
		t.Fatal(err)
	}
	if f.Swapped {
		b = swapped(b)
	}
	return b
}

func TestOpen(t *testing.T) {
	want := tone(3)[:3*SectorSize-400]
	for name, path := range map[string]string{
		"WAVE": write(t, "x.wav", WaveHeader(uint32(len(want))), want), "AIFF": write(t, "x", aiff(swapped(want), "")),
		"AIFF-C": write(t, "x", aiff(swapped(want), "NONE")), "sowt": write(t, "x.wav", aiff(want, "sowt")),
	} {
		if got := content(t, path); !bytes.Equal(got, want) {
			t.Errorf("%s: other samples", name)
		}
	}
	f, err := Open(context.Background(), write(t, "x", WaveHeader(uint32(len(want))), want))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := make([]byte, SectorSize)
	if _, err := f.Padded().ReadAt(p, f.Offset+2*SectorSize); err != nil || f.Sectors() != 3 || !bytes.Equal(p[SectorSize-400:], make([]byte, 400)) {
		t.Errorf("padding: %v", err)
	}
	mono := WaveHeader(100)
	mono[22] = 1
	mp3 := WaveHeader(100)
	mp3[20] = 0x55
	for name, test := range map[string]struct {
		b    []byte
		want error
	}{
		"mono": {mono, ErrNotCD}, "compressed": {mp3, ErrNotCD}, "ADPCM": {aiff(want, "ima4"), ErrNotCD}, "empty": {nil, ErrNotAudio},
		"text": {[]byte("hello, this is text"), ErrNotAudio},
	} {
		if _, err := Open(context.Background(), write(t, "x", test.b)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// memory is an image of one audio track.
func memory(t testing.TB, samples []byte, text []disc.TextBlock) disc.Image {
	t.Helper()
	n := len(samples) / SectorSize
	l := &disc.Layout{MCN: "4012345678901", Sessions: []disc.Session{{
		Number: 1, LeadOut: disc.LBA(n), Tracks: []disc.Track{{Number: 1, End: disc.LBA(n), ISRC: "DEA123400001"}},
	}}}
	var err error
	if l.CDText, err = disc.EncodeCDText(text, 1, 1); err != nil {
		t.Fatal(err)
	}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: n, Source: bytes.NewReader(samples)}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func flacFile(t testing.TB, img disc.Image) string {
	t.Helper()
	f, err := format.ForSuffix(".flac")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.flac")
	if _, err := format.Create(context.Background(), f, path, img, format.Options{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// What goes into a FLAC file comes out, at any place, and it says what it is.
func TestFLAC(t *testing.T) {
	want := tone(700)
	text := disc.TextBlock{Language: disc.LanguageEnglish}
	text.SetText(disc.PackTitle, 0, "Album")
	text.SetText(disc.PackTitle, 1, "\u00c9tude")
	text.SetText(disc.PackPerformer, 0, "Band")
	text.SetText(disc.PackPerformer, 1, "Singer")
	path := flacFile(t, memory(t, want, []disc.TextBlock{text}))
	f, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size != int64(len(want)) || f.Kind != "FLAC" {
		t.Fatalf("%d bytes, %s", f.Size, f.Kind)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		at := r.Int64N(f.Size)
		p := make([]byte, min(f.Size-at, 1+r.Int64N(20000)))
		if _, err := f.Source.ReadAt(p, at); err != nil || !bytes.Equal(p, want[at:at+int64(len(p))]) {
			t.Fatalf("%d bytes at %d: %v", len(p), at, err)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Size() > int64(len(want))*8/10 {
		t.Errorf("%d bytes of %d: %v", st.Size(), len(want), err)
	}
	stream, err := flac.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tags := make(map[string]string)
	for _, b := range stream.Blocks {
		if c, ok := b.Body.(*meta.VorbisComment); ok {
			for _, tag := range c.Tags {
				tags[tag[0]] = tag[1]
			}
		}
	}
	for key, value := range map[string]string{"TITLE": "\u00c9tude", "ALBUM": "Album", "ARTIST": "Singer", "TRACKNUMBER": "1", "ISRC": "DEA123400001"} {
		if tags[key] != value {
			t.Errorf("%s is %q, want %q", key, tags[key], value)
		}
	}
}

// Silence, noise and the loudest there is come out as they went in.
func TestFLACExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for name, sample := range map[string]func(i int) int16{
		"silence": func(int) int16 { return 0 }, "a constant": func(int) int16 { return -5 },
		"noise": func(int) int16 { return int16(r.Uint32()) },
		"square": func(i int) int16 {
			if i/2%2 == 0 {
				return 32767
			}
			return -32768
		},
		"a click": func(i int) int16 {
			if i == 20000 {
				return 32767
			}
			return 0
		},
	} {
		want := make([]byte, 0, 21*SectorSize)
		for i := range cap(want) / 2 {
			want = binary.LittleEndian.AppendUint16(want, uint16(sample(i)))
		}
		if got := content(t, flacFile(t, memory(t, want, nil))); !bytes.Equal(got, want) {
			t.Errorf("%s: other samples", name)
		}
	}
}

// A FLAC file that is cut short is an error where it ends.
func TestFLACCut(t *testing.T) {
	whole, err := os.ReadFile(flacFile(t, memory(t, tone(200), nil)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(context.Background(), write(t, "x.flac", whole[:len(whole)/2]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := make([]byte, f.Size)
	if n, err := f.Source.ReadAt(p, 0); err == nil || n == 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func BenchmarkFLAC(b *testing.B) {
	samples := tone(2000)
	b.SetBytes(int64(len(samples)))
	img := memory(b, samples, nil)
	for b.Loop() {
		flacFile(b, img)
	}
}

func FuzzOpen(f *testing.F) {
	samples := tone(2)
	f.Add(append(WaveHeader(uint32(len(samples))), samples...))
	f.Add(aiff(samples, "NONE"))
	whole, err := os.ReadFile(flacFile(f, memory(f, samples, nil)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := Open(context.Background(), write(t, "x", b))
		if err != nil {
			return
		}
		defer x.Close()
		p := make([]byte, 5000)
		for _, at := range []int64{0, x.Size / 2} {
			_, _ = x.Padded().ReadAt(p, x.Offset+at)
		}
	})
}

// An ID3v2 tag before a FLAC file is skipped, and before other files it is not.
func TestTagInFront(t *testing.T) {
	for _, test := range []struct {
		head string
		want int64
	}{
		{"ID3\x04\x00\x00\x00\x00\x01\x00ab", 10 + 128}, {"ID3\x04\x00\x10\x00\x00\x00\x05ab", 10 + 5 + 10},
		{"ID3\x04\x00\x00\x80\x00\x00\x05ab", 0}, {"ID3\xFF\x00\x00\x00\x00\x00\x05ab", 0}, {"fLaC\x00\x00\x00\x22abcd", 0},
	} {
		if got := tagSize([12]byte([]byte(test.head))); got != test.want {
			t.Errorf("%q: %d, want %d", test.head, got, test.want)
		}
	}
}

// A file of tags alone is not read to its end.
func TestManyTags(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.flac")
	if err := os.WriteFile(path, []byte(strings.Repeat("ID3\x04\x00\x00\x00\x00\x00\x00", 9)+"fLaC\x00\x00\x00\x22abcd"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrNotAudio) {
		t.Error(err)
	}
}
