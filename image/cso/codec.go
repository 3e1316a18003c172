package cso

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/pierrec/lz4/v4"
)

// inflater unpacks raw deflate.
type inflater struct {
	src bytes.Reader
	r   io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	x := &inflater{}
	x.r = flate.NewReader(&x.src)
	return x
}}

// inflate fills dst from raw deflate, behind which there may be padding.
func inflate(dst, packed []byte) error {
	x := inflaters.Get().(*inflater)
	defer inflaters.Put(x)
	x.src.Reset(packed)
	if err := x.r.(flate.Resetter).Reset(&x.src, nil); err != nil {
		return err
	}
	if _, err := io.ReadFull(x.r, dst); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errShort
		}
		return err
	}
	return nil
}

// maxPadding bounds how many lengths are tried for a block.
const maxPadding = 64

// unpackLZ4 fills dst from an LZ4 block, behind which there are less than align bytes of padding.
// Nothing says how many, and with them the block is no valid one.
func unpackLZ4(dst, packed []byte, align int) error {
	var err error
	for range min(align, maxPadding) {
		var n int
		if n, err = lz4.UncompressBlock(packed, dst); err == nil && n == len(dst) {
			return nil
		}
		if len(packed) == 1 {
			break
		}
		packed = packed[:len(packed)-1]
	}
	if err == nil {
		err = errShort
	}
	return err
}

// A compressor makes a block smaller. The result is valid until the next; it is nil when it
// would not be smaller.
type compressor func(block []byte) ([]byte, error)

func newDeflater() compressor {
	var out bytes.Buffer
	const level = 8 // 9 is slower, and no smaller for blocks of this size
	w, err := flate.NewWriter(&out, level)
	return func(block []byte) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		out.Reset()
		w.Reset(&out)
		if _, err := w.Write(block); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		return smaller(out.Bytes(), block), nil
	}
}

func newLZ4() compressor {
	var c lz4.CompressorHC
	c.Level = lz4.Level9
	var out []byte
	return func(block []byte) ([]byte, error) {
		if n := lz4.CompressBlockBound(len(block)); len(out) < n {
			out = make([]byte, n)
		}
		n, err := c.CompressBlock(block, out)
		if err != nil {
			return nil, err
		}
		return smaller(out[:n], block), nil
	}
}

// smaller is what was compressed, if that is something, and smaller.
func smaller(packed, block []byte) []byte {
	if len(packed) == 0 || len(packed) >= len(block) {
		return nil
	}
	return packed
}
