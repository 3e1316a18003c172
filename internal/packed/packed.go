// Package packed reads compressed files (gzip, xz, zstd, bzip2) as if they were
// not: at any place, and without unpacking them to the disk where that can be
// avoided.
package packed

import (
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// ErrNotPacked is returned for a file that is not compressed in a way known here.
var ErrNotPacked = errors.New("not a compressed file")

// ErrDamaged is what errors about compressed data that do not hold together wrap.
var ErrDamaged = errors.New("the compressed file is damaged or cut short")

// A DamagedError says where a compressed file is damaged. It wraps [ErrDamaged].
type DamagedError struct {
	File   string // its path
	Method string // as [Reader.Method]
	// At is the first byte of the content that cannot be unpacked. All from From to End is
	// in doubt with it: it has one checksum, or one state of the decoder.
	At, From, End int64
	Err           error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s: %v (%s): byte %d of its content cannot be unpacked: %v", filepath.Base(e.File), ErrDamaged, e.Method, e.At, e.Err)
}

func (e *DamagedError) Unwrap() []error { return []error{ErrDamaged, e.Err} }

// ErrTooLarge is returned for a file that can be unpacked only with more memory than
// it should have.
var ErrTooLarge = errors.New("compressed in an unusual way")

// A method is a way of compressing.
type method struct {
	name, suffix string
	match        func(head []byte) bool
	// open returns what a stream holds that starts with the bytes of r.
	open func(r io.Reader) (io.ReadCloser, error)
	// index finds the places at which reading can start, and the size of what
	// is packed, without unpacking it. It may be nil, or return none.
	index func(ctx context.Context, r io.ReaderAt, size int64) ([]point, int64, error)
}

// maxWindow bounds the memory that a file can ask for: what "xz -9" and "zstd
// --ultra -22" need, but for some bytes.
const maxWindow = 64 << 20

func methods() []method {
	return []method{
		{"gzip", ".gz", isGzip, func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }, nil},
		{"xz", ".xz", func(b []byte) bool { return bytes.HasPrefix(b, []byte("\xFD7zXZ\x00")) }, OpenXZ, indexXZ},
		{"zstd", ".zst", isZstd, func(r io.Reader) (io.ReadCloser, error) {
			d, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(1))
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		}, indexZstd},
		{"bzip2", ".bz2", isBzip2, func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(bzip2.NewReader(r)), nil }, nil},
	}
}

// The signatures are looked at as closely as can be: the samples of a raw audio
// track may begin with anything.

// isGzip knows a member that is deflated and has no flags that are not defined (RFC
// 1952 section 2.3).
func isGzip(b []byte) bool {
	return len(b) > 3 && b[0] == 0x1F && b[1] == 0x8B && b[2] == 8 && b[3]&0xE0 == 0
}

// isZstd knows a frame, or one that is to be skipped, with which some programs begin
// (RFC 8878 section 3.1).
func isZstd(b []byte) bool {
	return len(b) > 3 && (string(b[:4]) == "\x28\xB5\x2F\xFD" || b[0]&0xF0 == 0x50 && string(b[1:4]) == "\x2A\x4D\x18")
}

// isBzip2 knows a stream by its first block, or by its end when it is empty.
func isBzip2(b []byte) bool {
	return len(b) > 9 && string(b[:3]) == "BZh" && b[3] >= '1' && b[3] <= '9' &&
		(string(b[4:10]) == "\x31\x41\x59\x26\x53\x59" || string(b[4:10]) == "\x17\x72\x45\x38\x50\x90")
}

// Method returns how a file that starts with head is compressed, and the empty
// string where it is not.
func Method(head []byte) string {
	for _, m := range methods() {
		if m.match(head) {
			return m.name
		}
	}
	return ""
}

// Suffixes are those that compressed files have.
func Suffixes() []string {
	var all []string
	for _, m := range methods() {
		all = append(all, m.suffix)
	}
	return all
}

// Inner is the name of a file without the suffix of its compression.
func Inner(path string) string {
	for _, s := range Suffixes() {
		if ext := filepath.Ext(path); strings.EqualFold(ext, s) {
			return strings.TrimSuffix(path, ext)
		}
	}
	return path
}

// Open opens a compressed file. It owns f from then on when it returns no error;
// the error is [ErrNotPacked] for a file that is something else.
//
// Where the format does not say how large the content is (gzip, bzip2, most
// streams), the file is read through once. That ends with ctx. A file that was cut short
// is read as far as it goes; [Reader.Cut] says so. So is one that turns out to be damaged
// when it is read through; [Reader.Damage] says how.
func Open(ctx context.Context, f *os.File) (*Reader, error) {
	head := make([]byte, 16)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	for _, m := range methods() {
		if !m.match(head[:n]) {
			continue
		}
		r := &Reader{file: f, method: m, packed: st.Size(), size: -1, pages: make(map[int64]*page)}
		if m.index != nil {
			points, size, err := m.index(ctx, f, st.Size())
			if err != nil && !errors.Is(err, ErrDamaged) {
				return nil, err
			}
			r.cut = err != nil // what stands at its end is missing
			if err == nil && len(points) > 0 {
				r.points, r.size = points, size
			}
		}
		if r.points == nil {
			r.points = []point{{}}
		}
		if r.size < 0 {
			if err := r.measure(ctx); err != nil {
				r.stop()
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if errors.Is(err, ErrTooLarge) {
					return nil, err
				}
				return nil, fmt.Errorf("%w (%s): %w", ErrDamaged, m.name, err)
			}
			if r.cut && r.size == 0 {
				r.stop()
				return nil, fmt.Errorf("%w (%s): nothing of it is there", ErrDamaged, m.name)
			}
		}
		return r, nil
	}
	return nil, ErrNotPacked
}
