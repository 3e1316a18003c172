package packed

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func newBytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

// maxPoints bounds an index: more points than this do not make reading faster.
const maxPoints = 1 << 16

// errXZ is returned for an .xz file whose index does not hold together.
var errXZ = fmt.Errorf("%w (xz): its index is not whole", ErrDamaged)

// indexXZ reads the indexes at the ends of the streams of an .xz file, from its
// last to its first (The .xz File Format 1.2.1, sections 2 and 4). Each block is a
// point: with the header of its stream before it, it can be read alone.
func indexXZ(_ context.Context, r io.ReaderAt, size int64) ([]point, int64, error) {
	points, plain, err := readXZ(r, size)
	if errors.Is(err, errXZ) { // it is read through from its start then
		if err := checkXZBlock(r, xzHeader); errors.Is(err, ErrTooLarge) {
			return nil, 0, err
		}
	}
	return points, plain, err
}

// readXZ is indexXZ for a file whose index is whole.
func readXZ(r io.ReaderAt, size int64) ([]point, int64, error) {
	var blocks []xzBlock // last first
	for end := size; end > 0; {
		var pad [4]byte
		if end < 2*xzHeader {
			return nil, 0, errXZ
		}
		if _, err := r.ReadAt(pad[:], end-4); err != nil {
			return nil, 0, err
		}
		if pad == [4]byte{} { // padding between streams
			end -= 4
			continue
		}
		own, begin, err := readXZStream(r, end)
		if err != nil {
			return nil, 0, err
		}
		if blocks = append(blocks, own...); len(blocks) > maxPoints {
			return nil, 0, errXZ
		}
		end = begin
	}
	slices.Reverse(blocks)
	points := make([]point, 0, len(blocks))
	var plain int64
	for _, b := range blocks {
		points = append(points, point{b.packed, plain, b.head})
		plain += b.plain
	}
	return points, plain, nil
}

// xzHeader is the size of the header and of the footer of a stream.
const xzHeader = 12

// xzBlock is a block of a stream: where it is, what it holds, in bytes, and the
// header of its stream.
type xzBlock struct {
	packed, plain int64
	head          []byte
}

// readXZStream reads the index of the stream that ends at a place. It returns the
// blocks, last first, and where the stream begins.
func readXZStream(r io.ReaderAt, end int64) ([]xzBlock, int64, error) {
	var foot [xzHeader]byte
	if _, err := r.ReadAt(foot[:], end-xzHeader); err != nil {
		return nil, 0, err
	}
	if string(foot[10:]) != "YZ" || crc32.ChecksumIEEE(foot[4:10]) != binary.LittleEndian.Uint32(foot[:]) {
		return nil, 0, errXZ
	}
	length := (int64(binary.LittleEndian.Uint32(foot[4:])) + 1) * 4
	if length > end-2*xzHeader || length > 16<<20 {
		return nil, 0, errXZ
	}
	index := make([]byte, length)
	if _, err := r.ReadAt(index, end-xzHeader-length); err != nil {
		return nil, 0, err
	}
	records, ok := xzRecords(index)
	if !ok {
		return nil, 0, errXZ
	}
	at := end - xzHeader - length
	for _, rec := range records {
		at -= rec.packed
	}
	begin := at - xzHeader
	if begin < 0 {
		return nil, 0, errXZ
	}
	head := make([]byte, xzHeader)
	if _, err := r.ReadAt(head, begin); err != nil {
		return nil, 0, err
	}
	blocks := make([]xzBlock, 0, len(records))
	for _, rec := range records {
		if err := checkXZBlock(r, at); err != nil {
			return nil, 0, err
		}
		blocks = append(blocks, xzBlock{at, rec.plain, head})
		at += rec.packed
	}
	slices.Reverse(blocks)
	return blocks, begin, nil
}

// checkXZBlock reads how much memory a block needs.
func checkXZBlock(r io.ReaderAt, at int64) error {
	var b [64]byte
	n, err := r.ReadAt(b[:], at)
	if n < 8 {
		return err
	}
	if err := xzMemory(b[:n]); errors.Is(err, ErrTooLarge) {
		return err
	} else if err != nil {
		return errXZ
	}
	return nil
}

// xzRecord is the size of a block, with its padding, and of what is in it.
type xzRecord struct{ packed, plain int64 }

// xzRecords reads the index of a stream.
func xzRecords(b []byte) ([]xzRecord, bool) {
	if len(b) < 8 || b[0] != 0 || crc32.ChecksumIEEE(b[:len(b)-4]) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, false
	}
	b = b[1 : len(b)-4]
	next := func() (int64, bool) {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > 1<<50 {
			return 0, false
		}
		b = b[n:]
		return int64(v), true
	}
	count, ok := next()
	if !ok || count > int64(len(b)) {
		return nil, false
	}
	var all []xzRecord
	for range count {
		packed, ok1 := next()
		plain, ok2 := next()
		if !ok1 || !ok2 || packed == 0 {
			return nil, false
		}
		all = append(all, xzRecord{(packed + 3) &^ 3, plain})
	}
	return all, true
}

// indexZstd walks over the frames of a .zst file by the sizes that their blocks
// state (RFC 8878, section 3.1.1). A frame that does not say how much it holds
// ends it: then there is no index.
func indexZstd(ctx context.Context, r io.ReaderAt, size int64) ([]point, int64, error) {
	var points []point
	var plain int64
	at := int64(0)
	for at < size {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		b := make([]byte, zstd.HeaderMaxSize)
		n, err := r.ReadAt(b, at)
		if n < 8 && err != nil {
			return nil, 0, nil
		}
		var h zstd.Header
		if err := h.Decode(b[:n]); err != nil {
			return nil, 0, nil
		}
		if h.Skippable {
			at += 8 + int64(h.SkippableSize)
			continue
		}
		if !h.HasFCS || h.FrameContentSize > 1<<50 || len(points) >= maxPoints {
			return nil, 0, nil
		}
		points = append(points, point{packed: at, plain: plain})
		plain += int64(h.FrameContentSize)
		at += int64(h.HeaderSize)
		for last := false; !last; {
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			var block [3]byte
			if _, err := r.ReadAt(block[:], at); err != nil {
				return nil, 0, nil
			}
			v := uint32(block[0]) | uint32(block[1])<<8 | uint32(block[2])<<16
			last = v&1 != 0
			stored := int64(v >> 3)
			if v>>1&3 == 1 { // one byte, repeated
				stored = 1
			}
			at += 3 + stored
		}
		if h.HasCheckSum {
			at += 4
		}
	}
	if at > size { // it was cut short
		return nil, 0, nil
	}
	return points, plain, nil
}

// OpenXZ decodes an .xz stream, and ends with [ErrTooLarge] before a block that needs more memory
// than it should have.
func OpenXZ(r io.Reader) (io.ReadCloser, error) {
	const buffer = 64 << 10 // the decoder takes one byte after the other
	x, err := xz.ReaderConfig{DictCap: 1 << 20}.NewReader(bufio.NewReaderSize(newXZGuard(r), buffer))
	if err != nil {
		return nil, err
	}
	return io.NopCloser(x), nil
}
