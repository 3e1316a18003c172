package testforeign

import (
	"context"
	"encoding/binary"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// A C2D says how an image of WinOnCD is made.
type C2D struct {
	Sub        bool // with sub-channels
	Roxio      bool
	Compressed bool
}

// The layout of a C2D.
const (
	c2dHeader = 196
	c2dBlock  = 44
)

// Make makes an image of a CD.
func (c *C2D) Make(ctx context.Context, name string, img disc.Image) (*Files, error) {
	l := img.Layout()
	var blocks, data []byte
	count := 0
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for k := range s.Tracks {
			t := &s.Tracks[k]
			starts := []disc.LBA{t.Start}
			index := byte(1)
			if t.Pregap > 0 {
				starts, index = []disc.LBA{t.Begin(), t.Start}, 0
			}
			starts = append(append(starts, t.Indexes...), t.End)
			size, mode, flags := c.size(t)
			for n := range len(starts) - 1 {
				b := make([]byte, c2dBlock)
				put := binary.LittleEndian.PutUint32
				put(b, c2dBlock)
				put(b[4:], uint32(starts[n]))
				put(b[8:], uint32(starts[n+1]-1))
				binary.LittleEndian.PutUint64(b[12:], 0xFFFFFFFF)
				if n == 0 {
					binary.LittleEndian.PutUint64(b[12:], uint64(len(data))) // to which what is before is added
				}
				put(b[20:], uint32(size))
				copy(b[24:36], t.ISRC)
				b[36], b[37], b[38], b[39], b[40] = flags, byte(s.Number), byte(t.Number), index+byte(n), mode
				if c.Compressed {
					b[41] = 1
				}
				blocks = append(blocks, b...)
				count++
			}
			var err error
			if data, err = c.add(ctx, data, img, t, size); err != nil {
				return nil, err
			}
		}
	}
	f := &Files{}
	f.add(name+".c2d", c.finish(l, blocks, data, count))
	return f, nil
}

// finish puts the header before the blocks and the sectors.
func (c *C2D) finish(l *disc.Layout, blocks, data []byte, count int) []byte {
	h := make([]byte, c2dHeader)
	copy(h, "Adaptec CeQuadrat VirtualCD File")
	if c.Roxio {
		clear(h[:32])
		copy(h, "Roxio Image File Format 3.0")
	}
	put := binary.LittleEndian.PutUint16
	put(h[32:], c2dHeader)
	if l.MCN != "" {
		put(h[34:], 1)
		copy(h[36:49], l.MCN)
	}
	put(h[50:], uint16(count))
	text := len(l.CDText) * disc.PackSize
	binary.LittleEndian.PutUint32(h[52:], uint32(text))
	binary.LittleEndian.PutUint32(h[56:], uint32(c2dHeader+text))
	for _, p := range l.CDText {
		h = append(h, p[:]...)
	}
	before := uint64(len(h) + len(blocks))
	for b := blocks; len(b) > 0; b = b[c2dBlock:] {
		if at := binary.LittleEndian.Uint64(b[12:]); at != 0xFFFFFFFF {
			binary.LittleEndian.PutUint64(b[12:], at+before)
		}
	}
	return append(append(h, blocks...), data...)
}

// size is that of a sector of a track, with its mode and flags.
func (c *C2D) size(t *disc.Track) (size int, mode, flags byte) {
	const data = 4
	switch t.Mode {
	case disc.Mode1:
		size, mode, flags = cdsector.UserSize, 1, data
	case disc.Mode2:
		size, mode, flags = cdsector.Mode2Size, 2, data
	default:
		size = cdsector.Size
		flags = byte(t.Control&disc.PreEmphasis) * 2
	}
	if c.Sub {
		size = cdsector.Size + cdsector.SubSize
	}
	return size, mode, flags
}

// add appends the sectors of a track.
func (c *C2D) add(ctx context.Context, out []byte, img disc.Image, t *disc.Track, size int) ([]byte, error) {
	for a := t.Begin(); a < t.End; a++ {
		var s [cdsector.Size]byte
		if err := img.ReadSectors(ctx, s[:], a); err != nil {
			return nil, err
		}
		switch size {
		case cdsector.UserSize:
			out = append(out, s[16:16+size]...)
		case cdsector.Mode2Size:
			out = append(out, s[16:]...)
		default:
			out = append(out, s[:]...)
		}
		if c.Sub {
			var linear, sub [cdsector.SubSize]byte
			img.Layout().Subchannel(a, &linear)
			cdsector.Interleave(&sub, &linear)
			out = append(out, sub[:]...)
		}
	}
	return out, nil
}
