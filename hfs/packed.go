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

// Packed is the content of a file that the file system compresses. It implements [io.ReaderAt]. Of the table of
// its blocks, which may be larger than memory, it has a piece at a time.
type Packed struct {
	Size   int64 // in bytes
	InFork bool  // it is in the resource fork

	unpack   func(dst, b []byte) error
	inline   []byte // what is not in the fork
	v        *Volume
	resource Fork
	stride   int64 // bytes from an entry of the table to the next

	mu    sync.Mutex
	fork  *runReader // nil: not opened yet
	begin int64      // the byte in the fork that places are counted from
	table []byte     // entries of the table
	first int64      // the block of the first of them
	block []byte     // that was unpacked last
	at    int64      // its number
}

// Packed returns the content of an item that is compressed. The error wraps [ErrPacked] where nothing says
// how, or nothing that is known. The resource fork is not read before the content is.
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
	p := &Packed{Size: int64(size), InFork: w.fork, unpack: w.unpack, v: v, resource: i.Resource, at: -1}
	if !w.fork {
		p.inline = bytes.Clone(b[packedHeader:])
		return p, nil
	}
	if p.stride = offsetEntry; kind == 4 {
		p.stride = resourceEntry
	}
	if n := p.blocks(); p.stride*n+4 > i.Resource.Size {
		return nil, malformed("a table of %d blocks in a resource fork of %d bytes", n, i.Resource.Size)
	}
	return p, nil
}

// Tables of blocks have entries of two kinds.
const (
	resourceEntry = 8 // place and length of a block, in a resource behind the number of them
	offsetEntry   = 4 // where in the fork a block begins; one more says where the last ends
)

// blocks is how many there are.
func (p *Packed) blocks() int64 { return (p.Size + packedBlock - 1) / packedBlock }

// open finds the resource fork, and the table in it.
func (p *Packed) open() error {
	if p.fork != nil {
		return nil
	}
	runs, err := p.v.Runs(&p.resource)
	if err != nil {
		return err
	}
	fork := &runReader{p.v.r, runs}
	if p.stride == resourceEntry {
		var h [4]byte
		if err := readFull(fork, h[:], 0); err != nil {
			return fmt.Errorf("its resource fork: %w", err)
		}
		begin, n := int64(binary.BigEndian.Uint32(h[:]))+4, p.blocks() // behind the length of the resource
		if begin+4+resourceEntry*n > p.resource.Size {
			return malformed("a table of %d blocks at byte %d of a resource fork of %d", n, begin, p.resource.Size)
		}
		if err := readFull(fork, h[:], begin); err != nil {
			return fmt.Errorf("its resource fork: %w", err)
		}
		if stated := binary.LittleEndian.Uint32(h[:]); int64(stated) != n {
			return malformed("%d compressed blocks of %d", stated, n)
		}
		p.begin = begin
	}
	p.fork = fork
	return nil
}

// place finds a block in the fork.
func (p *Packed) place(n int64) (Run, error) {
	const most = 512 // entries that are read together
	if err := p.open(); err != nil {
		return Run{}, err
	}
	if p.table == nil || n < p.first || n >= p.first+most {
		first := n - n%most
		from, size := p.stride*first, p.stride*min(most, p.blocks()-first)
		if p.stride == resourceEntry {
			from += p.begin + 4
		} else {
			size += offsetEntry
		}
		b := make([]byte, size)
		if err := readFull(p.fork, b, from); err != nil {
			return Run{}, fmt.Errorf("its resource fork: %w", err)
		}
		p.table, p.first = b, first
	}
	e := p.table[p.stride*(n-p.first):]
	x, y := int64(binary.LittleEndian.Uint32(e)), int64(binary.LittleEndian.Uint32(e[4:]))
	at, length := p.begin+x, y
	if p.stride == offsetEntry {
		length = y - x
	}
	if length < 1 || length > 2*packedBlock || at+length > p.resource.Size {
		return Run{}, malformed("a compressed block of %d bytes at byte %d of a resource fork of %d", length, at, p.resource.Size)
	}
	return Run{at, length}, nil
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
		place, err := p.place(n)
		if err != nil {
			return err
		}
		b = make([]byte, place.Size)
		if err := readFull(p.fork, b, place.At); err != nil {
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
		return nil, v.attributesErr
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
