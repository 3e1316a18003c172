package cso

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"

	"spindle/image/format"
	"spindle/internal/blocks"
)

const (
	daxHeader    = 32
	daxFrame     = 8192
	daxMaxAreas  = 1 << 16
	daxAreaSize  = 8
	daxEntrySize = 6 // where, and how long
	daxMaxPacked = daxFrame + 1024
)

// A dax is the content of a DAX file: zlib streams of frames, and areas of frames that are
// plain.
type dax struct {
	r      io.ReaderAt
	stored int64
	size   int64
	count  int64
	offset []byte // u32 for each frame
	length []byte // u16 for each frame
	areas  []area
}

// An area is frames [first, end) that are stored as they are.
type area struct{ first, end int64 }

func openDAX(_ context.Context, f *format.File) (*format.Content, error) {
	d, err := readDAX(f, f.Size)
	if err != nil {
		return nil, err
	}
	c := &format.Content{Size: d.size, Codec: "zlib"}
	whole := d.count
	for whole > 0 && d.place(whole-1)+d.packed(whole-1) > d.stored {
		whole--
	}
	switch {
	case whole == 0:
		return nil, fmt.Errorf("%w: none of its frames is in the file, which has %d bytes", errFormat, d.stored)
	case whole < d.count:
		c.Cut, c.Size = true, whole*daxFrame
	}
	c.ReaderAt = blocks.NewReader(d, c.Size)
	return c, nil
}

func readDAX(r io.ReaderAt, stored int64) (*dax, error) {
	var h [daxHeader]byte
	if err := blocks.ReadFull(r, h[:], 0); err != nil {
		return nil, fmt.Errorf("%w: its header: %w", errFormat, err)
	}
	size, version, areas := binary.LittleEndian.Uint32(h[4:]), binary.LittleEndian.Uint32(h[8:]), binary.LittleEndian.Uint32(h[12:])
	d := &dax{r: r, stored: stored, size: int64(size), count: (int64(size) + daxFrame - 1) / daxFrame}
	if version == 0 {
		areas = 0
	}
	switch {
	case version > 1:
		return nil, fmt.Errorf("%w: version %d (byte 8)", errFormat, version)
	case size == 0 || daxHeader+d.count*daxEntrySize > stored:
		return nil, fmt.Errorf("%w: %d bytes (byte 4), for which its index has no room", errFormat, size)
	case areas > daxMaxAreas:
		return nil, fmt.Errorf("%w: %d plain areas (byte 12)", errFormat, areas)
	}
	table := make([]byte, d.count*daxEntrySize+int64(areas)*daxAreaSize)
	if err := blocks.ReadFull(r, table, daxHeader); err != nil {
		return nil, fmt.Errorf("%w: its index: %w", errFormat, err)
	}
	d.offset, d.length = table[:d.count*4], table[d.count*4:d.count*daxEntrySize]
	for b := table[d.count*daxEntrySize:]; len(b) > 0; b = b[daxAreaSize:] {
		first, n := int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
		d.areas = append(d.areas, area{first, first + n})
	}
	return d, nil
}

func (d *dax) place(n int64) int64  { return int64(binary.LittleEndian.Uint32(d.offset[n*4:])) }
func (d *dax) packed(n int64) int64 { return int64(binary.LittleEndian.Uint16(d.length[n*2:])) }

// Piece implements [blocks.Source].
func (d *dax) Piece(off int64) blocks.Piece {
	n := off / daxFrame
	return blocks.Piece{Index: n, Begin: n * daxFrame, End: min((n+1)*daxFrame, d.size)}
}

// Read implements [blocks.Source].
func (d *dax) Read(dst []byte, p blocks.Piece) error {
	if err := d.unpack(dst, p.Index); err != nil {
		return &blocks.DamagedError{Piece: p.Index, Offset: d.place(p.Index), Err: err}
	}
	return nil
}

func (d *dax) unpack(dst []byte, n int64) error {
	if d.place(n) < daxHeader+int64(len(d.offset)+len(d.length)) {
		return errOrder
	}
	for _, a := range d.areas {
		if n >= a.first && n < a.end {
			return blocks.ReadFull(d.r, dst, d.place(n))
		}
	}
	switch length := d.packed(n); {
	case length == 0 || d.place(n)+length > d.stored:
		return errOrder
	case length > daxMaxPacked:
		return errLong
	}
	packed := make([]byte, d.packed(n))
	if err := blocks.ReadFull(d.r, packed, d.place(n)); err != nil {
		return err
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(z, dst); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	} else if err != nil {
		return err
	}
	return daxSum(z, len(dst))
}

// daxSum reads the rest of a frame, of which the last is padded, and with it the sum behind.
func daxSum(z io.Reader, done int) error {
	n, err := io.Copy(io.Discard, io.LimitReader(z, daxFrame+1))
	if err == nil && n+int64(done) > daxFrame {
		err = errLong
	}
	return err
}
