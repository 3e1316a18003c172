package hunks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/mewkiz/flac/frame"

	"spindle/internal/lzma"
)

// A codec is the four characters that name one.
type codec [4]byte

// A decoder fills dst, a hunk, with what src holds.
type decoder func(dst, src []byte) error

// decoder returns how the codec is decoded, or nil.
func (c codec) decoder(hunkBytes int) decoder {
	whole := map[codec]decoder{
		{'z', 'l', 'i', 'b'}: inflate,
		{'l', 'z', 'm', 'a'}: lzma.Decode,
		{'z', 's', 't', 'd'}: unzstd,
		{'h', 'u', 'f', 'f'}: unhuff,
		{'f', 'l', 'a', 'c'}: unflac,
		{'c', 'd', 'z', 'l'}: cdOf(inflate, inflate),
		{'c', 'd', 'l', 'z'}: cdOf(lzma.Decode, inflate),
		{'c', 'd', 'z', 's'}: cdOf(unzstd, unzstd),
		{'c', 'd', 'f', 'l'}: cdFLAC,
	}
	if c[0] == 'c' && hunkBytes%frameSize != 0 {
		return nil
	}
	return whole[c]
}

// inflaters saves an allocation of 40 kB for each hunk.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// inflate decodes deflate without a header (RFC 1951).
func inflate(dst, src []byte) error {
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	if err := z.(flate.Resetter).Reset(bytes.NewReader(src), nil); err != nil {
		return err
	}
	return fillFrom(dst, z)
}

// fillFrom reads all of dst from r.
func fillFrom(dst []byte, r io.Reader) error {
	_, err := io.ReadFull(r, dst)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// unzstds are decoders of zstd (RFC 8878).
var unzstds = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true))
})

func unzstd(dst, src []byte) error {
	z, err := unzstds()
	if err != nil {
		return err
	}
	out, err := z.DecodeAll(src, dst[:0:len(dst)])
	if err == nil && len(out) != len(dst) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// unflac decodes the codec "flac": a letter for the order of the bytes, frames of two
// channels with 16 bits.
func unflac(dst, src []byte) error {
	if len(src) == 0 || src[0] != 'L' && src[0] != 'B' {
		return errors.New("FLAC in neither order of bytes")
	}
	var order binary.ByteOrder = binary.LittleEndian
	if src[0] == 'B' {
		order = binary.BigEndian
	}
	_, err := unflacFrames(dst, src[1:], order)
	return err
}

// unflacFrames decodes FLAC frames (RFC 9639 section 9) until dst is full, and returns what
// is behind them.
func unflacFrames(dst, src []byte, order binary.ByteOrder) (rest []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // the library trusts more than it should
			err = fmt.Errorf("malformed FLAC frame: %v", r)
		}
	}()
	in := bytes.NewReader(src)
	for len(dst) > 0 {
		f, err := frame.New(in)
		if err != nil {
			return nil, fmt.Errorf("FLAC: %w", err)
		}
		n := int(f.BlockSize)
		if f.Channels.Count() != 2 || f.BitsPerSample != 16 || n == 0 || n > len(dst)/4 {
			return nil, fmt.Errorf("a FLAC frame of %d channels with %d samples of %d bits", f.Channels.Count(), n, f.BitsPerSample)
		}
		if err := f.Parse(); err != nil {
			return nil, fmt.Errorf("FLAC: %w", err)
		}
		left, right := f.Subframes[0].Samples, f.Subframes[1].Samples
		for i := range n {
			order.PutUint16(dst[i*4:], uint16(left[i]))
			order.PutUint16(dst[i*4+2:], uint16(right[i]))
		}
		dst = dst[n*4:]
	}
	return src[len(src)-in.Len():], nil
}
