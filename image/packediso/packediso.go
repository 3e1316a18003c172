// Package packediso writes compressed .iso files: .iso.zst and .iso.gz. What package packed reads needs no
// format of its own. Both are made of pieces that are compressed alone, on all processors, one behind the
// other, as both formats allow: zstd and gzip unpack them like any other file.
package packediso

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"spindle/image/format"
	"spindle/internal/blocks"
)

func init() {
	for _, k := range kinds() {
		format.Register(format.Format{Name: k.name, Suffixes: []string{k.suffix}, Create: k.create})
	}
}

// A kind is a way to compress. end makes what stands behind the pieces.
type kind struct {
	name, suffix string
	codec        func() func([]byte) ([]byte, error)
	end          func([]piece) []byte
}

// A piece is what was compressed alone, in bytes.
type piece struct{ packed, plain int }

// pieceSize is how much is compressed at a time: what is unpacked to read one sector.
const pieceSize = 1 << 20

func kinds() []kind {
	return []kind{
		{"ISO in zstd", ".zst", newZstd, seekTable},
		{"ISO in gzip", ".gz", newGzip, func([]piece) []byte { return nil }},
	}
}

// create writes the user data of one data track.
func (k *kind) create(o *format.Output) error {
	if inner := filepath.Ext(o.Base()); !strings.EqualFold(inner, ".iso") {
		return &format.SuffixError{Suffix: inner + k.suffix, Known: []string{".iso" + k.suffix}}
	}
	t, _, err := o.ReserveISO()
	if err != nil {
		return err
	}
	return o.Write(o.Path, func(f *os.File) error {
		w := k.newWriter(f)
		defer w.packer.Close()
		if err := o.CopyAs(t, t.Start, t.End, format.UserData, w.packer.Write); err != nil {
			return err
		}
		return w.close()
	})
}

// A writer writes a compressed file.
type writer struct {
	f      io.Writer
	k      *kind
	packer *blocks.Packer
	pieces []piece
}

func (k *kind) newWriter(f io.Writer) *writer {
	w := &writer{f: f, k: k}
	w.packer = blocks.NewPacker(pieceSize, k.codec, func(packed, plain []byte) error {
		w.pieces = append(w.pieces, piece{len(packed), len(plain)})
		_, err := f.Write(packed)
		return err
	})
	return w
}

func (w *writer) close() error {
	if err := w.packer.Close(); err != nil {
		return err
	}
	_, err := w.f.Write(w.k.end(w.pieces))
	return err
}

// newZstd makes a frame, with its size and a checksum, of each piece.
func newZstd() func([]byte) ([]byte, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	return func(b []byte) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return e.EncodeAll(b, nil), nil
	}
}

// newGzip makes a member of each piece.
func newGzip() func([]byte) ([]byte, error) {
	z := gzip.NewWriter(io.Discard)
	return func(b []byte) ([]byte, error) {
		var out bytes.Buffer
		z.Reset(&out)
		if _, err := z.Write(b); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		return out.Bytes(), nil
	}
}

// seekTable says where the frames are, in one that is passed over (zstd's contrib/seekable_format,
// version 0.1.0).
func seekTable(pieces []piece) []byte {
	const skippable, magic, entry, foot = 0x184D2A5E, 0x8F92EAB1, 8, 9
	b := binary.LittleEndian.AppendUint32(nil, skippable)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(pieces)*entry+foot))
	for _, p := range pieces {
		b = binary.LittleEndian.AppendUint32(b, uint32(p.packed))
		b = binary.LittleEndian.AppendUint32(b, uint32(p.plain))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(pieces)))
	b = append(b, 0) // no checksums: the frames have their own
	return binary.LittleEndian.AppendUint32(b, magic)
}
