package packed

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// greedy makes the n-th block of a stream ask for 4 GiB of memory, and returns where that begins.
func greedy(t *testing.T, file []byte, n int) int {
	t.Helper()
	at := 0
	for ; n >= 0; n-- {
		k := bytes.Index(file[at+1:], []byte{0x21, 1, 8}) // LZMA2, one byte: of a dictionary of 64 KiB
		if k < 0 {
			t.Fatal("no such block")
		}
		at += 1 + k
	}
	begin := at - 2
	for range 16 { // before it may stand the sizes of the block
		head := file[begin:]
		if size := (int(head[0]) + 1) * 4; size > 8 && size <= len(head) && binary.LittleEndian.Uint32(head[size-4:]) == crc32.ChecksumIEEE(head[:size-4]) {
			file[at+2] = 40
			binary.LittleEndian.PutUint32(head[size-4:], crc32.ChecksumIEEE(head[:size-4]))
			return begin
		}
		begin--
	}
	t.Fatal("no header")
	return 0
}

// A block behind the first one that asks for much memory is refused, whether the index names it or not.
func TestMemoryOfLaterBlocks(t *testing.T) {
	data := noise(5 * pageSize)
	for name, file := range map[string][]byte{
		"blocks":  compress(t, data, xzw(pageSize)),
		"streams": frames(t, data, pageSize, xzw(0)),
		"unchecked behind checked": append(compress(t, data[:1001], xzw(0)), compress(t, data, func(w io.Writer) (closer, error) {
			return xz.WriterConfig{BlockSize: pageSize, DictCap: 1 << 16, NoCheckSum: true}.NewWriter(w)
		})...),
		"padded": append(append(compress(t, data[:1001], xzw(0)), make([]byte, 8)...), frames(t, data, pageSize, xzw(pageSize/2))...),
	} {
		for _, r := range []io.Reader{bytes.NewReader(file), iotest.OneByteReader(bytes.NewReader(file))} {
			if n, err := io.Copy(io.Discard, newXZGuard(r)); err != nil || n != int64(len(file)) {
				t.Errorf("%s: %d bytes, %v", name, n, err)
			}
		}
		for k := range 3 {
			bad := bytes.Clone(file)
			at := greedy(t, bad, k)
			n, err := io.Copy(io.Discard, newXZGuard(bytes.NewReader(bad)))
			if !errors.Is(err, ErrTooLarge) || n < int64(at) || n > int64(at)+64 {
				t.Errorf("%s: block %d at %d: %d bytes, %v", name, k, at, n, err)
			}
			cut := bad[:len(bad)-30] // no index
			for _, b := range [][]byte{bad, cut} {
				if _, err := open(t, b); !errors.Is(err, ErrTooLarge) {
					t.Errorf("%s: block %d, %d of %d bytes: %v", name, k, len(b), len(bad), err)
				}
			}
		}
	}
}

// Walking over the frames of a file ends with its context.
func TestIndexEnds(t *testing.T) {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	file := w.EncodeAll(noise(3*pageSize), nil)
	ctx, cancel := context.WithCancel(t.Context())
	if _, n, err := indexZstd(ctx, bytes.NewReader(file), int64(len(file))); err != nil || n == 0 {
		t.Errorf("%d, %v", n, err)
	}
	cancel()
	if _, _, err := indexZstd(ctx, bytes.NewReader(file), int64(len(file))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
