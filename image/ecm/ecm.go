// Package ecm reads and writes ECM files, of Neill Corlett's "error code modeler": the sectors
// of a CD without what can be computed of them (sync pattern, EDC, parity).
//
// There is no standard; the source is the program itself. A file is the signature, records, and
// the EDC of all that they hold. A record begins with a number that states its type and how
// many bytes or sectors follow.
package ecm

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"

	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/internal/blocks"
	"spindle/internal/packed"
)

func init() {
	format.RegisterContainer(format.Container{
		Name: "ECM file", Suffixes: []string{".ecm"}, Exact: true, Open: open,
		Match: func(p *format.Probe) bool { return p.HasMagic(magic) },
	})
	format.Register(format.Format{Name: "ECM file", Suffixes: []string{".ecm"}, Create: create})
}

const magic = "ECM\x00"

// The types of records.
const (
	literal = iota // bytes as they are
	mode1          // whole sectors of mode 1: address and user data are stored
	form1          // 2336 bytes of a sector of mode 2, form 1: sub-header and user data are stored
	form2          // the same, form 2
)

// kinds are what stands in the file for one unit of each type, and how much it becomes, in
// bytes.
var kinds = [4]struct{ stored, size int64 }{{1, 1}, {3 + 2048, 2352}, {4 + 2048, 2336}, {4 + 2324, 2336}}

var (
	errFormat = errors.New("not a valid ECM file")
	errEmpty  = errors.New("it holds nothing")
)

// A point is a place at which reading can start.
type point struct {
	at   int64 // in the file
	out  int64 // in the content
	kind byte
	left uint32 // units of the record; none: a record begins here
}

// A file is the content of an ECM file.
type file struct {
	r      io.ReaderAt
	points []point // the last is the end
	edc    uint32  // of the content, as the file states it
	damage error   // of a record, or nil
}

// pieceSize is about how much is decoded at a time. Its points take few megabytes for a disc.
const pieceSize = 64 << 10

// maxPoints bounds the index, which is for more than any disc has.
const maxPoints = 1 << 20

func open(ctx context.Context, f *format.File) (*format.Content, error) {
	e, cut, err := scan(ctx, f, f.Size)
	if err != nil {
		return nil, err
	}
	size := e.points[len(e.points)-1].out
	if size == 0 {
		return nil, fmt.Errorf("%w: %w", errFormat, cmp.Or(e.damage, errEmpty))
	}
	c := &format.Content{ReaderAt: blocks.NewReader(e, size), Size: size, Cut: cut, Damage: e.damage}
	if !cut {
		c.Sums, c.Blind = "EDC", true
		c.Check = func(ctx context.Context, progress func(done, total int64)) error { return e.check(ctx, c, progress) }
	}
	return c, nil
}

// scan goes from record to record, and marks where reading can start. A file that was cut short
// is one up to the last unit that is whole.
func scan(ctx context.Context, r io.ReaderAt, size int64) (*file, bool, error) {
	e := &file{r: r}
	s := &scanner{r: r, size: size, at: int64(len(magic))}
	var out int64
	for n := 0; ; n++ {
		if n&0xFFF == 0 && ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		begin := s.at
		kind, count, err := s.record()
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			e.mark(point{at: begin, out: out}, true)
			return e, true, nil
		case errors.Is(err, errNumber), errors.Is(err, errType):
			// What went before may be out of step already: a wrong number shows only in the end.
			e.mark(point{at: begin, out: out}, true)
			e.damage = fmt.Errorf("%w: byte %d: %w", packed.ErrDamaged, begin, err)
			return e, true, nil
		case err != nil:
			return nil, false, fmt.Errorf("%w: byte %d: %w", errFormat, begin, err)
		case count == 0:
			e.mark(point{at: begin, out: out}, true)
			sum, err := s.sum()
			e.edc = sum
			return e, err != nil, nil
		}
		if e.mark(point{at: begin, out: out}, false); len(e.points) > maxPoints {
			return nil, false, fmt.Errorf("%w: it holds more than any disc", errFormat)
		}
		k := kinds[kind]
		whole := min(int64(count), (size-s.at)/k.stored)
		per := max(1, pieceSize/k.size)
		for done := per; done < whole; done += per {
			e.mark(point{s.at + done*k.stored, out + done*k.size, kind, uint32(int64(count) - done)}, false)
			if len(e.points) > maxPoints {
				return nil, false, fmt.Errorf("%w: it holds more than any disc", errFormat)
			}
		}
		s.at += whole * k.stored
		out += whole * k.size
		if whole < int64(count) {
			e.mark(point{at: s.at, out: out}, true)
			return e, true, nil
		}
	}
}

// mark notes a point, unless it is near the last one.
func (e *file) mark(p point, end bool) {
	if n := len(e.points); n == 0 || end || p.out >= e.points[n-1].out+pieceSize {
		e.points = append(e.points, p)
	}
}

// A scanner reads the heads of records.
type scanner struct {
	r    io.ReaderAt
	size int64
	at   int64
	buf  []byte // of the file, from
	from int64
}

// byte returns the next byte.
func (s *scanner) byte() (byte, error) {
	if s.at < s.from || s.at >= s.from+int64(len(s.buf)) {
		const window = 64 << 10
		if s.at >= s.size {
			return 0, io.ErrUnexpectedEOF
		}
		if s.buf = s.buf[:cap(s.buf)]; len(s.buf) == 0 {
			s.buf = make([]byte, window)
		}
		s.buf, s.from = s.buf[:min(window, s.size-s.at)], s.at
		if err := blocks.ReadFull(s.r, s.buf, s.at); err != nil {
			s.buf = s.buf[:0]
			return 0, err
		}
	}
	b := s.buf[s.at-s.from]
	s.at++
	return b, nil
}

var (
	errNumber = errors.New("a number of more than 32 bits")
	errType   = errors.New("the end of the records has a type")
)

// record reads the type of a record, and how many units it has; none, at the end.
func (s *scanner) record() (kind byte, count uint32, err error) {
	b, err := s.byte()
	if err != nil {
		return 0, 0, err
	}
	kind = b & 3
	n := uint64(b >> 2 & 31)
	for shift := 5; b&0x80 != 0; shift += 7 {
		if b, err = s.byte(); err != nil {
			return 0, 0, err
		}
		if n |= uint64(b&0x7F) << shift; shift > 26 || n > 1<<32-1 {
			return 0, 0, errNumber
		}
	}
	count = uint32(n) + 1 // the number of the end becomes 0
	if count == 0 && kind != literal {
		return 0, 0, errType
	}
	return kind, count, nil
}

func (s *scanner) sum() (uint32, error) {
	var sum [4]byte
	for i := range sum {
		b, err := s.byte()
		if err != nil {
			return 0, err
		}
		sum[i] = b
	}
	return binary.LittleEndian.Uint32(sum[:]), nil
}

// Piece implements [blocks.Source].
func (e *file) Piece(off int64) blocks.Piece {
	i := sort.Search(len(e.points), func(i int) bool { return e.points[i].out > off }) - 1
	return blocks.Piece{Index: int64(i), Begin: e.points[i].out, End: e.points[i+1].out}
}

// Read implements [blocks.Source].
func (e *file) Read(dst []byte, p blocks.Piece) error {
	from, to := e.points[p.Index], e.points[p.Index+1]
	src := make([]byte, to.at-from.at)
	if err := blocks.ReadFull(e.r, src, from.at); err != nil {
		return &blocks.DamagedError{Piece: p.Index, Offset: from.at, Err: err}
	}
	s := &scanner{r: e.r, size: to.at, buf: src, from: from.at, at: from.at}
	kind, left := from.kind, from.left
	for len(dst) > 0 {
		if left == 0 {
			var err error
			if kind, left, err = s.record(); err != nil {
				return &blocks.DamagedError{Piece: p.Index, Offset: s.at, Err: err}
			}
		}
		k := kinds[kind]
		n := min(int64(left), int64(len(dst))/k.size, (to.at-s.at)/k.stored)
		if n == 0 { // it was scanned, and has changed since
			return &blocks.DamagedError{Piece: p.Index, Offset: s.at, Err: io.ErrUnexpectedEOF}
		}
		in := src[s.at-from.at:][:n*k.stored]
		dst = expand(dst, in, kind)
		s.at += n * k.stored
		left -= uint32(n)
	}
	return nil
}

// expand writes what units of a type become, and returns the rest of dst.
func expand(dst, in []byte, kind byte) []byte {
	if kind == literal {
		return dst[copy(dst, in):]
	}
	k := kinds[kind]
	for ; len(in) > 0; in = in[k.stored:] {
		var s [cdsector.Size]byte
		switch kind {
		case mode1:
			cdsector.SetSync(&s)
			copy(s[12:], in[:3])
			s[15] = 1
			copy(s[16:], in[3:k.stored])
			cdsector.Seal(&s, cdsector.Mode1)
		case form1, form2:
			copy(s[16:], in[:4])
			copy(s[20:], in[:k.stored])
			cdsector.Seal(&s, map[byte]cdsector.Kind{form1: cdsector.Form1, form2: cdsector.Form2}[kind])
		}
		dst = dst[copy(dst, s[cdsector.Size-k.size:]):]
	}
	return dst
}

// errSum means that the content is not what it was when the file was made.
var errSum = fmt.Errorf("%w: the EDC at its end is that of other content", packed.ErrDamaged)

// check compares the content with its EDC.
func (e *file) check(ctx context.Context, c *format.Content, progress func(done, total int64)) error {
	buf := make([]byte, 1<<20)
	var sum uint32
	for at := int64(0); at < c.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), c.Size-at)]
		if err := blocks.ReadFull(c, b, at); err != nil {
			return err
		}
		sum = cdsector.EDC(sum, b)
		at += int64(len(b))
		progress(at, c.Size)
	}
	if sum != e.edc {
		return errSum
	}
	return nil
}
