package vhd

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"os"

	"spindle/image/format"
)

// newBlock is the size of the blocks of new dynamic disks, as all programs have them.
const newBlock = 2 << 20

// maxDisk is the largest disk that the specification knows, in bytes.
const maxDisk = 2040 << 30

// create writes the user data of one data track as the content of a disk, dynamic or fixed.
func create(o *format.Output) error {
	kind, err := o.OneCodec("dynamic", "fixed")
	if err != nil {
		return err
	}
	t, size, err := o.ReserveISO()
	if err != nil {
		return err
	}
	if size > maxDisk {
		return errors.New("a VHD holds at most 2040 GiB")
	}
	return o.Write(o.Path, func(f *os.File) error {
		w := newWriter(f, size, kind == "fixed")
		if err := o.CopyAs(t, t.Start, t.End, format.UserData, w.Write); err != nil {
			return err
		}
		return w.end()
	})
}

// A writer writes a disk of a known size.
type writer struct {
	f     io.WriterAt
	size  int64
	fixed bool
	hash  hash.Hash // of the content, which the unique id of the disk is made of
	table []byte
	buf   []byte // of the block that is not complete: its bitmap, and what there is of it
	n     int64  // of that block
	at    int64  // where the next block stands
}

func newWriter(f io.WriterAt, size int64, fixed bool) *writer {
	w := &writer{f: f, size: size, fixed: fixed, hash: sha256.New()}
	if fixed {
		return w
	}
	entries := (size + newBlock - 1) / newBlock
	w.table = make([]byte, (entries*entrySize+sectorSize-1)/sectorSize*sectorSize)
	for i := range w.table {
		w.table[i] = 0xFF
	}
	w.at = footerSize + headerSize + int64(len(w.table))
	w.buf = append(make([]byte, 0, sectorSize+newBlock), bytes.Repeat([]byte{0xFF}, sectorSize)...)
	return w
}

// Write takes more of the content.
func (w *writer) Write(p []byte) (int, error) {
	w.hash.Write(p)
	if w.fixed {
		n, err := w.f.WriteAt(p, w.at)
		w.at += int64(n)
		return n, err
	}
	done := 0
	for done < len(p) {
		k := min(len(p)-done, cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[done:done+k]...)
		done += k
		if len(w.buf) == cap(w.buf) {
			if err := w.block(); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// block writes a block, unless it is all zeros. Each has a bitmap of the sectors that are used.
func (w *writer) block() error {
	b, n := w.buf, w.n
	w.buf, w.n = w.buf[:sectorSize], w.n+1
	if isZero(b[sectorSize:]) {
		return nil
	}
	have := len(b)
	b = b[:cap(b)]
	clear(b[have:])
	if _, err := w.f.WriteAt(b, w.at); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(w.table[n*entrySize:], uint32(w.at/sectorSize))
	w.at += int64(len(b))
	return nil
}

// isZero compares each byte with the next.
func isZero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}

// end writes what stands before and behind the blocks.
func (w *writer) end() error {
	if len(w.buf) > sectorSize {
		if err := w.block(); err != nil {
			return err
		}
	}
	foot := w.footer()
	if _, err := w.f.WriteAt(foot, w.at); err != nil || w.fixed {
		return err
	}
	head := append(append(foot, w.header()...), w.table...)
	_, err := w.f.WriteAt(head, 0)
	return err
}

// footer makes the footer. It has no time, and an id that depends on the content, so that the
// same image gives the same file.
func (w *writer) footer() []byte {
	b := make([]byte, footerSize)
	copy(b, magic)
	binary.BigEndian.PutUint32(b[8:], 2) // reserved, always set
	binary.BigEndian.PutUint32(b[12:], 1<<16)
	binary.BigEndian.PutUint64(b[16:], footerSize)
	kind := uint32(typeDynamic)
	if w.fixed {
		kind = typeFixed
		binary.BigEndian.PutUint64(b[16:], 1<<64-1)
	}
	// By the creator, readers decide whether a disk has the size that is stated, or that of its
	// geometry, which is rounded: for this one, the first.
	copy(b[28:], "win ")
	binary.BigEndian.PutUint32(b[32:], 6<<16|1)
	copy(b[36:], "Wi2k")
	binary.BigEndian.PutUint64(b[40:], uint64(w.size))
	binary.BigEndian.PutUint64(b[48:], uint64(w.size))
	cylinders, heads, sectors := geometry(w.size / sectorSize)
	binary.BigEndian.PutUint16(b[56:], uint16(cylinders))
	b[58], b[59] = byte(heads), byte(sectors)
	binary.BigEndian.PutUint32(b[60:], kind)
	id := w.hash.Sum(nil)[:16]
	id[6], id[8] = id[6]&0x0F|0x80, id[8]&0x3F|0x80 // RFC 9562: a version of one's own
	copy(b[68:], id)
	binary.BigEndian.PutUint32(b[64:], checksum(b, 64))
	return b
}

func (w *writer) header() []byte {
	b := make([]byte, headerSize)
	copy(b, magicDynamic)
	binary.BigEndian.PutUint64(b[8:], 1<<64-1)
	binary.BigEndian.PutUint64(b[16:], footerSize+headerSize)
	binary.BigEndian.PutUint32(b[24:], 1<<16)
	binary.BigEndian.PutUint32(b[28:], uint32((w.size+newBlock-1)/newBlock))
	binary.BigEndian.PutUint32(b[32:], newBlock)
	binary.BigEndian.PutUint32(b[36:], checksum(b, 36))
	return b
}

// geometry computes cylinders, heads and sectors of a disk, as the specification's appendix does.
func geometry(total int64) (cylinders, heads, sectors int64) {
	const most = 65535
	total = min(total, most*16*255)
	if total >= most*16*63 {
		return total / 255 / 16, 16, 255
	}
	sectors = 17
	tracks := total / sectors
	heads = max(4, (tracks+1023)/1024)
	if tracks >= heads*1024 || heads > 16 {
		sectors, heads = 31, 16
		tracks = total / sectors
	}
	if tracks >= heads*1024 {
		sectors, heads = 63, 16
		tracks = total / sectors
	}
	return tracks / heads, heads, sectors
}
