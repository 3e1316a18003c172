package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"spindle/internal/mutants"
)

// An MP3 file has the samples that were encoded, without those that only encoding put around them.
func TestMP3(t *testing.T) {
	f, err := Open(t.Context(), "testdata/tone.mp3")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const encoded = 33075 // by "ffmpeg -c:a libmp3lame -b:a 96k": a sine in each channel
	if f.Kind != "MP3" || f.Size != 4*encoded {
		t.Fatalf("%s of %d bytes of samples, want %d", f.Kind, f.Size, 4*encoded)
	}
	all := make([]byte, f.Size)
	if _, err := f.Source.ReadAt(all, 0); err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int][2]int{ // what ffmpeg decodes; rounding may differ
		0:     {0, 1},
		10:    {25, 32},
		1000:  {-607, -2969},
		5000:  {-5588, 4591},
		12345: {7493, -2756},
		20000: {-2460, -615},
		33074: {0, 0},
	} {
		l, r := int(int16(binary.LittleEndian.Uint16(all[4*i:]))), int(int16(binary.LittleEndian.Uint16(all[4*i+2:])))
		if max(l-want[0], want[0]-l, r-want[1], want[1]-r) > 1 {
			t.Errorf("sample %d is %d, %d, want %d", i, l, r, want)
		}
	}
	// Read in any order, and in odd pieces, the samples are the same.
	b := make([]byte, 2352)
	for at := f.Size - 2352; at >= 0; at -= 2354 {
		if _, err := f.Source.ReadAt(b, at); err != nil || !bytes.Equal(b, all[at:at+2352]) {
			t.Fatalf("at byte %d: other samples, %v", at, err)
		}
	}
	if _, err := f.coded.check(t.Context(), func(int64) {}); err != nil {
		t.Error(err)
	}
}

// A long file is begun in the middle: its samples are those of one that is read from its start.
func TestLongMP3(t *testing.T) {
	b, err := os.ReadFile("testdata/tone.mp3")
	if err != nil {
		t.Fatal(err)
	}
	m := &mp3Reader{r: bytes.NewReader(b)}
	if err := m.find(t.Context(), 61, int64(len(b))); err != nil { // behind the tag
		t.Fatal(err)
	}
	frames := b[m.places[0]:m.end]
	long := bytes.Repeat(frames, 10)
	f, err := Open(t.Context(), write(t, "long.mp3", append(long, "TAG of ID3v1"...)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := make([]byte, f.Size)
	if _, err := f.Source.ReadAt(all, 0); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 2352)
	for at := f.Size - 2352; at >= 0; at -= 99 * 2352 {
		if _, err := f.Source.ReadAt(p, at); err != nil || !bytes.Equal(p, all[at:at+2352]) {
			t.Fatalf("at byte %d of %d: other samples, %v", at, f.Size, err)
		}
	}
}

func TestMP3Refused(t *testing.T) {
	b, err := os.ReadFile("testdata/tone.mp3")
	if err != nil {
		t.Fatal(err)
	}
	const first = 61 // where the tag ends
	sixth := int64(first)
	for range 5 {
		size, err := mp3Size([mp3Header]byte(b[sixth:]))
		if err != nil {
			t.Fatal(err)
		}
		sixth += size
	}
	with := func(at int64, x byte) []byte {
		c := bytes.Clone(b)
		c[at] = x
		return c
	}
	for name, test := range map[string]struct {
		content []byte
		want    error
	}{
		"cut":          {b[:len(b)-100], ErrDamaged},
		"no frame":     {with(sixth+2, 0xFF), ErrDamaged},
		"48000 Hz":     {with(first+2, 0x74), ErrNotCD},
		"mono":         {with(first+3, 0xC0), ErrNotCD},
		"nothing":      {b[:first], ErrNotAudio},
		"not MP3":      {append([]byte("ID3\x03\x00\x00\x00\x00\x00\x00"), "some text, and no sound"...), ErrNotAudio},
		"only padding": {append(bytes.Clone(b[:first]), make([]byte, 5000)...), ErrNotAudio},
	} {
		f, err := Open(t.Context(), write(t, "x.mp3", test.content))
		if err == nil {
			f.Close()
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// Whatever is in a file, decoding it ends, and gives the samples that were stated or an error.
func TestMutantsOfMP3(t *testing.T) {
	b, err := os.ReadFile("testdata/tone.mp3")
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(mutants.Count()) {
		f, err := readMP3(t.Context(), "x.mp3", bytes.NewReader(mutants.Of(b[61:], n)), 0, int64(len(b)-61))
		if err != nil {
			continue
		}
		_, err = f.coded.check(t.Context(), func(int64) {})
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("mutant %d: %v", n, err)
		}
	}
}
