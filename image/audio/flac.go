package audio

import (
	"bufio"
	"context"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/mewkiz/flac/frame"
)

// flacReader gives the samples of a FLAC file (RFC 9639) at any place. Reading
// forwards decodes as it goes; a step back begins at the last place known before.
type flacReader struct {
	r    io.ReaderAt
	name string // of the file, for errors
	size int64  // of the file
	data int64  // where the frames begin

	total int64          // bytes of samples
	md5   [md5.Size]byte // of the samples, as the file states it; zeros where it does not

	mu     sync.Mutex
	points []flacPoint // some of the frames that were passed
	in     *bufio.Reader
	count  *countingReader
	buf    []byte // samples of the last frame
	at     int64  // byte of samples at which buf begins
}

// flacPoint is where a frame begins, in the file and in the samples.
type flacPoint struct{ file, at int64 }

// pointEvery is how many bytes of samples lie between two points: three seconds.
const pointEvery = 512 << 10

// countingReader knows where it is in the file.
type countingReader struct {
	r   io.Reader
	at  int64
	err error // of the file system
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.at += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// readFLAC reads the metadata blocks of a FLAC file (RFC 9639 section 8).
func readFLAC(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	var samples int64 = -1
	var sum [md5.Size]byte
	at := int64(4)
	for last := false; !last; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var head [4]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return result(nil, fmt.Errorf("its metadata are cut short: %w", err), "FLAC")
		}
		last = head[0]&0x80 != 0
		length := int64(binary.BigEndian.Uint32(head[:]) & 0xFFFFFF)
		if head[0]&0x7F == 0 { // STREAMINFO
			var b [34]byte
			if _, err := r.ReadAt(b[:], at+4); err != nil || length < 34 {
				return result(nil, errors.New("its STREAMINFO is cut short"), "FLAC")
			}
			v := binary.BigEndian.Uint64(b[10:])
			if err := checkFormat(int(v>>44), int(v>>36&31)+1, int(v>>41&7)+1); err != nil {
				return result(nil, err, "FLAC")
			}
			samples = int64(v & (1<<36 - 1))
			copy(sum[:], b[18:])
		}
		at += 4 + length
	}
	if samples < 0 || at > size {
		return result(nil, errors.New("it has no STREAMINFO"), "FLAC")
	}
	f := &flacReader{r: r, name: name, size: size, data: at, total: samples * 4, md5: sum, points: []flacPoint{{at, 0}}}
	if samples == 0 { // whoever wrote it did not know
		n, err := f.measure(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, f.failed(err)
		}
		f.total = n
	}
	return &File{Source: f, Size: f.total, Kind: "FLAC", coded: f}, nil
}

func (f *flacReader) measure(ctx context.Context) (int64, error) {
	f.start(0)
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := f.next(); errors.Is(err, io.EOF) {
			return f.at + int64(len(f.buf)), nil
		} else if err != nil {
			return 0, err
		}
	}
}

// sum decodes the whole file once, and returns the MD5 of its samples (RFC 9639 section 8.2: of
// little-endian samples, as they are on a CD). It does not use what f reads by.
func (f *flacReader) sum(ctx context.Context, advance func(n int64)) (sum [md5.Size]byte, err error) {
	r := &flacReader{r: f.r, name: f.name, size: f.size, total: f.total, points: f.points[:1:1]}
	r.start(0)
	h := md5.New()
	for done := int64(0); done < f.total; {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		if err := r.next(); err != nil {
			return sum, r.failed(err)
		}
		n := min(int64(len(r.buf)), f.total-done)
		_, _ = h.Write(r.buf[:n])
		done += n
		advance(n)
	}
	h.Sum(sum[:0])
	return sum, nil
}

// check implements coded.
func (f *flacReader) check(ctx context.Context, advance func(n int64)) (proven bool, err error) {
	sum, err := f.sum(ctx, advance)
	if err != nil || f.md5 == [md5.Size]byte{} {
		return false, err
	}
	if sum != f.md5 {
		return false, &sumError{f.name}
	}
	return true, nil
}

func (f *flacReader) path() string { return f.name }

// failed makes the error of a frame that could not be decoded. It wraps [ErrDamaged], unless
// the file could not be read.
func (f *flacReader) failed(err error) error {
	if f.count.err != nil {
		return f.count.err
	}
	return &damageError{f.name, (f.at + int64(len(f.buf))) / 4, err}
}

// start starts over at the last point that is not behind at.
func (f *flacReader) start(at int64) {
	p := f.points[0]
	for _, q := range f.points {
		if q.at > at {
			break
		}
		p = q
	}
	f.count = &countingReader{r: io.NewSectionReader(f.r, p.file, f.size-p.file), at: p.file}
	f.in = bufio.NewReaderSize(f.count, 64<<10)
	f.buf, f.at = f.buf[:0], p.at
}

// next decodes a frame. It returns io.EOF behind the last one.
func (f *flacReader) next() (err error) {
	defer func() {
		if r := recover(); r != nil { // the library trusts more than it should
			err = fmt.Errorf("malformed frame: %v", r)
		}
	}()
	where := f.count.at - int64(f.in.Buffered())
	x, err := frame.Parse(f.in)
	if err != nil {
		return err
	}
	if len(x.Subframes) != 2 || x.BitsPerSample != 16 {
		return fmt.Errorf("a frame of %d channels with %d bits: %w", len(x.Subframes), x.BitsPerSample, ErrNotCD)
	}
	f.at += int64(len(f.buf))
	if f.at >= f.points[len(f.points)-1].at+pointEvery {
		f.points = append(f.points, flacPoint{where, f.at})
	}
	left, right := x.Subframes[0].Samples, x.Subframes[1].Samples
	f.buf = f.buf[:0]
	for i := range min(len(left), len(right)) {
		f.buf = binary.LittleEndian.AppendUint16(f.buf, uint16(left[i]))
		f.buf = binary.LittleEndian.AppendUint16(f.buf, uint16(right[i]))
	}
	return nil
}

// ReadAt implements [io.ReaderAt] for the samples.
func (f *flacReader) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	done := 0
	for done < len(p) {
		at := off + int64(done)
		if f.in == nil || at < f.at {
			f.start(at)
		}
		if at < f.at+int64(len(f.buf)) {
			done += copy(p[done:], f.buf[at-f.at:])
			continue
		}
		if err := f.next(); err != nil {
			f.in = nil // cannot be resumed
			if errors.Is(err, io.EOF) && at >= f.total {
				return done, io.EOF
			}
			return done, f.failed(err)
		}
	}
	return done, nil
}
