package dmg

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"

	"spindle/internal/lzfse"
	"spindle/internal/packed"
)

var (
	errLong = errors.New("it holds more than its sectors")
	errADC  = errors.New("invalid ADC data")
)

// decompress fills dst from a compressed run. What it is short of is zeros.
func decompress(dst, src []byte, kind uint32) error {
	switch kind {
	case runADC:
		return unpackADC(dst, src)
	case runLZFSE:
		n, err := lzfse.Decode(dst, src)
		clear(dst[n:])
		return err
	}
	var r io.Reader
	var err error
	switch kind {
	case runZlib:
		r, err = zlib.NewReader(bytes.NewReader(src))
	case runBzip2:
		r = bzip2.NewReader(bytes.NewReader(src))
	case runLZMA:
		r, err = packed.OpenXZ(bytes.NewReader(src))
	default:
		err = fmt.Errorf("%w: runs of type %08Xh", errKind, kind)
	}
	if err != nil {
		return err
	}
	n, err := io.ReadFull(r, dst)
	clear(dst[n:])
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	// The sum of the content is behind it, and nothing else. Where the content was short, that
	// was read; where the compressed data were, it is said again.
	var more [1]byte
	switch k, err := io.ReadFull(r, more[:]); {
	case k > 0:
		return errLong
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// unpackADC unpacks Apple Data Compression: literals, and copies of what was before.
func unpackADC(dst, src []byte) error {
	done := 0
	for len(src) > 0 && done < len(dst) {
		b := src[0]
		var size, distance, length int
		switch {
		case b&0x80 != 0:
			n := int(b&0x7F) + 1
			if len(src) < 1+n || len(dst)-done < n {
				return errADC
			}
			copy(dst[done:], src[1:1+n])
			done += n
			src = src[1+n:]
			continue
		case b&0x40 != 0:
			if len(src) < 3 {
				return errADC
			}
			size, length, distance = 3, int(b)-0x3C, int(src[1])<<8+int(src[2])+1
		default:
			if len(src) < 2 {
				return errADC
			}
			size, length, distance = 2, int(b>>2&0x0F)+3, int(b&3)<<8+int(src[1])+1
		}
		if distance > done || length > len(dst)-done {
			return errADC
		}
		for range length { // it may overlap itself
			dst[done] = dst[done-distance]
			done++
		}
		src = src[size:]
	}
	clear(dst[done:])
	return nil
}
