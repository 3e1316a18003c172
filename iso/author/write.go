package author

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// writer writes the image from its start to its end.
type writer struct {
	v    *volume
	ctx  context.Context
	out  *bufio.Writer
	at   int64 // bytes
	buf  []byte
	last error
}

// write writes the image.
func (v *volume) write(ctx context.Context, f *os.File) error {
	w := &writer{v: v, ctx: ctx, out: bufio.NewWriterSize(f, 1<<20), buf: make([]byte, 1<<20)}
	w.put(make([]byte, 16*blockSize))
	w.put(v.descriptor(primary))
	if len(v.boot) > 0 {
		w.put(v.bootRecord())
	}
	if !v.o.NoJoliet {
		w.put(v.descriptor(joliet))
	}
	end := make([]byte, blockSize)
	copy(end, "\xFFCD001\x01")
	w.put(end)
	for _, t := range v.trees() {
		w.put(v.pathTable(t, binary.LittleEndian))
		w.put(v.pathTable(t, binary.BigEndian))
	}
	for _, t := range v.trees() {
		for _, d := range v.dirs {
			w.put(v.records(d, t))
			if t == primary {
				w.put(append(d.ce, make([]byte, -len(d.ce)&(blockSize-1))...))
			}
		}
	}
	if len(v.boot) > 0 {
		w.put(v.bootCatalog())
	}
	for _, n := range v.files {
		if w.last != nil {
			break
		}
		if w.at != int64(n.block)*blockSize {
			return fmt.Errorf("%s would lie at byte %d, not %d", n.path, w.at, int64(n.block)*blockSize)
		}
		w.last = w.file(n)
	}
	if w.last != nil {
		return w.last
	}
	return w.out.Flush()
}

func (w *writer) put(b []byte) {
	if w.last != nil {
		return
	}
	_, w.last = w.out.Write(b)
	w.at += int64(len(b))
	if p := w.v.o.Progress; p != nil {
		p(w.at, int64(w.v.end)*blockSize)
	}
}

// file writes the content of a file, and zeros to the end of its last block.
func (w *writer) file(n *node) error {
	f, err := os.Open(n.path)
	if err != nil {
		return err
	}
	defer f.Close()
	var patch []byte
	for i := range w.v.boot {
		if b := &w.v.boot[i]; b.node == n && b.InfoTable {
			if patch, err = infoTable(f, n); err != nil {
				return err
			}
		}
	}
	left := n.size
	for left > 0 {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		p := w.buf[:min(int64(len(w.buf)), left)]
		if _, err := io.ReadFull(f, p); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = ErrChanged
			}
			return fmt.Errorf("%s: %w", n.path, err)
		}
		if patch != nil {
			copy(p[8:], patch)
			patch = nil
		}
		w.put(p)
		left -= int64(len(p))
	}
	if k, err := f.Read(w.buf[:1]); k > 0 || err == nil {
		return fmt.Errorf("%s: %w", n.path, ErrChanged)
	}
	w.put(make([]byte, -n.size&(blockSize-1)))
	return w.last
}

// infoTable makes what a boot image with an information table gets at byte 8: where
// the volume and itself are, its length, and the sum of its words from byte 64 on
// (mkisofs(8), "EL TORITO BOOT INFORMATION TABLE").
func infoTable(f *os.File, n *node) ([]byte, error) {
	var sum uint32
	r := bufio.NewReaderSize(io.NewSectionReader(f, 64, n.size-64), 1<<16)
	for {
		var word [4]byte
		k, err := io.ReadFull(r, word[:])
		if k > 0 {
			sum += binary.LittleEndian.Uint32(word[:])
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	b := make([]byte, 56)
	binary.LittleEndian.PutUint32(b, 16)
	binary.LittleEndian.PutUint32(b[4:], n.block)
	binary.LittleEndian.PutUint32(b[8:], uint32(n.size))
	binary.LittleEndian.PutUint32(b[12:], sum)
	return b, nil
}
