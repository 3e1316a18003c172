package disc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"spindle/disc/cdsector"
)

// Form is how an image file stores the sectors of an [Extent].
type Form uint8

// The forms. Those that store less than a whole CD sector have the rest built
// around them when they are read: sync pattern, header, EDC and parity.
const (
	FormRaw      Form = iota // 2352 bytes, as they are on the CD
	FormSwapped              // 2352 bytes of audio, most significant byte first
	FormMode0                // 2336 bytes of Mode 0, which are zeros
	FormMode1                // 2048 bytes of Mode 1
	FormMode2                // 2336 bytes of Mode 2: everything after the header
	FormXA1                  // 2048 bytes of XA form 1, with a plain sub-header
	FormXA2                  // 2324 bytes of XA form 2, with a plain sub-header
	FormBlock                // 2048 bytes of DVD or BD
	formSentinel             // number of forms
)

// Size returns the number of bytes the form stores for a sector.
func (f Form) Size() int {
	switch f {
	case FormMode1, FormXA1, FormBlock:
		return cdsector.UserSize
	case FormMode0, FormMode2:
		return cdsector.Mode2Size
	case FormXA2:
		return cdsector.Form2Size
	}
	return cdsector.Size
}

// An Extent is a run of sectors of a disc that stand in one place of one file.
type Extent struct {
	First  LBA
	Count  int
	Source io.ReaderAt // nil: zeros, or for the forms of data empty data sectors
	Offset int64       // of the first sector in Source, in bytes
	Stride int         // bytes from one sector to the next; 0 means Form.Size()
	Form   Form
	Sub    *SubExtent // where the sub-channels of these sectors are, if anywhere
}

// A SubExtent is where the sub-channels of the sectors of an [Extent] stand: 96
// bytes for each.
type SubExtent struct {
	Source io.ReaderAt
	Offset int64 // of those of the first sector, in bytes
	Stride int   // bytes from one sector's to the next; 0 means 96
	// Interleaved says that the bytes are as a drive reads them raw, and not
	// twelve bytes of P, twelve of Q, and so on.
	Interleaved bool
	// RWOnly says that P and Q may be missing: where Q does not hold together,
	// both are made from the layout.
	RWOnly bool
	// Blank says the same of a P and Q that are all zeros, and of no others: a Q that does
	// not hold together may be what the disc has.
	Blank bool
}

func (s *SubExtent) stride() int {
	if s.Stride > 0 {
		return s.Stride
	}
	return cdsector.SubSize
}

func (e *Extent) end() LBA { return e.First + LBA(e.Count) }

func (e *Extent) stride() int {
	if e.Stride > 0 {
		return e.Stride
	}
	return e.Form.Size()
}

// Contents are what an image is made of whose sectors stand in files.
type Contents struct {
	Layout *Layout // a valid one
	// Extents cover all tracks of the layout without overlapping. Where one has
	// sub-channels, the image has; for sectors without, they are made from the
	// layout.
	Extents []Extent
	Flaws   Flaws
	Files   []string // see [Image.Files]
	Closers []io.Closer
}

// extentImage is an [Image] made of extents of files. Every image format
// whose sectors stand in files, compressed or not, is one.
type extentImage struct {
	c   Contents
	sub bool // some extent has sub-channels
}

// ErrNoSector is returned for a sector that no track of the image holds.
var ErrNoSector = errors.New("sector lies in no track")

// NewExtentImage makes an image of a layout and extents that is not in files, or
// need not say in which; see [NewImage]. The closers are closed with the image.
func NewExtentImage(l *Layout, extents []Extent, closers ...io.Closer) (Image, error) {
	return NewImage(Contents{Layout: l, Extents: extents, Closers: closers})
}

// NewImage makes an image of sectors in files. Where the error is not nil,
// nothing is closed. It wraps [ErrLayout].
func NewImage(c Contents) (Image, error) {
	l := c.Layout
	if err := l.Validate(); err != nil {
		return nil, err
	}
	extents := slices.Clone(c.Extents)
	slices.SortFunc(extents, func(a, b Extent) int { return int(a.First) - int(b.First) })
	for i := range extents {
		e := &extents[i]
		switch {
		case e.Count < 0 || e.Form >= formSentinel || e.stride() < e.Form.Size():
			return nil, fmt.Errorf("%w: bad extent at %d", ErrLayout, e.First)
		case i > 0 && extents[i-1].end() > e.First:
			return nil, fmt.Errorf("%w: two places hold sector %d", ErrLayout, e.First)
		case (e.Form == FormBlock) != (l.Medium != CD):
			return nil, fmt.Errorf("%w: sectors at %d are not those of a %s", ErrLayout, e.First, l.Medium)
		}
	}
	img := &extentImage{c, slices.ContainsFunc(extents, func(e Extent) bool { return e.Sub != nil })}
	img.c.Extents = extents
	for _, t := range l.Tracks() {
		for a := t.Begin(); a < t.End; {
			e := img.find(a)
			if e == nil {
				return nil, fmt.Errorf("%w: track %d: nothing holds sector %d", ErrLayout, t.Number, a)
			}
			a = e.end()
		}
	}
	return img, nil
}

// Subchannels implements [Image].
func (m *extentImage) Subchannels() Subchannels {
	if !m.sub {
		return nil
	}
	return m
}

// ReadSubchannel implements [Subchannels].
func (m *extentImage) ReadSubchannel(ctx context.Context, p []byte, first LBA) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	const size = cdsector.SubSize
	if len(p)%size != 0 {
		return fmt.Errorf("a buffer of %d bytes for sub-channels of %d", len(p), size)
	}
	for ; len(p) > 0; p, first = p[size:], first+1 {
		one := (*[size]byte)(p)
		e := m.find(first)
		if e == nil {
			return fmt.Errorf("%w: %d", ErrNoSector, first)
		}
		if e.Sub == nil {
			m.c.Layout.Subchannel(first, one)
			continue
		}
		if _, err := readFull(e.Sub.Source, p[:size], e.Sub.Offset+int64(first-e.First)*int64(e.Sub.stride())); err != nil {
			return fmt.Errorf("sub-channel of sector %d: %w", first, err)
		}
		if e.Sub.Interleaved {
			raw := *one
			cdsector.Deinterleave(one, &raw)
		}
		if e.Sub.RWOnly || e.Sub.Blank && [2 * cdsector.QSize]byte(one[:]) == [2 * cdsector.QSize]byte{} {
			m.c.Layout.completePQ(first, one)
		}
	}
	return nil
}

// ExtentAt implements [Image].
func (m *extentImage) ExtentAt(a LBA) (Extent, bool) {
	e := m.find(a)
	if e == nil {
		return Extent{}, false
	}
	rest := *e
	rest.First, rest.Count = a, int(e.end()-a)
	rest.Offset += int64(a-e.First) * int64(e.stride())
	if e.Sub != nil {
		sub := *e.Sub
		sub.Offset += int64(a-e.First) * int64(sub.stride())
		rest.Sub = &sub
	}
	return rest, true
}

// Layout implements [Image].
func (m *extentImage) Layout() *Layout { return m.c.Layout }

// Flaws implements [Image].
func (m *extentImage) Flaws() Flaws { return m.c.Flaws }

// Files implements [Image].
func (m *extentImage) Files() []string { return m.c.Files }

// Close closes the files.
func (m *extentImage) Close() error {
	var errs []error
	for _, c := range m.c.Closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func (m *extentImage) find(a LBA) *Extent {
	i, ok := slices.BinarySearchFunc(m.c.Extents, a, func(e Extent, a LBA) int { return int(e.First) - int(a) })
	if !ok {
		i--
	}
	if i < 0 || a >= m.c.Extents[i].end() {
		return nil
	}
	return &m.c.Extents[i]
}

// ReadUser implements [Image].
func (m *extentImage) ReadUser(ctx context.Context, p []byte, first LBA) (bool, error) {
	const size = cdsector.UserSize
	if len(p)%size != 0 {
		return false, nil
	}
	end := first + LBA(len(p)/size)
	for a := first; a < end; {
		e := m.find(a)
		if e == nil || e.Source == nil || e.stride() != size || e.Form != FormMode1 && e.Form != FormBlock {
			return false, nil
		}
		a = e.end()
	}
	for a := first; a < end; {
		e := m.find(a)
		n := min(int(e.end()-a), int(end-a))
		if err := ctx.Err(); err != nil {
			return true, err
		}
		if k, err := readFull(e.Source, p[:n*size], e.Offset+int64(a-e.First)*size); err != nil {
			return true, fmt.Errorf("sector %d: %w", a+LBA(k/size), err)
		}
		p, a = p[n*size:], a+LBA(n)
	}
	return true, nil
}

// ReadSectors implements [Image].
func (m *extentImage) ReadSectors(ctx context.Context, p []byte, first LBA) error {
	size := m.c.Layout.Medium.SectorSize()
	if len(p)%size != 0 {
		return fmt.Errorf("a buffer of %d bytes for sectors of %d", len(p), size)
	}
	all, from := p, first
	for len(p) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := m.find(first)
		if e == nil {
			return fmt.Errorf("%w: %d", ErrNoSector, first)
		}
		n := min(int(e.end()-first), len(p)/size)
		if done, err := e.read(p[:n*size], first, size); err != nil {
			return fmt.Errorf("sector %d: %w", first+LBA(done), err)
		}
		p = p[n*size:]
		first += LBA(n)
	}
	if m.c.Layout.Medium == CD {
		m.c.Flaws.spoil(all, from, m.ExtentAt)
	}
	return nil
}

// read fills p with sectors of the given size. With an error, it returns how many were read before.
func (e *Extent) read(p []byte, first LBA, size int) (done int, err error) {
	stored, stride := e.Form.Size(), e.stride()
	at := e.Offset + int64(first-e.First)*int64(stride)
	n := len(p) / size
	switch {
	case e.Source == nil:
		clear(p)
	case stride == size:
		if k, err := readFull(e.Source, p, at); err != nil {
			return k / size, err
		}
	default:
		if done, err := e.readSpread(p, n, size, stored, stride, at); err != nil {
			return done, err
		}
	}
	for i := range n {
		e.complete(p[i*size:(i+1)*size], first+LBA(i))
	}
	return n, nil
}

// stageSize bounds the buffer through which sectors of another stride go.
const stageSize = 64 << 10

var stages = sync.Pool{New: func() any { return new([stageSize]byte) }}

// readSpread reads stored sectors in large pieces and puts each where its
// content belongs in a sector of the disc. With an error, it returns how many were read before.
func (e *Extent) readSpread(p []byte, n, size, stored, stride int, at int64) (done int, err error) {
	stage := stages.Get().(*[stageSize]byte)
	defer stages.Put(stage)
	into := e.Form.dataOffset()
	batch := max(1, stageSize/stride)
	for i := 0; i < n; i += batch {
		k := min(batch, n-i)
		b := stage[:(k-1)*stride+stored]
		if got, err := readFull(e.Source, b, at); err != nil {
			return i + got/stride, err
		}
		for j := range k {
			copy(p[(i+j)*size+into:], b[j*stride:j*stride+stored])
		}
		at += int64(k * stride)
	}
	return n, nil
}

// dataOffset is where in a sector of the disc the stored bytes belong.
func (f Form) dataOffset() int {
	switch f {
	case FormMode0, FormMode1, FormMode2:
		return 16
	case FormXA1, FormXA2:
		return 24
	}
	return 0
}

// complete builds what the form leaves out of a sector.
func (e *Extent) complete(p []byte, a LBA) {
	switch e.Form {
	case FormSwapped:
		for i := 0; i+8 <= len(p); i += 8 {
			v := binary.LittleEndian.Uint64(p[i:])
			const low = 0x00FF00FF00FF00FF
			binary.LittleEndian.PutUint64(p[i:], v>>8&low|v&low<<8)
		}
	case FormMode0, FormMode1, FormMode2, FormXA1, FormXA2:
		s := (*[cdsector.Size]byte)(p)
		t := a.MSF()
		switch e.Form {
		case FormMode0:
			cdsector.SetHeader(s, t, 0)
		case FormMode1:
			cdsector.SetHeader(s, t, 1)
			cdsector.Seal(s, cdsector.Mode1)
		case FormMode2:
			cdsector.SetHeader(s, t, 2)
		case FormXA1:
			cdsector.SetHeader(s, t, 2)
			copy(s[16:24], []byte{0, 0, 8, 0, 0, 0, 8, 0}) // sub-mode: data
			cdsector.Seal(s, cdsector.Form1)
		case FormXA2:
			cdsector.SetHeader(s, t, 2)
			copy(s[16:24], []byte{0, 0, 0x20, 0, 0, 0, 0x20, 0}) // sub-mode: form 2
			cdsector.Seal(s, cdsector.Form2)
		}
	}
}

// readFull is ReadAt that takes a file's sudden end for what it is.
func readFull(r io.ReaderAt, p []byte, at int64) (n int, err error) {
	n, err = r.ReadAt(p, at)
	if n == len(p) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, fmt.Errorf("the file ends at byte %d: %w", at+int64(n), io.ErrUnexpectedEOF)
	}
	return n, err
}
