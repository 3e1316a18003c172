package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
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
	f, err := Open(t.Context(), write(t, "long.mp3", append(long, id3v1()...)))
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

// id3v1 is such a tag.
func id3v1() []byte { return append([]byte("TAGof ID3v1"), make([]byte, 117)...) }

// ape is a tag of APE version 2, with a header or without.
func ape(header bool) []byte {
	item := append([]byte{4, 0, 0, 0, 0, 0, 0, 0}, "Title\x00Tone"...)
	block := func(flags uint32) []byte {
		le := binary.LittleEndian
		b := le.AppendUint32([]byte("APETAGEX"), 2000)
		b = le.AppendUint32(b, uint32(len(item)+32))
		b = le.AppendUint32(le.AppendUint32(b, 1), flags)
		return append(b, make([]byte, 8)...)
	}
	if header {
		return slices.Concat(block(0xA0000000), item, block(0x80000000))
	}
	return slices.Concat(item, block(0))
}

// Only tags and zeros may follow the last frame: what else does is damage, or the rest of what is damaged.
func TestBehindMP3(t *testing.T) {
	b, err := os.ReadFile("testdata/tone.mp3")
	if err != nil {
		t.Fatal(err)
	}
	const first = 61 // where the tag ends
	places := []int64{first}
	for at := int64(first); at < int64(len(b)); {
		size, err := mp3Size([mp3Header]byte(b[at:]))
		if err != nil || size == 0 {
			t.Fatal(size, err)
		}
		at += size
		places = append(places, at)
	}
	hole := func(from, to int64) []byte {
		c := bytes.Clone(b)
		clear(c[from:to])
		return c
	}
	last := places[len(places)-2]
	lyrics := []byte("LYRICSBEGININD0000200")
	v2 := append([]byte("ID3\x04\x00\x10\x00\x00\x00\x05"), "tag\x00\x003DI\x04\x00\x10\x00\x00\x00\x05"...)
	bare := append(bytes.Clone(b[:first]), b[places[1]:]...) // without the frame that states how many there are
	for name, test := range map[string]struct {
		content []byte
		whole   bool
	}{
		"ID3v1":            {slices.Concat(b, id3v1()), true},
		"enhanced ID3v1":   {slices.Concat(b, []byte("TAG+"), make([]byte, 223), id3v1()), true},
		"ID3v2":            {slices.Concat(b, v2), true},
		"APE":              {slices.Concat(b, ape(true)), true},
		"APE, no header":   {slices.Concat(b, ape(false), id3v1()), true},
		"zeros, APE":       {slices.Concat(b, make([]byte, 99), ape(false)), true},
		"Lyrics3":          {slices.Concat(b, []byte("LYRICSBEGINla la laLYRICSEND"), id3v1()), true},
		"Lyrics3 v2":       {slices.Concat(b, lyrics, []byte("000021LYRICS200"), id3v1()), true},
		"zeros":            {slices.Concat(b, make([]byte, 3<<20)), true},
		"all":              {slices.Concat(b, ape(true), lyrics, []byte("000021LYRICS200"), id3v1(), make([]byte, 5)), true},
		"nothing stated":   {bare, true},
		"joined":           {slices.Concat(bare, bare[first:]), true},
		"tag in between":   {slices.Concat(bare, id3v1(), bare), false},
		"ID3v2 in between": {slices.Concat(bare, bare), false},
		"hole":             {hole(places[10], places[20]), false},
		"hole, odd":        {hole(places[10]+7, places[20]+9), false},
		"zeros at the end": {hole(places[10], int64(len(b))), false},
		"one frame less":   {b[:last], false},
		"half of ID3v1":    {slices.Concat(b, id3v1()[:60]), false},
		"behind ID3v1":     {slices.Concat(b, id3v1(), []byte("x")), false},
		"APE of any size":  {slices.Concat(b, ape(false)[1:]), false},
	} {
		f, err := Open(t.Context(), write(t, "x.mp3", test.content))
		if err == nil {
			f.Close()
		}
		if test.whole && err != nil || !test.whole && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is in a file, decoding it ends, and gives the samples that were stated or an error. What opens has the
// frames that its header states.
func TestMutantsOfMP3(t *testing.T) {
	b, err := os.ReadFile("testdata/tone.mp3")
	if err != nil {
		t.Fatal(err)
	}
	const stated = 30
	for n := range uint64(mutants.Count()) {
		mutant := mutants.Of(b[61:], n)
		f, err := readMP3(t.Context(), "x.mp3", bytes.NewReader(mutant), 0, int64(len(mutant)))
		if err != nil {
			continue
		}
		m, _ := f.coded.(*mp3Reader)
		if head := 313; bytes.HasPrefix(mutant, b[61:61+head]) && m.frames != stated {
			t.Errorf("mutant %d has %d frames, and %d are stated", n, m.frames, stated)
		}
		_, err = f.coded.check(t.Context(), func(int64) {})
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("mutant %d: %v", n, err)
		}
	}
}
