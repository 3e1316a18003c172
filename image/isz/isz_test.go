package isz

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/klauspost/compress/zlib"

	"spindle/image/format"
	"spindle/internal/mutants"
	"spindle/internal/packed"
)

const block = 4096

// made makes an image of a content that ends within a block. Blocks of zeros are left out, the third is
// stored as it is.
func made(t testing.TB, content []byte) []byte {
	t.Helper()
	le := binary.LittleEndian
	count := (len(content) + block - 1) / block
	var table, data []byte
	for n := range count {
		b := content[n*block : min(len(content), (n+1)*block)]
		kind, packed := byte(deflated), b
		switch {
		case bytes.Count(b, []byte{0}) == len(b):
			kind, packed = zeros, nil
		case n == 2:
			kind = plain
		default:
			var out bytes.Buffer
			w := zlib.NewWriter(&out)
			if _, err := w.Write(b); err != nil || w.Close() != nil {
				t.Fatal(err)
			}
			packed = out.Bytes()
		}
		length := len(packed)
		if kind == zeros {
			length = len(b)
		}
		table = append(table, byte(length), byte(length>>8), byte(length>>16)|kind<<6)
		data = append(data, packed...)
	}
	mask(table)
	h := make([]byte, headerSize)
	copy(h, magic)
	h[4], h[5] = headerSize, 1
	le.PutUint16(h[10:], 2048)
	le.PutUint32(h[12:], uint32(len(content)/2048))
	le.PutUint32(h[25:], uint32(count))
	le.PutUint32(h[29:], block)
	h[33] = 3
	le.PutUint32(h[35:], headerSize)
	le.PutUint32(h[43:], uint32(headerSize+len(table)))
	return append(append(h, table...), data...)
}

func content() []byte {
	b := make([]byte, 9*2048)
	for i := range b[:5*2048] {
		b[i] = byte(i >> 4)
	}
	b[len(b)-1] = 1
	return b
}

func opened(t testing.TB, b []byte) (*format.Content, error) {
	t.Helper()
	return open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))})
}

func TestRead(t *testing.T) {
	c, err := opened(t, made(t, content()))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, c.Size)
	if _, err := c.ReadAt(got, 0); err != nil || !bytes.Equal(got, content()) || c.Codec != "zlib" {
		t.Errorf("%d bytes, %s, %v", len(got), c.Codec, err)
	}
}

// bzip2's own mark is not in the file.
func TestBzip2(t *testing.T) {
	// What bzip2 -9 makes of "hello, hello\n", but for the first three bytes.
	b, err := hex.DecodeString("49735a393141592653599f3c11f30000035100001040040244a0002129a3108602f28370a1e2ee48a70a1213e7823e60")
	if err != nil {
		t.Fatal(err)
	}
	i := &file{r: bytes.NewReader(b)}
	dst := make([]byte, 13)
	if err := i.unpack(dst, bzipped, 0, int64(len(b))); err != nil || string(dst) != "hello, hello\n" {
		t.Errorf("%q, %v", dst, err)
	}
}

func TestDamaged(t *testing.T) {
	b := made(t, content())
	b[len(b)-1] ^= 0x55 // of the checksum
	c, err := opened(t, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadAt(make([]byte, c.Size), 0); !errors.Is(err, packed.ErrDamaged) {
		t.Error(err)
	}
}

// An image that was cut short opens as far as it has whole blocks.
func TestCut(t *testing.T) {
	whole := made(t, content())
	le := binary.LittleEndian
	full, err := opened(t, whole)
	if err != nil || full.Cut {
		t.Fatal(err)
	}
	first := int(le.Uint32(whole[43:]))
	for _, test := range []struct {
		at   int
		want int64
	}{
		{len(whole) - 1, 4 * block}, // within the last of five blocks
		{first + 1, 0},
	} {
		c, err := opened(t, whole[:test.at])
		if test.want == 0 {
			if !errors.Is(err, errFormat) {
				t.Errorf("cut at byte %d: %v", test.at, err)
			}
			continue
		}
		if err != nil || !c.Cut || c.Size != test.want {
			t.Errorf("cut at byte %d: %+v, %v", test.at, c, err)
			continue
		}
		got := make([]byte, c.Size)
		if _, err := c.ReadAt(got, 0); err != nil || !bytes.Equal(got, content()[:c.Size]) {
			t.Errorf("cut at byte %d: %v", test.at, err)
		}
	}
}

func TestRefused(t *testing.T) {
	le := binary.LittleEndian
	for want, spoil := range map[string]func(b []byte){
		"with a password":     func(b []byte) { b[16] = 1 },
		"this is part 2":      func(b []byte) { b[34] = 2 },
		"blocks of 0":         func(b []byte) { le.PutUint32(b[29:], 0) },
		"7 blocks":            func(b []byte) { le.PutUint32(b[25:], 7) },
		"lengths of 200":      func(b []byte) { b[33] = 200 },
		"is not in the file":  func(b []byte) { le.PutUint32(b[35:], 1<<31) },
		"block 0 has":         func(b []byte) { le.PutUint32(b[43:], 1<<31) },
		"in several parts":    func(b []byte) { le.PutUint32(b[39:], 60) },
		"4294967295 sectors":  func(b []byte) { le.PutUint32(b[12:], 1<<32-1); le.PutUint32(b[29:], 1) },
		"4294967295 blocks o": func(b []byte) { le.PutUint32(b[25:], 1<<32-1) },
	} {
		b := made(t, content())
		spoil(b)
		if _, err := opened(t, b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(made(f, content()))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := opened(t, b)
		if err != nil {
			return
		}
		buf := make([]byte, min(c.Size, 1<<20))
		_, _ = c.ReadAt(buf, 0)
		_, _ = c.ReadAt(buf, max(0, c.Size-int64(len(buf))))
	})
}

// Damaged at random, an image is refused, found to be damaged, or read to its stated size.
func TestMutants(t *testing.T) {
	whole := made(t, content())
	for n := range uint64(mutants.Count()) {
		c, err := opened(t, mutants.Of(whole, n))
		if err != nil {
			continue
		}
		const most = 64 << 20
		if c.Size > most {
			continue
		}
		if have, err := c.ReadAt(make([]byte, c.Size), 0); err == nil && int64(have) != c.Size {
			t.Errorf("mutant %d: %d bytes of %d", n, have, c.Size)
		}
	}
}
