package hfs

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf16"

	"spindle/internal/lzfse"
)

// ErrPacked is what an error wraps about a file that is compressed in a way that is not known.
var ErrPacked = errors.New("it is compressed by the file system of a Mac in a way that spindle does not unpack")

const (
	packedBlock  = 64 << 10 // bytes of a file that are compressed together
	packedHeader = 16
	packedName   = "com.apple.decmpfs"
)

// A way is one in which a file is compressed: how its blocks are, and whether they are in its resource fork
// or behind the header.
type way struct {
	unpack func(dst, b []byte) error
	fork   bool
}

// ways are those of Darwin's bsd/sys/decmpfs.h and of what AppleFSCompression adds.
func ways() map[uint32]way {
	return map[uint32]way{
		1: {unpackStored, false},
		3: {unpackZlib, false}, 4: {unpackZlib, true},
		7: {unpackLZVN, false}, 8: {unpackLZVN, true},
		11: {unpackLZFSE, false}, 12: {unpackLZFSE, true},
	}
}

// Packed is the content of a file that the file system compresses. It implements [io.ReaderAt].
type Packed struct {
	Size   int64 // in bytes
	InFork bool  // it is in the resource fork

	unpack func(dst, b []byte) error
	inline []byte // what is not in the fork
	fork   *runReader
	places []Run // of the blocks in the fork

	mu    sync.Mutex
	block []byte // that was unpacked last
	at    int64  // its number
}

// Packed returns the content of an item that is compressed. The error wraps [ErrPacked] where nothing says
// how, or nothing that is known.
func (v *Volume) Packed(i *Item) (*Packed, error) {
	b, err := v.attribute(i.ID, packedName)
	if err != nil {
		return nil, err
	}
	if len(b) < packedHeader || string(b[:4]) != "fpmc" {
		return nil, fmt.Errorf("%w: nothing states how", ErrPacked)
	}
	kind, size := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint64(b[8:])
	w, ok := ways()[kind]
	if !ok {
		return nil, fmt.Errorf("%w: it is of kind %d", ErrPacked, kind)
	}
	if size > 1<<40 || !w.fork && size > packedBlock {
		return nil, malformed("file %d is said to have %d bytes", i.ID, size)
	}
	p := &Packed{Size: int64(size), InFork: w.fork, unpack: w.unpack, inline: b[packedHeader:], at: -1}
	if !w.fork {
		return p, nil
	}
	runs, err := v.Runs(&i.Resource)
	if err != nil {
		return nil, err
	}
	p.fork = &runReader{v.r, runs}
	if kind == 4 {
		return p, p.readResource(i.Resource.Size)
	}
	return p, p.readTable(i.Resource.Size)
}

// blocks is how many there are.
func (p *Packed) blocks() int64 { return (p.Size + packedBlock - 1) / packedBlock }

// readResource finds the blocks in a resource: their number, and the place and length of each.
func (p *Packed) readResource(size int64) error {
	var h [4]byte
	if err := readFull(p.fork, h[:], 0); err != nil {
		return malformed("its resource fork: %w", err)
	}
	begin := int64(binary.BigEndian.Uint32(h[:])) + 4 // behind the length of the resource
	n := p.blocks()
	if begin+4+8*n > size {
		return malformed("a table of %d blocks at byte %d of a resource fork of %d", n, begin, size)
	}
	b := make([]byte, 4+8*n)
	if err := readFull(p.fork, b, begin); err != nil {
		return malformed("its resource fork: %w", err)
	}
	le := binary.LittleEndian
	if int64(le.Uint32(b)) != n {
		return malformed("%d compressed blocks of %d", le.Uint32(b), n)
	}
	for k := range n {
		at, length := begin+int64(le.Uint32(b[4+8*k:])), int64(le.Uint32(b[8+8*k:]))
		if err := p.add(at, length, size); err != nil {
			return err
		}
	}
	return nil
}

// readTable finds the blocks in a fork that begins with where each of them begins, and where the last ends.
func (p *Packed) readTable(size int64) error {
	n := p.blocks()
	if 4*(n+1) > size {
		return malformed("a table of %d blocks in a resource fork of %d bytes", n, size)
	}
	b := make([]byte, 4*(n+1))
	if err := readFull(p.fork, b, 0); err != nil {
		return malformed("its resource fork: %w", err)
	}
	le := binary.LittleEndian
	for k := range n {
		at := int64(le.Uint32(b[4*k:]))
		if err := p.add(at, int64(le.Uint32(b[4*k+4:]))-at, size); err != nil {
			return err
		}
	}
	return nil
}

func (p *Packed) add(at, length, size int64) error {
	if length < 1 || length > 2*packedBlock || at+length > size {
		return malformed("a compressed block of %d bytes at byte %d of a resource fork of %d", length, at, size)
	}
	p.places = append(p.places, Run{at, length})
	return nil
}

// ReadAt implements [io.ReaderAt].
func (p *Packed) ReadAt(b []byte, off int64) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := 0
	for done < len(b) && off < p.Size {
		n := off / packedBlock
		if err := p.load(n); err != nil {
			return done, err
		}
		k := copy(b[done:], p.block[off-n*packedBlock:])
		done, off = done+k, off+int64(k)
	}
	if done < len(b) {
		return done, io.EOF
	}
	return done, nil
}

// load unpacks a block.
func (p *Packed) load(n int64) error {
	if n == p.at {
		return nil
	}
	b := p.inline
	if p.InFork {
		b = make([]byte, p.places[n].Size)
		if err := readFull(p.fork, b, p.places[n].At); err != nil {
			return err
		}
	}
	p.at, p.block = -1, make([]byte, min(packedBlock, p.Size-n*packedBlock))
	if err := p.unpack(p.block, b); err != nil {
		return malformed("compressed block %d: %w", n, err)
	}
	p.at = n
	return nil
}

func unpackStored(dst, b []byte) error {
	if copy(dst, b) < len(dst) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// unpackZlib unpacks a block of zlib, or one behind a byte that no stream of it begins with.
func unpackZlib(dst, b []byte) error {
	if len(b) > 0 && b[0]&0x0F == 0x0F {
		return unpackStored(dst, b[1:])
	}
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(z, dst); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(z, 1)) // up to the checksum
	return err
}

// unpackLZVN unpacks a block without the head that LZFSE gives it.
func unpackLZVN(dst, b []byte) error {
	const stored = 0x06
	if len(b) > 0 && b[0] == stored {
		return unpackStored(dst, b[1:])
	}
	le := binary.LittleEndian
	head := le.AppendUint32(le.AppendUint32([]byte("bvxn"), uint32(len(dst))), uint32(len(b)))
	return unpackStream(dst, append(append(head, b...), "bvx$"...))
}

func unpackLZFSE(dst, b []byte) error {
	const stored = 0xFF
	if len(b) > 0 && b[0] == stored {
		return unpackStored(dst, b[1:])
	}
	return unpackStream(dst, b)
}

func unpackStream(dst, b []byte) error {
	n, err := lzfse.Decode(dst, b)
	if err == nil && n < len(dst) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// attribute returns an extended attribute of a file, nil where it has none of the name (TN1150, "Attributes
// File"; Darwin's bsd/hfs/hfs_format.h). One in blocks of its own is none that is read.
func (v *Volume) attribute(id uint32, name string) ([]byte, error) {
	if v.attributes == nil {
		return nil, nil
	}
	be := binary.BigEndian
	want := utf16.Encode([]rune(name))
	compare := func(key []byte) int {
		if len(key) < 12 {
			return -1
		}
		var have []uint16
		for b := key[12:min(len(key), 12+2*int(be.Uint16(key[10:])))]; len(b) >= 2; b = b[2:] {
			have = append(have, be.Uint16(b))
		}
		return cmp.Or(cmp.Compare(be.Uint32(key[2:]), id), compareUnits(have, want), cmp.Compare(be.Uint32(key[6:]), 0))
	}
	var found []byte
	err := v.attributes.walk(compare, func(key, data []byte) bool {
		c := compare(key)
		const inline, head = 0x10, 16
		if c == 0 && len(data) >= head && be.Uint32(data) == inline {
			found = data[head:min(int64(len(data)), head+int64(be.Uint32(data[12:])))]
		}
		return c < 0
	})
	return found, err
}

// compareUnits compares names of attributes, which are in the order of their units.
func compareUnits(a, b []uint16) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}
