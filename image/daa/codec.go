package daa

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"

	"spindle/internal/blocks"
	"spindle/internal/lzmablock"
)

// A kind is how a chunk is stored.
type kind int8

// The kinds, of which the last two are those that tables state.
const (
	plain kind = iota - 1
	lzmaed
	deflated
)

// A file is an opened image.
type file struct {
	*header
	r      io.ReaderAt // of the chunks, one after the other
	packed int64       // bytes of all
	kinds  []kind      // of the chunks that are in the files
	ends   []int64     // where each of them ends in r
}

// codec names the ways to compress.
func (i *file) codec() string {
	seen := make(map[kind]bool)
	for _, k := range i.kinds {
		seen[k] = true
	}
	switch {
	case seen[deflated] && seen[lzmaed]:
		return "deflate and LZMA"
	case seen[deflated]:
		return "deflate"
	case seen[lzmaed]:
		return "LZMA"
	}
	return "not compressed"
}

// Piece implements [blocks.Source].
func (i *file) Piece(off int64) blocks.Piece {
	n := off / i.chunk
	return blocks.Piece{Index: n, Begin: n * i.chunk, End: min((n+1)*i.chunk, i.size)}
}

// Read implements [blocks.Source].
func (i *file) Read(dst []byte, p blocks.Piece) error {
	begin := int64(0)
	if p.Index > 0 {
		begin = i.ends[p.Index-1]
	}
	if err := i.unpack(dst, i.kinds[p.Index], begin, i.ends[p.Index]); err != nil {
		return &blocks.DamagedError{Piece: p.Index, Offset: i.data + begin, Err: err}
	}
	return nil
}

func (i *file) unpack(dst []byte, k kind, begin, end int64) error {
	b := make([]byte, end-begin)
	if err := blocks.ReadFull(i.r, b, begin); err != nil {
		return err
	}
	if k == plain {
		copy(dst, b)
		return nil
	}
	r, err := i.unpacker(b, k, len(dst))
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(r, dst); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if k == lzmaed && i.filter {
		lzmablock.Unfilter(dst)
	}
	room := i.chunk - int64(len(dst)) // the last chunk may be padded
	n, err := io.Copy(io.Discard, io.LimitReader(r, room+1))
	if err == nil && n > room {
		err = errLong
	}
	return err
}

// errLong means that a chunk has more bytes than it may.
var errLong = errors.New("it is unpacked to more than a chunk")

// unpacker unpacks a chunk that has size bytes.
func (i *file) unpacker(b []byte, k kind, size int) (io.Reader, error) {
	if k == deflated {
		return newInflater(b, i.order), nil
	}
	return lzmablock.NewReader(i.properties, b, size)
}

// newInflater unpacks deflate, of which the kinds of blocks may have other numbers.
func newInflater(b []byte, order [3]int) io.Reader {
	if order == [3]int{0, 1, 2} {
		return flate.NewReader(bytes.NewReader(b))
	}
	return &reordered{in: bitReader{b: b}, order: order}
}
