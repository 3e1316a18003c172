package packed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// content is text that compresses well, which is quick, and says at each place where it
// is; with an odd length.
func content(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 0, n+64)
	for len(b) < n {
		b = fmt.Appendf(b, "line %07d of the content, %02x and so on\n", len(b), r.Uint32()&0xFF)
	}
	return b[:n]
}

type closer interface {
	io.WriteCloser
}

func compress(t testing.TB, b []byte, open func(io.Writer) (closer, error)) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := open(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gz(w io.Writer) (closer, error) { return gzip.NewWriter(w), nil }
func zst(w io.Writer) (closer, error) {
	return zstd.NewWriter(w)
}
func xzw(block int64) func(io.Writer) (closer, error) {
	return func(w io.Writer) (closer, error) {
		return xz.WriterConfig{BlockSize: block, DictCap: 1 << 16}.NewWriter(w)
	}
}

func open(t testing.TB, b []byte) (*Reader, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(context.Background(), f)
	if err != nil {
		f.Close()
		return nil, err
	}
	t.Cleanup(func() { r.Close() })
	return r, nil
}

// frames compresses b in pieces, each a frame or stream of its own.
func frames(t testing.TB, b []byte, n int, open func(io.Writer) (closer, error)) []byte {
	var out []byte
	for len(b) > 0 {
		k := min(n, len(b))
		out = append(out, compress(t, b[:k], open)...)
		b = b[k:]
	}
	return out
}

func TestReadAnywhere(t *testing.T) {
	want := content(1<<20 + 500<<10 + 123)      // more than the first pages, which are kept
	encodeAll := func(b []byte, n int) []byte { // frames that state their sizes
		e, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		for len(b) > 0 {
			k := min(n, len(b))
			out = e.EncodeAll(b[:k], out)
			b = b[k:]
		}
		return out
	}
	for name, b := range map[string][]byte{
		"gzip": compress(t, want, gz), "gzip members": frames(t, want, 200<<10+7, gz), "zstd stream": compress(t, want, zst),
		"zstd frames": encodeAll(want, 700<<10+5), "xz": compress(t, want, xzw(0)), "xz blocks": compress(t, want, xzw(300<<10+3)),
		"xz streams": frames(t, want, 1<<20, xzw(0)),
	} {
		r, err := open(t, b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Size() != int64(len(want)) {
			t.Errorf("%s: %d bytes", name, r.Size())
		}
		rnd := rand.New(rand.NewPCG(3, 4))
		reads := 40
		if testing.Short() {
			reads = 5
		}
		for range reads {
			at := rnd.Int64N(int64(len(want)))
			p := make([]byte, min(int64(len(want))-at, rnd.Int64N(200<<10)+1))
			if _, err := r.ReadAt(p, at); err != nil || !bytes.Equal(p, want[at:at+int64(len(p))]) {
				t.Fatalf("%s: %d bytes at %d: %v", name, len(p), at, err)
			}
		}
		p := make([]byte, 10)
		if n, err := r.ReadAt(p, int64(len(want))-4); n != 4 || !errors.Is(err, io.EOF) {
			t.Errorf("%s: at the end: %d bytes, %v", name, n, err)
		}
	}
}

// What is cut short or changed is reported, and never taken for the end.
func TestDamaged(t *testing.T) {
	want := content(1 << 18)
	for name, b := range map[string][]byte{
		"gzip": compress(t, want, gz), "zstd": compress(t, want, zst), "xz": compress(t, want, xzw(1<<16)),
	} {
		for what, bad := range map[string][]byte{
			"cut": b[:len(b)/2], "cut at the end": b[:len(b)-3],
			"changed": append(append(append([]byte{}, b[:len(b)/2]...), b[len(b)/2]^0x55), b[len(b)/2+1:]...),
		} {
			r, err := open(t, bad)
			if err == nil {
				_, err = io.Copy(io.Discard, io.NewSectionReader(r, 0, r.Size()))
				if d := r.Damage(); d != nil {
					err = d
				}
			}
			if what == "changed" && !errors.Is(err, ErrDamaged) || what != "changed" && (err != nil || !r.Cut()) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	if _, err := open(t, []byte("plain")); !errors.Is(err, ErrNotPacked) {
		t.Error(err)
	}
}

func TestInner(t *testing.T) {
	for path, want := range map[string]string{"a/x.iso.gz": "a/x.iso", "x.ISO.XZ": "x.ISO", "x.iso": "x.iso"} {
		if got := Inner(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	small := content(5000)
	f.Add(compress(f, small, gz))
	f.Add(compress(f, small, zst))
	f.Add(compress(f, small, xzw(1000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := open(t, b)
		if err != nil || r.Size() > 16<<20 {
			return
		}
		p := make([]byte, 4096)
		for _, at := range []int64{r.Size() - 5, 0, r.Size() / 2} {
			_, _ = r.ReadAt(p, at)
		}
	})
}

// Reading a file through for its size ends with the context.
func TestOpenEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.gz")
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(make([]byte, 1<<20))
	w.Close()
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, f); err == nil || !errors.Is(err, context.Canceled) || errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// The checksum of a block stands behind its content: who reads all of it is told.
func TestLastChecksum(t *testing.T) {
	noise := make([]byte, 1<<18) // is stored as it is: nothing else tells
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	b := compress(t, noise, xzw(1<<30))
	for at := range 4 {
		bad := append([]byte{}, b...)
		bad[len(bad)*(2+at)/8] ^= 1
		r, err := open(t, bad)
		if err == nil {
			_, err = io.Copy(io.Discard, io.NewSectionReader(r, 0, r.Size()))
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("at byte %d of %d: %v", len(bad)*(2+at)/8, len(bad), err)
		}
	}
}
