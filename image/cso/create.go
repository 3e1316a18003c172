package cso

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"spindle/image/format"
	"spindle/internal/blocks"
)

const (
	// newBlock is the size of the blocks of new files: all programs read it.
	newBlock = 2048
	// batch is how much is compressed at a time.
	batch = 64 * newBlock
)

// packedBatch is the blocks of a batch, one after the other.
type packedBatch struct {
	data    []byte
	entries []entry
}

// An entry is the length of a block, and whether it is plain.
type entry struct {
	length int
	plain  bool
}

// A kind is a format that is written.
type kind struct {
	magic string
	codec func() compressor
}

var (
	kindCSO = kind{"CISO", newDeflater}
	kindZSO = kind{"ZISO", newLZ4}
)

// create writes the user data of one data track.
func (k kind) create(o *format.Output) error {
	t, size, err := o.ReserveISO()
	if err != nil {
		return err
	}
	return o.Write(o.Path, func(f *os.File) error {
		w := k.newWriter(f, size)
		defer w.packer.Close()
		if err := o.CopyAs(t, t.Start, t.End, format.UserData, w.packer.Write); err != nil {
			return err
		}
		return w.end()
	})
}

// A writer writes a CSO or ZSO.
type writer struct {
	f      io.WriterAt
	packer *blocks.Packer
	head   []byte // header and index
	count  int64  // blocks
	next   int64  // of them
	at     int64  // where the next begins in the file
	shift  uint   // blocks begin at multiples of 2^shift bytes
}

func (k kind) newWriter(f io.WriterAt, size int64) *writer {
	w := &writer{f: f, count: (size + newBlock - 1) / newBlock}
	w.head = make([]byte, headerSize+(w.count+1)*entrySize)
	copy(w.head, k.magic)
	binary.LittleEndian.PutUint32(w.head[4:], headerSize)
	binary.LittleEndian.PutUint64(w.head[8:], uint64(size))
	binary.LittleEndian.PutUint32(w.head[16:], newBlock)
	w.head[20] = 1
	for w.worst(size) >= plainBit {
		w.shift++
	}
	w.head[21] = byte(w.shift)
	w.at = w.aligned(int64(len(w.head)))
	w.packer = blocks.NewPacker(batch, func() func([]byte) (packedBatch, error) {
		pack := k.codec()
		return func(b []byte) (packedBatch, error) { return packBatch(b, pack) }
	}, w.emit)
	return w
}

// worst is the largest number that the index may have to state: a block is stored plain where
// it would not become smaller.
func (w *writer) worst(size int64) int64 {
	return (w.aligned(int64(len(w.head))) + size + w.count<<w.shift) >> w.shift
}

// aligned is the first place from a byte on where a block can begin.
func (w *writer) aligned(at int64) int64 { return (at + 1<<w.shift - 1) >> w.shift << w.shift }

func packBatch(b []byte, pack compressor) (packedBatch, error) {
	var out packedBatch
	for len(b) > 0 {
		block := b[:min(len(b), newBlock)]
		b = b[len(block):]
		packed, err := pack(block)
		if err != nil {
			return out, err
		}
		plain := packed == nil
		if plain {
			packed = block
		}
		out.data = append(out.data, packed...)
		out.entries = append(out.entries, entry{len(packed), plain})
	}
	return out, nil
}

// emit writes a batch.
func (w *writer) emit(b packedBatch, _ []byte) error {
	if w.shift == 0 {
		return w.write(b.data, b.entries)
	}
	for _, e := range b.entries {
		padded := append([]byte{}, b.data[:e.length]...)
		b.data = b.data[e.length:]
		e.length = int(w.aligned(int64(e.length)))
		padded = append(padded, make([]byte, e.length-len(padded))...)
		if err := w.write(padded, []entry{e}); err != nil {
			return err
		}
	}
	return nil
}

// write writes blocks that follow one another.
func (w *writer) write(data []byte, entries []entry) error {
	if w.next+int64(len(entries)) > w.count {
		return errMore
	}
	if _, err := w.f.WriteAt(data, w.at); err != nil {
		return err
	}
	for _, e := range entries {
		v := uint32(w.at >> w.shift)
		if e.plain {
			v |= plainBit
		}
		w.set(v)
		w.at += int64(e.length)
	}
	return nil
}

// errMore means that there is more to write than was said.
var errMore = errors.New("cso: more was written than there is room for")

// set sets the next entry of the index.
func (w *writer) set(v uint32) {
	binary.LittleEndian.PutUint32(w.head[headerSize+w.next*entrySize:], v)
	w.next++
}

// end writes the header and the index.
func (w *writer) end() error {
	if err := w.packer.Close(); err != nil {
		return err
	}
	if w.next != w.count {
		return io.ErrShortWrite
	}
	w.set(uint32(w.at >> w.shift))
	_, err := w.f.WriteAt(w.head, 0)
	return err
}
