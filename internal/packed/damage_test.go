package packed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// noise is content that is hard to compress.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(9))
	}
	return b
}

// Around a frame that cannot be unpacked all is read, in any order, also from a temporary
// file; the error says what is in doubt.
func TestReadAroundDamage(t *testing.T) {
	const frame, frames = 3 * pageSize, 5
	plain := noise(frame * frames)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	var file []byte
	var at int
	for i := range frames {
		if i == 2 {
			at = len(file)
		}
		file = enc.EncodeAll(plain[i*frame:(i+1)*frame], file)
	}
	for i := range 100 {
		file[at+frame/5+i] ^= 0x5A
	}
	r := openBytes(t, file)
	check := func(page int) {
		t.Helper()
		clear(r.pages) // it would be kept
		off := int64(page * pageSize)
		p := make([]byte, pageSize)
		n, err := r.ReadAt(p, off)
		if n > 0 && !bytes.Equal(p[:n], plain[off:off+int64(n)]) && (page < 6 || page >= 9) {
			t.Errorf("page %d is wrong", page)
		}
		var d *DamagedError
		switch {
		case page < 6 || page >= 9:
			if err != nil {
				t.Errorf("page %d: %v", page, err)
			}
		case err == nil: // before the damage
		case !errors.As(err, &d) || d.From != 2*frame || d.End != 3*frame || d.At > off:
			t.Errorf("page %d: %v, %+v", page, err, d)
		}
	}
	for range 3 {
		for page := frames*3 - 1; page >= 0; page-- {
			check(page)
		}
		for page := range frames * 3 {
			check(page)
		}
	}
	if r.plain == nil {
		t.Error("nothing was unpacked to a file")
	}
	all := make([]byte, len(plain))
	if n, err := r.ReadAt(all, 0); !errors.Is(err, ErrDamaged) || n < 6*pageSize || n >= 9*pageSize || !bytes.Equal(all[:6*pageSize], plain[:6*pageSize]) {
		t.Errorf("%d: %v", n, err)
	}
	if n, err := r.ReadAt(all, 9*pageSize); n != 6*pageSize || !errors.Is(err, io.EOF) {
		t.Errorf("%d: %v", n, err)
	}
}

// What is read through when it is opened has all that can be unpacked, and says that it is in doubt.
func TestDamagedGzip(t *testing.T) {
	plain := noise(20 * pageSize)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	w.Close()
	for name, at := range map[string]int{"in the middle": b.Len() / 2, "the checksum": b.Len() - 6} {
		file := bytes.Clone(b.Bytes())
		for i := range min(600, len(file)-at-5) {
			file[at+i] ^= 0xA5
		}
		r := openBytes(t, file)
		d := r.Damage()
		if d == nil || d.From != 0 || r.Size() < 9*pageSize || name == "the checksum" && (r.Cut() || r.Size() != int64(len(plain))) {
			t.Errorf("%s: %v, size %d, cut %t", name, d, r.Size(), r.Cut())
		}
		for off := r.Size() - 1; off >= 0; off -= pageSize { // each starts over
			p := make([]byte, 1)
			if _, err := r.ReadAt(p, off); err != nil || off < 9*pageSize && p[0] != plain[off] {
				t.Fatal(name, off, err)
			}
		}
	}
}

func openBytes(t *testing.T, content []byte) *Reader {
	t.Helper()
	path := filepath.Join(t.TempDir(), fmt.Sprint("x", len(content)))
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// A block that asks for 4 GiB of memory is refused also where the index, which leads to blocks, is
// missing.
func TestMemoryWithoutIndex(t *testing.T) {
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(noise(3 * pageSize)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	file := b.Bytes()[:b.Len()/2]
	block := file[xzHeader:]
	size := (int(block[0]) + 1) * 4
	at := bytes.Index(block[:size], []byte{0x21, 1}) + 2 // LZMA2, one byte: of the dictionary
	for dictionary, want := range map[byte]error{block[at]: nil, 40: ErrTooLarge} {
		block[at] = dictionary
		binary.LittleEndian.PutUint32(block[size-4:], crc32.ChecksumIEEE(block[:size-4]))
		path := filepath.Join(t.TempDir(), "x.xz")
		if err := os.WriteFile(path, file, 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := Open(t.Context(), f)
		if !errors.Is(err, want) {
			t.Errorf("dictionary %d: %v", dictionary, err)
		}
		if err == nil {
			r.Close()
		}
	}
}
