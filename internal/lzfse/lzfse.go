// Package lzfse unpacks LZFSE and LZVN, with which Apple compresses.
//
// There is no standard. The source is Apple's own library, lzfse: a stream is blocks, which are
// stored as they are, packed by LZVN, or by LZ77 whose literals, lengths and distances are coded
// by finite state entropy.
package lzfse

import (
	"encoding/binary"
	"errors"
)

// ErrFormat means that data are not what the format has.
var ErrFormat = errors.New("invalid LZFSE data")

// The marks with which blocks begin.
const (
	markEnd    = "bvx$"
	markStored = "bvx-"
	markLZVN   = "bvxn"
	markPacked = "bvx2"
)

// Decode unpacks a stream into dst, and returns how many bytes that are. What would not fit is an
// error.
func Decode(dst, src []byte) (int, error) {
	o := output{b: dst}
	for {
		if len(src) < 4 {
			return o.n, ErrFormat
		}
		mark := string(src[:4])
		if mark == markEnd {
			return o.n, nil
		}
		if len(src) < 12 {
			return o.n, ErrFormat
		}
		size := int64(binary.LittleEndian.Uint32(src[4:]))
		if size > int64(len(dst)-o.n) {
			return o.n, ErrFormat
		}
		block := output{b: dst[:o.n+int(size)], n: o.n}
		var used int
		var ok bool
		switch mark {
		case markStored:
			used = 8 + int(size)
			if ok = used <= len(src); ok {
				ok = block.literals(src[8:used])
			}
		case markLZVN:
			payload := int64(binary.LittleEndian.Uint32(src[8:]))
			if ok = payload <= int64(len(src)-12); ok {
				used = 12 + int(payload)
				ok = block.lzvn(src[12:used])
			}
		case markPacked:
			used, ok = block.packed(src)
		}
		if !ok || block.n != len(block.b) {
			return o.n, ErrFormat
		}
		o.n, src = block.n, src[used:]
	}
}

// output is what has been unpacked.
type output struct {
	b []byte
	n int // of it
}

// literals appends bytes.
func (o *output) literals(p []byte) bool {
	if len(p) > len(o.b)-o.n {
		return false
	}
	o.n += copy(o.b[o.n:], p)
	return true
}

// match appends bytes from a distance before; they may be those that it appends.
func (o *output) match(length, distance int) bool {
	if length == 0 {
		return true
	}
	if distance <= 0 || distance > o.n || length > len(o.b)-o.n {
		return false
	}
	for length > 0 {
		n := copy(o.b[o.n:o.n+min(length, distance)], o.b[o.n-distance:])
		o.n += n
		length -= n
	}
	return true
}
