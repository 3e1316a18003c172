// Package hunks reads CHD files, MAME's "compressed hunks of data", of versions 1 to 5, and
// writes those of version 5:
// what a disc or disk holds, cut into hunks of equal size that are compressed one by one.
// It gives their content at any place, and their metadata; what that means is for others
// to say.
//
// The source is MAME's own: chd.h, chd.cpp and chdcodec.cpp in src/lib/util.
package hunks

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"sync"

	"spindle/disc/cdsector"
	"spindle/internal/packed"
)

// ErrFormat is what errors about a file that is no CHD wrap, or one that breaks the format.
var ErrFormat = errors.New("not a valid CHD")

// ErrUnsupported is what errors about a CHD wrap that is valid, but cannot be read.
var ErrUnsupported = errors.New("a kind of CHD that spindle does not read")

// A DamagedError says that a hunk cannot be read. It wraps [packed.ErrDamaged].
type DamagedError struct {
	Hunk   int64
	Offset int64 // of what is stored of it in the file, in bytes
	Err    error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("hunk %d, at byte %d of the file: %v", e.Hunk, e.Offset, e.Err)
}

func (e *DamagedError) Unwrap() []error { return []error{packed.ErrDamaged, e.Err} }

// A cutError says that a file ends too early. It wraps [packed.ErrDamaged].
type cutError struct{}

func (cutError) Error() string { return "it was cut short" }

func (cutError) Unwrap() error { return packed.ErrDamaged }

// errSum means that a hunk has another checksum than the map states.
var errSum = errors.New("its checksum is wrong")

// A File is an opened CHD. It is an [io.ReaderAt] of what the CHD holds, for any number of
// goroutines.
type File struct {
	r      io.ReaderAt
	size   int64 // of the file
	h      header
	table  table
	codecs [4]decoder
	parent *File
	meta   []Metadata
	summed int64  // bytes of metadata
	watch  *watch // nil: nothing is hashed
	cache  *cache[[]byte]
	bufs   sync.Pool // of *[]byte for compressed hunks
}

// crc16Start is the CRC-16 of nothing, in hunks and maps.
const crc16Start uint16 = 0xFFFF

// cacheBytes is about how much of what was decoded is kept.
const cacheBytes = 1 << 20

// Open opens a CHD of size bytes. One that [File.Parent] says to have a parent can be read
// when that is set.
func Open(r io.ReaderAt, size int64) (*File, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	f := &File{r: r, size: size, h: *h}
	if f.codecs, err = h.decoders(); err != nil {
		return nil, err
	}
	if f.table, err = openTable(r, size, h); err != nil {
		return nil, err
	}
	if f.meta, err = readMetadata(r, size, h.metaOffset); err != nil {
		return nil, err
	}
	for _, m := range f.meta {
		f.summed += m.length
	}
	f.cache = newCache[[]byte](max(4, cacheBytes/h.hunkBytes))
	f.bufs.New = func() any {
		b := make([]byte, h.hunkBytes)
		return &b
	}
	return f, nil
}

// Size is the size of what the CHD holds, in bytes.
func (f *File) Size() int64 { return f.h.logicalBytes }

// UnitSize is the size of its units in bytes, or 0 where the file does not state it: files
// older than version 5.
func (f *File) UnitSize() int { return f.h.unitBytes }

// HunkSize is the size of its hunks in bytes.
func (f *File) HunkSize() int { return f.h.hunkBytes }

// Metadata returns the metadata, in their order. They are not to be modified.
func (f *File) Metadata() []Metadata { return f.meta }

// ID returns what names this CHD in others.
func (f *File) ID() ID { return f.h.id }

// Parent returns what names the CHD that this one holds the differences from, and whether
// there is one.
func (f *File) Parent() (ID, bool) { return f.h.parent, f.h.hasParent }

// SetParent sets the parent before anything is read.
func (f *File) SetParent(p *File) { f.parent = p }

// ReadAt implements [io.ReaderAt]. The error for what cannot be decoded is a [*DamagedError].
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("hunks: negative offset")
	}
	short := false
	if left := f.h.logicalBytes - off; int64(len(p)) > left {
		p, short = p[:max(0, left)], true
	}
	hunk := int64(f.h.hunkBytes)
	done := 0
	for done < len(p) {
		n, err := f.readSome(p[done:], off+int64(done), hunk)
		done += n
		if err != nil {
			return done, err
		}
	}
	if short {
		return done, io.EOF
	}
	return done, nil
}

// readSome fills p, or as much of it as lies in as many hunks as there are processors, each
// of which decodes one.
func (f *File) readSome(p []byte, off, hunk int64) (int, error) {
	procs := int64(runtime.GOMAXPROCS(0))
	first := off / hunk
	last := min((off+int64(len(p))-1)/hunk, first+procs-1)
	end := int(min(int64(len(p)), (last+1)*hunk-off))
	if first == last {
		b, err := f.hunk(first)
		if err != nil {
			return 0, err
		}
		return copy(p[:end], b[off-first*hunk:]), nil
	}
	errs := make([]error, last-first+1)
	var wg sync.WaitGroup
	for n := first; n <= last; n++ {
		wg.Go(func() {
			b, err := f.hunk(n)
			if err != nil {
				errs[n-first] = err
				return
			}
			from := max(0, n*hunk-off)
			copy(p[from:end], b[off+from-n*hunk:])
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return int(max(0, (first+int64(i))*hunk-off)), err
		}
	}
	return end, nil
}

// hunk returns a hunk, which is not to be modified.
func (f *File) hunk(n int64) ([]byte, error) {
	b, ok := f.cache.get(n)
	if !ok {
		b = make([]byte, f.h.hunkBytes)
		if err := f.decode(b, n); err != nil {
			return nil, err
		}
		f.cache.put(n, b)
	}
	f.saw(n, b)
	return b, nil
}

// maxSelf bounds how many hunks may be the same as another one in a chain, which has an end
// unless it is a circle.
const maxSelf = 64

// decode fills b with a hunk.
func (f *File) decode(b []byte, n int64) error {
	at := n
	e, err := f.table.entry(at)
	for i := 0; err == nil && e.kind == self; i++ {
		if e.offset < 0 || e.offset >= f.h.hunks || i == maxSelf {
			return &DamagedError{n, f.h.mapOffset, fmt.Errorf("the map there says that it is the same as hunk %d, which leads nowhere", e.offset)}
		}
		at = e.offset
		e, err = f.table.entry(at)
	}
	if err != nil {
		return &DamagedError{n, f.h.mapOffset, err}
	}
	if err := f.fill(b, &e); err != nil {
		return &DamagedError{n, e.offset, err}
	}
	return nil
}

// fill fills b with what an entry describes.
func (f *File) fill(b []byte, e *entry) error {
	switch e.kind {
	case zeros:
		clear(b)
		return nil
	case mini:
		for i := range b {
			b[i] = byte(uint64(e.offset) >> (56 - i%8*8))
		}
	case inParent:
		return f.fromParent(b, e.offset)
	case plain:
		if err := f.stored(b, e.offset); err != nil {
			return err
		}
	default:
		if err := f.unpack(b, e); err != nil {
			return err
		}
	}
	switch {
	case e.sum == sumCRC16 && uint16(e.crc) != cdsector.ExtendCRC16(crc16Start, b),
		e.sum == sumCRC32 && e.crc != crc32.ChecksumIEEE(b):
		return errSum
	}
	return nil
}

// stored reads bytes of the file.
func (f *File) stored(b []byte, at int64) error {
	if at < 0 || at > f.size-int64(len(b)) {
		return fmt.Errorf("%d bytes there are beyond the end of the file, which has %d: %w", len(b), f.size, io.ErrUnexpectedEOF)
	}
	n, err := f.r.ReadAt(b, at)
	if n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

func (f *File) unpack(b []byte, e *entry) error {
	decode := f.codecs[e.kind]
	if decode == nil || e.length > len(b) {
		return fmt.Errorf("%d bytes compressed by codec %d, which there is not", e.length, e.kind)
	}
	buf := f.bufs.Get().(*[]byte)
	defer f.bufs.Put(buf)
	src := (*buf)[:e.length]
	if err := f.stored(src, e.offset); err != nil {
		return err
	}
	return decode(b, src)
}

// fromParent reads from the parent. What its last hunk has beyond its end is zeros.
func (f *File) fromParent(b []byte, at int64) error {
	if f.parent == nil || at < 0 || at >= f.parent.Size() {
		return fmt.Errorf("it is in the parent, which does not have the byte %d", at)
	}
	n, err := f.parent.ReadAt(b, at)
	if n < len(b) && errors.Is(err, io.EOF) {
		clear(b[n:])
		return nil
	}
	if n < len(b) {
		return fmt.Errorf("in the parent: %w", err)
	}
	return nil
}
