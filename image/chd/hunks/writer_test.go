package hunks_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spindle/image/chd/hunks"
	"spindle/internal/packed"
	"spindle/internal/testdisc/testchd"
)

// memory is a file.
type memory struct {
	b     []byte
	limit int // of its size, or 0
}

var errFull = errors.New("full")

func (m *memory) Write(p []byte) (int, error) {
	if m.limit > 0 && len(m.b)+len(p) > m.limit {
		return 0, errFull
	}
	m.b = append(m.b, p...)
	return len(p), nil
}

func (m *memory) WriteAt(p []byte, at int64) (int, error) { return copy(m.b[at:], p), nil }

// written makes a CHD, from pieces of an odd size.
func written(t testing.TB, content []byte, o hunks.WriterOptions) []byte {
	t.Helper()
	var m memory
	o.Size = int64(len(content))
	w, err := hunks.NewWriter(t.Context(), &m, o)
	if err != nil {
		t.Fatal(err)
	}
	for p := range slices.Chunk(content, 3001) {
		if n, err := w.Write(p); err != nil || n != len(p) {
			t.Fatal(n, err)
		}
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return m.b
}

func TestWriter(t *testing.T) {
	for _, codecs := range []string{"", "zlib", "lzma", "zstd", "huff", "flac", "cdzl", "cdlz", "cdzs", "cdfl", "lzma zlib huff flac", "cdlz cdzl cdfl"} {
		for _, frames := range []int{1, 32} {
			if frames > 1 && codecs != "cdzl" && codecs != "cdfl" {
				continue
			}
			hunk := frames * 2448
			o := hunks.WriterOptions{Codecs: strings.Fields(codecs), HunkBytes: hunk, UnitBytes: 2448, Metadata: []hunks.Metadata{
				{Tag: "CHT2", Data: []byte("TRACK:1\x00")}, {Tag: "ABCD", Data: nil},
			}}
			want := content(hunk, 8)[:8*hunk-1000]
			f := open(t, written(t, want, o))
			same(t, f, want)
			if m := f.Metadata(); len(m) != 2 || m[0].Tag != "CHT2" || string(m[0].Data) != "TRACK:1\x00" || m[1].Tag != "ABCD" {
				t.Errorf("%s: metadata %v", codecs, m)
			}
		}
	}
}

// Two hunks with one SHA-1, as the two files of https://shattered.io begin, are not taken for the same.
func TestWriterCollision(t *testing.T) {
	const prefix = "255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696768742033203020522f" +
		"547970652034203020522f537562747970652035203020522f46696c7465722036203020522f436f6c6f7253706163652037203020522f4c656e6774" +
		"682038203020522f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d312069732064656164212121212185" +
		"2fec092339759c39b1a1c63c4c97e1fffe01"
	var want []byte
	sums := make(map[[20]byte]bool)
	for _, rest := range []string{
		"7f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791fe02b3df614f86db1690901c56b45c1530afedfb76038e972722fe7ad728f0e49" +
			"04e046c230570fe9d41398abe12ef5bc942be33542a4802d98b5d70f2a332ec37fac3514e74ddc0f2cc1a874cd0c78305a21566461309789606bd0bf" +
			"3f98cda8044629a1",
		"7346dc9166b67e118f029ab621b2560ff9ca67cca8c7f85ba84c79030c2b3de218f86db3a90901d5df45c14f26fedfb3dc38e96ac22fe7bd728f0e45" +
			"bce046d23c570feb141398bb552ef5a0a82be331fea48037b8b5d71f0e332edf93ac3500eb4ddc0decc1a864790c782c76215660dd309791d06bd0af" +
			"3f98cda4bc4629b1",
	} {
		b, err := hex.DecodeString(prefix + rest)
		if err != nil {
			t.Fatal(err)
		}
		hunk := append(b, make([]byte, 4096-len(b))...)
		sums[sha1.Sum(hunk)] = true
		want = append(want, hunk...)
	}
	if len(sums) != 1 {
		t.Fatal("their SHA-1s differ")
	}
	same(t, open(t, written(t, want, hunks.WriterOptions{Codecs: []string{"zlib"}, HunkBytes: 4096, UnitBytes: 2048})), want)
}

// The checksums of what is written are right, and those of anything else wrong.
func TestCheck(t *testing.T) {
	want := content(4096, 20)
	o := hunks.WriterOptions{Codecs: []string{"zlib"}, HunkBytes: 4096, UnitBytes: 512, Metadata: []hunks.Metadata{{Tag: "ABCD", Data: []byte("x")}}}
	good := written(t, want, o)
	old := func(version int) []byte {
		return testchd.Make(want, testchd.Options{Version: version, Codecs: []string{"zlib"}, HunkBytes: 4096, UnitBytes: 512})
	}
	for name, test := range map[string]struct {
		b           []byte
		sums, wrong string
	}{
		"good":        {good, "SHA-1, SHA-1 with metadata", ""},
		"header":      {changed(good, 70), "SHA-1, SHA-1 with metadata", "the SHA-1 is not"},
		"whole":       {changed(good, 90), "SHA-1, SHA-1 with metadata", "the SHA-1 with metadata is not"},
		"metadata":    {changed(good, 124+16), "SHA-1, SHA-1 with metadata", "the SHA-1 with metadata is not"},
		"version 4":   {old(4), "SHA-1, SHA-1 with metadata", ""},
		"version 3":   {old(3), "SHA-1, MD5", ""},
		"version 1":   {old(1), "MD5", ""},
		"MD5":         {changed(old(1), 50), "MD5", "the MD5 is not"},
		"states none": {testchd.Make(want, testchd.Options{HunkBytes: 4096, UnitBytes: 512}), "", ""},
	} {
		f := open(t, test.b)
		err := f.Check(t.Context(), nil)
		if sums := strings.Join(f.Sums(), ", "); sums != test.sums || (err == nil) != (test.wrong == "") {
			t.Errorf("%s: %s: %v", name, sums, err)
		}
		if err != nil && (!errors.Is(err, packed.ErrDamaged) || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, good).Check(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func changed(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 1
	return b
}

// What the writer makes and what testchd makes are the same but for the bits of the map and
// how well each compresses: header, metadata and checksums.
func TestWriterHeader(t *testing.T) {
	want := content(4096, 9)[:9*4096-512]
	got := written(t, want, hunks.WriterOptions{Codecs: []string{"zlib"}, HunkBytes: 4096, UnitBytes: 512,
		Metadata: []hunks.Metadata{{Tag: "ZZZZ", Data: []byte("z")}, {Tag: "AAAA", Data: []byte("a")}}})
	other := testchd.Make(want, testchd.Options{Codecs: []string{"zlib"}, HunkBytes: 4096, UnitBytes: 512,
		Meta: []testchd.Meta{{Tag: "ZZZZ", Data: []byte("z")}, {Tag: "AAAA", Data: []byte("a")}}})
	const head = 124 + 2*17
	mapAt := func(b []byte) uint64 { return binary.BigEndian.Uint64(b[40:]) }
	if mapAt(got) == mapAt(other) {
		t.Skip("the same deflate")
	}
	copy(got[40:48], other[40:48])
	if !bytes.Equal(got[:head], other[:head]) {
		t.Errorf("% x\n% x", got[:head], other[:head])
	}
}

// The map says all that it can: repeated types of every length, references to the hunks
// before of every kind.
func TestWriterMap(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(7, seed))
		var want []byte
		hunk := func(v uint32, noise bool) {
			b := make([]byte, 32)
			binary.BigEndian.PutUint32(b, v)
			if noise {
				for i := range b {
					b[i] = byte(r.Uint32())
				}
			}
			want = append(want, b...)
		}
		for range 20 {
			kind, n := r.IntN(4), r.IntN(1+r.IntN(400))
			from := r.IntN(1 + len(want)/32)
			for i := range n {
				switch at := (from + i) * 32; {
				case kind == 2 && at+32 <= len(want): // a hunk again, and the one behind it
					want = append(want, want[at:at+32]...)
				case kind == 3:
					hunk(7, false)
				default:
					hunk(r.Uint32(), kind == 1)
				}
			}
		}
		if len(want) == 0 {
			continue
		}
		f := open(t, written(t, want, hunks.WriterOptions{Codecs: []string{"zlib"}, HunkBytes: 32, UnitBytes: 32}))
		same(t, f, want)
	}
}

func TestWriterRefuses(t *testing.T) {
	o := hunks.WriterOptions{Codecs: []string{"zlib"}, HunkBytes: 64, UnitBytes: 32, Size: 1000}
	for name, change := range map[string]func(*hunks.WriterOptions){
		"an unknown codec":       func(o *hunks.WriterOptions) { o.Codecs = []string{"avhu"} },
		"half a name":            func(o *hunks.WriterOptions) { o.Codecs = []string{"zl"} },
		"five":                   func(o *hunks.WriterOptions) { o.Codecs = strings.Fields("zlib lzma huff flac zstd") },
		"one of CDs":             func(o *hunks.WriterOptions) { o.Codecs = []string{"cdzl"} },
		"no size":                func(o *hunks.WriterOptions) { o.Size = 0 },
		"more than any disc has": func(o *hunks.WriterOptions) { o.Size = 1 << 40 },
		"units that do not fit":  func(o *hunks.WriterOptions) { o.UnitBytes = 48 },
		"no hunk":                func(o *hunks.WriterOptions) { o.HunkBytes = 0 },
	} {
		bad := o
		change(&bad)
		if w, err := hunks.NewWriter(t.Context(), &memory{}, bad); err == nil {
			w.Close()
			t.Errorf("%s: taken", name)
		}
	}
	w, err := hunks.NewWriter(t.Context(), &memory{}, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 999)); err != nil {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, hunks.ErrSize) {
		t.Errorf("too little: %v", err)
	}
	if w, err = hunks.NewWriter(t.Context(), &memory{}, o); err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(make([]byte, 2000))
	if !errors.Is(err, hunks.ErrSize) || !errors.Is(w.Close(), hunks.ErrSize) {
		t.Errorf("too much: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if w, err = hunks.NewWriter(ctx, &memory{}, o); err != nil {
		t.Fatal(err)
	}
	cancel()
	_, err = w.Write(make([]byte, 1000))
	if !errors.Is(err, context.Canceled) || !errors.Is(w.Close(), context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	o.Size, o.Codecs = 64<<10, nil
	if w, err = hunks.NewWriter(t.Context(), &memory{limit: 9000}, o); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, err = w.Write(bytes.Repeat([]byte{1}, 64)); err != nil {
			break
		}
	}
	if got := w.Close(); !errors.Is(got, errFull) {
		t.Errorf("a full disk: %v, then %v", err, got)
	}
}

// Whatever is written is read as it was.
func FuzzWriter(f *testing.F) {
	f.Add([]byte("abc"), uint8(0))
	f.Add(bytes.Repeat([]byte{0, 1, 2, 3}, 300), uint8(200))
	f.Add(content(128, 9), uint8(7))
	f.Fuzz(func(t *testing.T, b []byte, which uint8) {
		if len(b) == 0 {
			return
		}
		all := []string{"zlib", "lzma", "zstd", "huff", "flac"}
		o := hunks.WriterOptions{HunkBytes: 128, UnitBytes: 64}
		for i, c := range all {
			if which>>i&1 != 0 && len(o.Codecs) < 4 {
				o.Codecs = append(o.Codecs, c)
			}
		}
		same(t, open(t, written(t, b, o)), b)
	})
}

func BenchmarkWriter(b *testing.B) {
	for _, codecs := range []string{"cdzl", "cdlz", "cdfl", "cdzs", "cdlz cdzl cdfl"} {
		b.Run(codecs, func(b *testing.B) {
			const hunk = 8 * 2448
			all := content(hunk, 200)
			b.SetBytes(int64(len(all)))
			b.ReportAllocs()
			for b.Loop() {
				n := len(written(b, all, hunks.WriterOptions{Codecs: strings.Fields(codecs), HunkBytes: hunk, UnitBytes: 2448}))
				b.ReportMetric(float64(n)/float64(len(all)), "ratio")
			}
		})
	}
}
