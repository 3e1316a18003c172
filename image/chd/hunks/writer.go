package hunks

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"slices"
)

// WriterOptions say what kind of CHD a [Writer] makes.
type WriterOptions struct {
	// Codecs are the names of at most four, as "cdzl". Each hunk is compressed by all, and
	// the smallest result kept. Without any, the CHD is not compressed.
	Codecs    []string
	HunkBytes int
	UnitBytes int
	Size      int64      // of what will be written, in bytes
	Metadata  []Metadata // their offsets do not matter
}

// A WriterFile takes what is written one after the other, and at its start again.
type WriterFile interface {
	io.Writer
	io.WriterAt
}

// ErrSize is returned by [Writer.Close] when not as much was written as was announced.
var ErrSize = errors.New("hunks: another number of bytes was announced")

// ErrCodec is what [NewWriter] returns for a codec that it does not write, or not for such
// hunks.
var ErrCodec = errors.New("hunks: no such codec")

// A Writer makes a CHD of version 5 of what is written to it, on all processors. It needs
// some hunks of memory for each of them, and eight bytes for each hunk.
type Writer struct {
	ctx  context.Context
	f    WriterFile
	o    WriterOptions
	h    header
	meta []byte
	cur  *job
	free chan *job
	work chan *job // for whoever compresses
	line chan *job // all, for whoever writes

	fed    int64               // hunks
	taken  int64               // bytes
	known  map[[16]byte]uint32 // hunks, by the start of their SHA-256: there are files that differ and have one SHA-1
	end    chan struct{}       // closed when all is written
	failed chan struct{}       // closed when writing or compressing failed
	err    error               // once failed or end is closed
	out    written             // of whoever writes
	closed bool
}

// A job is a hunk on its way.
type job struct {
	in   []byte
	size int    // of in that counts
	same int64  // the hunk that it equals, or -1
	out  []byte // compressed
	kind kind
	crc  uint16
	err  error
	done chan struct{}
}

// written is what became of the hunks.
type written struct {
	sum   hash.Hash // of the content
	at    int64     // of the file
	hunks []storedHunk
}

// storedHunk is what the map says of one: its length, or the hunk that it equals. In a CHD
// that is not compressed, it is where it is, in hunks.
type storedHunk struct {
	value uint32
	crc   uint16
	kind  kind
}

// mostKnown bounds how many hunks are remembered, to be found again: they take some 40 MB.
const mostKnown = 1 << 20

// NewWriter begins a CHD in an empty file. Close has to be called, also when the file is
// given up.
func NewWriter(ctx context.Context, f WriterFile, o WriterOptions) (*Writer, error) {
	w := &Writer{ctx: ctx, f: f, o: o, known: make(map[[16]byte]uint32), end: make(chan struct{}), failed: make(chan struct{})}
	w.h = header{version: 5, hunkBytes: o.HunkBytes, unitBytes: o.UnitBytes, logicalBytes: o.Size, mapOffset: 1}
	if o.HunkBytes > 0 {
		w.h.hunks = (o.Size + int64(o.HunkBytes) - 1) / int64(o.HunkBytes)
	}
	if err := w.h.check(2); err != nil {
		return nil, err
	}
	workers := min(runtime.GOMAXPROCS(0), 32)
	var packers []*packer
	for range workers {
		p, err := newPacker(o.Codecs, o.HunkBytes)
		if err != nil {
			return nil, err
		}
		packers = append(packers, p)
	}
	if err := w.begin(); err != nil {
		return nil, err
	}
	jobs := 8*workers + 8
	w.free, w.work, w.line = make(chan *job, jobs), make(chan *job, jobs), make(chan *job, jobs)
	for range jobs {
		w.free <- &job{in: make([]byte, o.HunkBytes), done: make(chan struct{}, 1)}
	}
	for _, p := range packers {
		go p.run(w.work)
	}
	go w.write()
	return w, nil
}

// begin writes room for the header, the metadata, and the map of a CHD that is not
// compressed.
func (w *Writer) begin() error {
	length := int64(headerLengths[5])
	if len(w.o.Codecs) == 0 {
		w.h.mapOffset = length
		length += 4 * w.h.hunks
	}
	w.h.metaOffset = 0
	if len(w.o.Metadata) > 0 {
		w.h.metaOffset = length
	}
	w.meta = metadataAt(length, w.o.Metadata)
	length += int64(len(w.meta))
	head := append(make([]byte, length-int64(len(w.meta))), w.meta...)
	if len(w.o.Codecs) == 0 { // hunks stand at their multiples
		hunk := int64(w.h.hunkBytes)
		head = append(head, make([]byte, (hunk-length%hunk)%hunk)...)
	}
	w.out = written{sum: sha1.New(), at: int64(len(head)), hunks: make([]storedHunk, 0, w.h.hunks)}
	_, err := w.f.Write(head)
	return err
}

// metadataAt makes the chain of metadata that stands at a place of the file.
func metadataAt(at int64, all []Metadata) []byte {
	var b []byte
	for i, m := range all {
		next := uint64(0)
		if i+1 < len(all) {
			next = uint64(at) + uint64(len(b)+entryHead+len(m.Data))
		}
		b = append(b, m.Tag...)
		b = binary.BigEndian.AppendUint32(b, inSum<<24|uint32(len(m.Data)))
		b = binary.BigEndian.AppendUint64(b, next)
		b = append(b, m.Data...)
	}
	return b
}

// Write takes content. It returns the context's error, or that of writing to the file.
func (w *Writer) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if w.cur == nil {
			if err := w.wait(); err != nil {
				return n, err
			}
		}
		k := copy(w.cur.in[w.cur.size:], p[n:])
		w.cur.size += k
		n += k
		if w.cur.size == len(w.cur.in) {
			w.send()
		}
	}
	return n, nil
}

// wait waits for an empty hunk.
func (w *Writer) wait() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.fed == w.h.hunks {
		return ErrSize
	}
	select {
	case <-w.failed:
		return w.err
	case <-w.ctx.Done():
		return w.ctx.Err()
	case j := <-w.free:
		j.size = 0
		w.cur = j
		return nil
	}
}

// send has a hunk compressed, unless it is known.
func (w *Writer) send() {
	j := w.cur
	w.cur = nil
	clear(j.in[j.size:])
	w.taken += int64(j.size)
	j.same = -1
	if len(w.o.Codecs) > 0 {
		sum := sha256.Sum256(j.in)
		key := [16]byte(sum[:])
		if n, ok := w.known[key]; ok {
			j.same = int64(n)
		} else if len(w.known) < mostKnown {
			w.known[key] = uint32(w.fed)
		}
	}
	w.fed++
	if j.same < 0 {
		w.work <- j
	} else {
		j.done <- struct{}{}
	}
	w.line <- j
}

// Close waits until all is written, and writes the map and the header, unless something
// failed or the context is done. It does not close the file. A second Close does nothing.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.cur != nil && w.cur.size > 0 {
		w.send()
	}
	close(w.work)
	close(w.line)
	<-w.end
	switch {
	case w.err != nil:
	case w.ctx.Err() != nil:
		w.err = w.ctx.Err()
	case w.taken != w.o.Size:
		w.err = fmt.Errorf("%w: %d, and there were %d", ErrSize, w.o.Size, w.taken)
	default:
		w.err = w.complete()
	}
	return w.err
}

// write stores the hunks in their order, and hashes the content while others are compressed.
func (w *Writer) write() {
	defer close(w.end)
	for j := range w.line {
		_, _ = w.out.sum.Write(j.in[:j.size])
		<-j.done
		if w.err == nil && w.ctx.Err() == nil {
			if err := w.store(j); err != nil {
				w.err = err
				close(w.failed)
			}
		}
		w.free <- j
	}
}

// store writes a hunk.
func (w *Writer) store(j *job) error {
	if len(w.o.Codecs) == 0 {
		return w.storePlain(j)
	}
	if j.same >= 0 {
		w.out.hunks = append(w.out.hunks, storedHunk{value: uint32(j.same), kind: self})
		return nil
	}
	if j.err != nil {
		return j.err
	}
	data := j.out
	if j.kind == plain {
		data = j.in
	}
	w.out.hunks = append(w.out.hunks, storedHunk{uint32(len(data)), j.crc, j.kind})
	w.out.at += int64(len(data))
	_, err := w.f.Write(data)
	return err
}

// storePlain writes a hunk of a CHD that is not compressed. Zeros need not be.
func (w *Writer) storePlain(j *job) error {
	if len(bytes.TrimLeft(j.in, "\x00")) == 0 {
		w.out.hunks = append(w.out.hunks, storedHunk{})
		return nil
	}
	w.out.hunks = append(w.out.hunks, storedHunk{value: uint32(w.out.at / int64(w.h.hunkBytes))})
	w.out.at += int64(len(j.in))
	_, err := w.f.Write(j.in)
	return err
}

// complete writes the map and the header.
func (w *Writer) complete() error {
	if len(w.o.Codecs) == 0 {
		b := make([]byte, 0, 4*len(w.out.hunks))
		for _, h := range w.out.hunks {
			b = binary.BigEndian.AppendUint32(b, h.value)
		}
		if _, err := w.f.WriteAt(b, w.h.mapOffset); err != nil {
			return err
		}
	} else {
		w.h.mapOffset = w.out.at
		stored := int64(0)
		for _, h := range w.out.hunks {
			if h.kind != self {
				stored += int64(h.value)
			}
		}
		if _, err := w.f.Write(packMap(w.out.hunks, w.out.at-stored)); err != nil {
			return err
		}
	}
	raw := [20]byte(w.out.sum.Sum(nil))
	_, err := w.f.WriteAt(w.head(raw), 0)
	return err
}

// head makes the header, for content of that SHA-1.
func (w *Writer) head(raw [20]byte) []byte {
	be := binary.BigEndian
	b := append([]byte(Magic), make([]byte, headerLengths[5]-len(Magic))...)
	be.PutUint32(b[8:], uint32(len(b)))
	be.PutUint32(b[12:], 5)
	for i, name := range w.o.Codecs {
		copy(b[16+4*i:], name)
	}
	be.PutUint64(b[32:], uint64(w.h.logicalBytes))
	be.PutUint64(b[40:], uint64(w.h.mapOffset))
	be.PutUint64(b[48:], uint64(w.h.metaOffset))
	be.PutUint32(b[56:], uint32(w.h.hunkBytes))
	be.PutUint32(b[60:], uint32(w.h.unitBytes))
	copy(b[64:], raw[:])
	var sums []metadataSum
	for _, m := range w.o.Metadata {
		sums = append(sums, metadataSum{m.Tag, sha1.Sum(m.Data)})
	}
	all := withMetadata(raw, sums)
	copy(b[84:], all[:])
	return b
}

// metadataSum is the checksum of an entry.
type metadataSum struct {
	tag string
	sum [20]byte
}

// withMetadata is the SHA-1 of content and metadata.
func withMetadata(raw [20]byte, all []metadataSum) [20]byte {
	var list []string
	for _, m := range all {
		list = append(list, m.tag+string(m.sum[:]))
	}
	slices.Sort(list)
	b := raw[:]
	for _, s := range list {
		b = append(b, s...)
	}
	return sha1.Sum(b)
}
