package hunks

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"

	"spindle/disc/cdsector"
	"spindle/image/audio/flacenc"
	"spindle/internal/lzma"
)

// An encoder appends to dst what a hunk is compressed to. It is for one goroutine. What it
// appends may be longer than the hunk. It returns [errTooLong] when it gave up, since it
// would hardly be shorter than enough.
type encoder func(dst, src []byte, enough int) ([]byte, error)

var errTooLong = errors.New("hunks: too long")

// encoder makes one for the codec, or returns nil.
func (c codec) encoder(hunkBytes int) (encoder, error) {
	if c[0] == 'c' && hunkBytes%frameSize != 0 {
		return nil, nil
	}
	switch string(c[:]) {
	case "zlib":
		return newDeflate()
	case "lzma":
		return newLZMA()
	case "zstd":
		return newZstd()
	case "huff":
		return huff, nil
	case "flac":
		return newFLAC(hunkBytes), nil
	case "cdzl":
		return newCD(newDeflate, newDeflate)
	case "cdlz":
		return newCD(newLZMA, newDeflate)
	case "cdzs":
		return newCD(newZstd, newZstd)
	case "cdfl":
		return newCDFLAC()
	}
	return nil, nil
}

// appender is an [io.Writer] that appends.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

func newDeflate() (encoder, error) {
	var out appender
	z, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	return func(dst, src []byte, _ int) ([]byte, error) {
		out.b = dst
		z.Reset(&out)
		if _, err := z.Write(src); err != nil {
			return dst, err
		}
		return out.b, z.Close()
	}, nil
}

func newZstd() (encoder, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	return func(dst, src []byte, _ int) ([]byte, error) { return z.EncodeAll(src, dst), nil }, nil
}

func newLZMA() (encoder, error) {
	z := lzma.NewEncoder()
	return func(dst, src []byte, enough int) ([]byte, error) {
		dst, ok := z.Append(dst, src, enough)
		if !ok {
			return dst, errTooLong
		}
		return dst, nil
	}, nil
}

// newFLAC makes an encoder of "flac": FLAC of the bytes as samples, the order of which is
// the one that takes less.
func newFLAC(hunkBytes int) encoder {
	const most = 2048
	block := blockOf(hunkBytes/4, most)
	swapped := make([]byte, hunkBytes)
	var other []byte
	return func(dst, src []byte, _ int) ([]byte, error) {
		if len(src)%4 != 0 {
			return append(dst, make([]byte, len(src)+1)...), nil // no samples
		}
		start := len(dst)
		dst = flacenc.AppendFrames(append(dst, 'L'), src, block)
		swapSamples(swapped, src)
		other = flacenc.AppendFrames(append(other[:0], 'B'), swapped, block)
		if len(other) < len(dst)-start {
			dst = append(dst[:start], other...)
		}
		return dst, nil
	}
}

// blockOf halves the number of samples in a hunk until a frame takes them.
func blockOf(samples, most int) int {
	for samples > most {
		samples /= 2
	}
	return samples
}

// swapSamples turns samples of 16 bits.
func swapSamples(dst, src []byte) {
	for i := 0; i+1 < len(src); i += 2 {
		binary.BigEndian.PutUint16(dst[i:], binary.LittleEndian.Uint16(src[i:]))
	}
}

// newCD makes an encoder of a codec for CDs, of what [cdOf] decodes.
func newCD(newSectors, newSubs func() (encoder, error)) (encoder, error) {
	sectors, err := newSectors()
	if err != nil {
		return nil, err
	}
	subs, err := newSubs()
	if err != nil {
		return nil, err
	}
	var apart []byte
	return func(dst, src []byte, enough int) ([]byte, error) {
		frames := len(src) / frameSize
		apart = part(apart, src)
		start := len(dst)
		dst = append(dst, make([]byte, (frames+7)/8)...)
		for i := range frames {
			if strip((*[cdsector.Size]byte)(apart[i*cdsector.Size:])) {
				dst[start+i/8] |= 1 << (i % 8)
			}
		}
		lengthAt, lengthSize := len(dst), 2
		if len(src) >= 1<<16 {
			lengthSize = 3
		}
		dst = append(dst, make([]byte, lengthSize)...)
		dst, err := sectors(dst, apart[:frames*cdsector.Size], enough)
		if err != nil {
			return dst, err
		}
		length := len(dst) - lengthAt - lengthSize
		for i := range lengthSize {
			dst[lengthAt+i] = byte(length >> (8 * (lengthSize - 1 - i)))
		}
		return subs(dst, apart[frames*cdsector.Size:], len(src))
	}, nil
}

// newCDFLAC makes an encoder of "cdfl", of what [cdFLAC] decodes.
func newCDFLAC() (encoder, error) {
	const most = 2352
	subs, err := newDeflate()
	if err != nil {
		return nil, err
	}
	var apart []byte
	return func(dst, src []byte, _ int) ([]byte, error) {
		frames := len(src) / frameSize
		apart = part(apart, src)
		samples := apart[:frames*cdsector.Size]
		swapSamples(samples, samples)
		dst = flacenc.AppendFrames(dst, samples, blockOf(len(samples)/4, most))
		return subs(dst, apart[frames*cdsector.Size:], len(src))
	}, nil
}

// part is the opposite of [join].
func part(apart, src []byte) []byte {
	frames := len(src) / frameSize
	if cap(apart) < len(src) {
		apart = make([]byte, len(src))
	}
	apart = apart[:len(src)]
	subs := apart[frames*cdsector.Size:]
	for i := range frames {
		f := src[i*frameSize : (i+1)*frameSize]
		copy(apart[i*cdsector.Size:(i+1)*cdsector.Size], f)
		copy(subs[i*cdsector.SubSize:], f[cdsector.Size:])
	}
	return apart
}

// strip clears the sync pattern and the parity of a sector, if [complete] makes the same.
func strip(s *[cdsector.Size]byte) bool {
	const syncSize, parityAt = 12, 2076
	if !cdsector.HasSync(s) {
		return false
	}
	made := *s
	clear(made[parityAt:])
	complete(&made)
	if !bytes.Equal(made[:], s[:]) {
		return false
	}
	clear(s[:syncSize])
	clear(s[parityAt:])
	return true
}
