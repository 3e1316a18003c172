// Package c2d reads the images of WinOnCD (.c2d): a header, CD-TEXT, a block for each index of each track, and the
// sectors.
//
// The format was never published; the meaning of its fields is that which libmirage (cdemu) has established. Compressed
// images, which nothing but WinOnCD reads, are refused by name.
package c2d

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/image/laid"
)

func init() {
	format.Register(format.Format{Name: "WinOnCD image", Suffixes: []string{".c2d"}, Match: match, Open: openFile})
}

// The signatures of WinOnCD, and of Roxio's later versions.
const (
	magicAdaptec = "Adaptec CeQuadrat VirtualCD File"
	magicRoxio   = "Roxio Image File Format 3.0"
)

const (
	headerSize = 196
	blockSize  = 44
	maxBlocks  = 99 * 100 // tracks, and their indexes
	maxText    = 1 << 16
)

// errKind means that the file is valid, and cannot be read.
var errKind = fmt.Errorf("%w: it is an image of WinOnCD (.c2d)", format.ErrUnknown)

func match(p *format.Probe) format.Score {
	if p.HasMagic(magicAdaptec) || p.HasMagic(magicRoxio) {
		return format.Sure
	}
	return format.No
}

// A descriptor is what the file says of the disc.
type descriptor struct {
	mcn    string
	text   []disc.Pack
	blocks []block
}

// A block is what is stated of an index.
type block struct {
	at              int // byte of the file
	first, last     int64
	offset          uint64
	size            uint32 // of a sector
	isrc            string
	flags, session  byte
	point, index    byte
	mode, isDeflate byte
}

func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	img, err := open(ctx, f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return img, nil
}

func open(ctx context.Context, f *format.File) (disc.Image, error) {
	d, err := read(f, f.Size)
	if err != nil {
		return nil, err
	}
	l, err := d.layOut(laid.NewSource(f))
	if err != nil {
		return nil, err
	}
	return l.Open(ctx, f, f)
}

// read reads the descriptor of a file of size bytes.
func read(r io.ReaderAt, size int64) (*descriptor, error) {
	le := binary.LittleEndian
	h, err := readAt(r, size, 0, headerSize, "its header")
	if err != nil {
		return nil, err
	}
	d := &descriptor{}
	if mcn := string(h[36:49]); le.Uint16(h[34:]) != 0 && cdsector.ValidMCN(mcn) {
		d.mcn = mcn
	}
	head, count, text := int64(le.Uint16(h[32:])), int64(le.Uint16(h[50:])), int64(le.Uint32(h[52:]))
	if count == 0 || count > maxBlocks {
		return nil, laid.Errorf("it states %d blocks of tracks (at byte 50)", count)
	}
	if text > maxText {
		return nil, laid.Errorf("it states %d bytes of CD-TEXT (at byte 52)", text)
	}
	b, err := readAt(r, size, head, text, "its CD-TEXT")
	if err != nil {
		return nil, err
	}
	for ; len(b) >= disc.PackSize; b = b[disc.PackSize:] {
		d.text = append(d.text, disc.Pack(b))
	}
	at := int64(le.Uint32(h[56:]))
	if b, err = readAt(r, size, at, count*blockSize, "its tracks"); err != nil {
		return nil, err
	}
	for n := range int(count) {
		if err := d.readBlock(b[n*blockSize:], int(at)+n*blockSize); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// readAt reads a part of the file.
func readAt(r io.ReaderAt, size, at, n int64, what string) ([]byte, error) {
	if at > size || n > size-at {
		return nil, laid.Errorf("%s: %d bytes at byte %d, and the file has %d", what, n, at, size)
	}
	b := make([]byte, n)
	if got, err := r.ReadAt(b, at); got < len(b) {
		return nil, err
	}
	return b, nil
}

func (d *descriptor) readBlock(b []byte, at int) error {
	le := binary.LittleEndian
	x := block{
		at: at, first: int64(le.Uint32(b[4:])), last: int64(le.Uint32(b[8:])), offset: le.Uint64(b[12:]), size: le.Uint32(b[20:]),
		flags: b[36], session: b[37], point: b[38], index: b[39], mode: b[40], isDeflate: b[41],
	}
	if isrc := string(bytes.TrimRight(b[24:36], "\x00 ")); cdsector.ValidISRC(isrc) {
		x.isrc = isrc
	}
	const indexes = 99
	switch {
	case le.Uint32(b) != blockSize:
		return laid.Errorf("a block of a track of %d bytes (at byte %d)", le.Uint32(b), at)
	case x.isDeflate != 0:
		return fmt.Errorf("%w with compressed tracks; WinOnCD saves it without compression, or as .iso", errKind)
	case x.point < 1 || x.point > 99 || x.index > indexes:
		return laid.Errorf("index %d of track %d (at byte %d)", x.index, x.point, at)
	case x.last < x.first || x.last >= disc.MaxLBA:
		return laid.Errorf("index %d of track %d has sectors %d to %d (at byte %d)", x.index, x.point, x.first, x.last, at)
	}
	d.blocks = append(d.blocks, x)
	return nil
}

// layOut lays out the tracks. Addresses count from the first sector that is stored.
func (d *descriptor) layOut(src *laid.Source) (*laid.Disc, error) {
	out := &laid.Disc{MCN: d.mcn, CDText: d.text}
	base := d.blocks[0].first
	for b := d.blocks; len(b) > 0; {
		n := 1
		for n < len(b) && b[n].point == b[0].point && b[n].session == b[0].session {
			n++
		}
		t, err := layTrack(b[:n], base)
		if err != nil {
			return nil, fmt.Errorf("track %d (at byte %d): %w", b[0].point, b[0].at, err)
		}
		t.Source = src
		out.Tracks = append(out.Tracks, *t)
		b = b[n:]
	}
	return out, nil
}

// layTrack lays out a track, from the blocks of its indexes.
func layTrack(b []block, base int64) (*laid.Track, error) {
	first := &b[0]
	const most = 1 << 40
	if first.offset > most || first.index > 1 {
		return nil, laid.Errorf("it begins with index %d, at byte %d", first.index, first.offset)
	}
	t := &laid.Track{Session: int(first.session), Offset: int64(first.offset), Size: int(first.size)}
	begin := first.first - base
	t.Number, t.Start, t.End = int(first.point), disc.LBA(begin), disc.LBA(b[len(b)-1].last+1-base)
	for i := range b {
		x := &b[i]
		at := x.first - base
		switch {
		case i > 0 && (x.index != b[i-1].index+1 || x.first != b[i-1].last+1):
			return nil, laid.Errorf("index %d at sector %d follows index %d, which ends at %d", x.index, x.first, b[i-1].index, b[i-1].last)
		case begin < 0:
			return nil, laid.Errorf("it begins at sector %d, before the first track at %d", x.first, base)
		case x.index == 1:
			t.Start, t.ISRC = disc.LBA(at), x.isrc
		case x.index > 1:
			t.Indexes = append(t.Indexes, disc.LBA(at))
		}
	}
	t.Pregap = int(int64(t.Start) - begin)
	const subSize = cdsector.Size + cdsector.SubSize
	if t.Size == subSize {
		t.Sub = laid.Interleaved
	}
	return t, first.setMode(t)
}

// The flags of a track.
const (
	flagEmphasis = 2
	flagData     = 4
)

// setMode sets what the sectors of a track are.
func (b *block) setMode(t *laid.Track) error {
	const audio, mode1, mode2, otherAudio = 0, 1, 2, 0xFF
	switch b.mode {
	case audio, otherAudio:
		t.Mode = disc.Audio
	case mode1:
		t.Mode = disc.Mode1
	case mode2:
		t.Mode = disc.Mode2
	default:
		return laid.Errorf("it is of the unknown mode %d", b.mode)
	}
	if b.flags&flagEmphasis != 0 && t.Mode == disc.Audio {
		t.Control |= disc.PreEmphasis
	}
	if t.Mode.IsData() {
		t.Control |= disc.DataTrack
	}
	return nil
}
