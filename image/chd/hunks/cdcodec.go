package hunks

import (
	"encoding/binary"
	"io"

	"spindle/disc/cdsector"
)

// frameSize is what a CHD stores for a sector of a CD: the sector, and its sub-channel.
const frameSize = cdsector.Size + cdsector.SubSize

// cdOf makes the decoder of a codec for CDs. It has the sectors of a hunk, without their
// sub-channels, in one piece, and these in another. Sync pattern and parity are missing
// where they can be computed; which sectors these are, a bit for each says.
func cdOf(sectors, subs decoder) decoder {
	return func(dst, src []byte) error {
		frames := len(dst) / frameSize
		head := (frames + 7) / 8
		lengthSize := 2
		if len(dst) >= 1<<16 {
			lengthSize = 3
		}
		if len(src) < head+lengthSize {
			return io.ErrUnexpectedEOF
		}
		bits := src[:head]
		length := 0
		for _, b := range src[head : head+lengthSize] {
			length = length<<8 | int(b)
		}
		src = src[head+lengthSize:]
		if length > len(src) {
			return io.ErrUnexpectedEOF
		}
		apart := make([]byte, len(dst))
		if err := sectors(apart[:frames*cdsector.Size], src[:length]); err != nil {
			return err
		}
		if err := subs(apart[frames*cdsector.Size:], src[length:]); err != nil {
			return err
		}
		join(dst, apart)
		for i := range frames {
			if bits[i/8]>>(i%8)&1 != 0 {
				complete((*[cdsector.Size]byte)(dst[i*frameSize:]))
			}
		}
		return nil
	}
}

// cdFLAC decodes the codec "cdfl": FLAC of the sectors as samples with the most significant
// byte first, and directly behind it the sub-channels.
func cdFLAC(dst, src []byte) error {
	frames := len(dst) / frameSize
	apart := make([]byte, len(dst))
	rest, err := unflacFrames(apart[:frames*cdsector.Size], src, binary.BigEndian)
	if err != nil {
		return err
	}
	if err := inflate(apart[frames*cdsector.Size:], rest); err != nil {
		return err
	}
	join(dst, apart)
	return nil
}

// join puts each sub-channel behind its sector.
func join(dst, apart []byte) {
	frames := len(dst) / frameSize
	sectors, subs := apart[:frames*cdsector.Size], apart[frames*cdsector.Size:]
	for i := range frames {
		f := dst[i*frameSize : (i+1)*frameSize]
		copy(f, sectors[i*cdsector.Size:(i+1)*cdsector.Size])
		copy(f[cdsector.Size:], subs[i*cdsector.SubSize:])
	}
}

// complete makes the sync pattern and the parity of a sector; its EDC is there. In mode 2,
// the header counts as zeros for the parity.
func complete(s *[cdsector.Size]byte) {
	const modeAt = 15
	cdsector.SetSync(s)
	if s[modeAt] == 2 {
		cdsector.SetParity(s, cdsector.Form1)
	} else {
		cdsector.SetParity(s, cdsector.Mode1)
	}
}
