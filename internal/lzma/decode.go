package lzma

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// ErrCorrupt is what [Decode] returns for a block that no encoder has made.
var ErrCorrupt = errors.New("lzma: corrupt block")

// A decoder decodes one block.
type decoder struct {
	m model
	d rangeDecoder
}

// Decode fills dst with what src is decoded to. Bytes of src beyond the end are ignored.
func Decode(dst, src []byte) error {
	const head = 5 // of the range coder: a zero, and the first code
	if len(src) < head || src[0] != 0 {
		return ErrCorrupt
	}
	z := decoder{m: *fresh, d: rangeDecoder{src: src, at: head, code: binary.BigEndian.Uint32(src[1:]), width: 1<<32 - 1}}
	if !z.run(dst) || z.d.over > 0 {
		return ErrCorrupt
	}
	return nil
}

// run reports whether each distance lies in what is decoded, and each length in dst.
func (z *decoder) run(dst []byte) bool {
	m, d := &z.m, &z.d
	var reps [4]int // distances, less one
	state := uint8(0)
	for at := 0; at < len(dst); {
		ps := at % positions
		if d.bit(&m.isMatch[state][ps]) == 0 {
			z.literal(dst, at, state, reps[0])
			state = afterLiteral[state]
			at++
			continue
		}
		var length int
		switch {
		case d.bit(&m.isRep[state]) == 0:
			length = d.length(&m.match, ps)
			distance, ok := z.distance(length)
			if !ok {
				return false
			}
			reps = [4]int{distance, reps[0], reps[1], reps[2]}
			state = afterMatch[state]
		case z.repeated(&reps, state, ps):
			length = d.length(&m.rep, ps)
			state = afterRep[state]
		default:
			length = 1
			state = afterShortRep[state]
		}
		if reps[0] >= at || length > len(dst)-at {
			return false
		}
		repeat(dst[at-reps[0]-1:at+length], reps[0]+1)
		at += length
	}
	return true
}

// repeat fills what follows the first distance bytes with what is that far before.
func repeat(b []byte, distance int) {
	for done := distance; done < len(b); done *= 2 {
		copy(b[done:], b[:done])
	}
}

// literal decodes a byte; before is the last distance, less one.
func (z *decoder) literal(dst []byte, at int, state uint8, before int) {
	d := &z.d
	previous := byte(0)
	if at > 0 {
		previous = dst[at-1]
	}
	p := &z.m.literal[previous>>(8-contextBits)]
	s := uint32(1)
	if state >= literalState && before < at {
		model := uint32(dst[at-before-1])
		for s < 0x100 {
			model <<= 1
			expected := model & 0x100
			bit := d.bit(&p[0x100+expected+s])
			s = s<<1 | bit
			if expected>>8 != bit {
				break
			}
		}
	}
	code, width := d.code, d.width
	for s < 0x100 {
		q := &p[s]
		bound := width >> probBits * uint32(*q)
		if code < bound {
			width = bound
			*q += (1<<probBits - *q) >> moveBits
			s <<= 1
		} else {
			width -= bound
			code -= bound
			*q -= *q >> moveBits
			s = s<<1 | 1
		}
		if width < topRange {
			width <<= 8
			code = code<<8 | d.next()
		}
	}
	d.code, d.width = code, width
	dst[at] = byte(s)
}

// repeated decodes which of the last distances is meant, which comes first from then on. It
// reports whether a length follows.
func (z *decoder) repeated(reps *[4]int, state uint8, ps int) bool {
	m, d := &z.m, &z.d
	switch {
	case d.bit(&m.isLater[state]) == 0:
		return d.bit(&m.isLong[state][ps]) == 1
	case d.bit(&m.isThird[state]) == 0:
		*reps = [4]int{reps[1], reps[0], reps[2], reps[3]}
	case d.bit(&m.isFourth[state]) == 0:
		*reps = [4]int{reps[2], reps[0], reps[1], reps[3]}
	default:
		*reps = [4]int{reps[3], reps[0], reps[1], reps[2]}
	}
	return true
}

// distance decodes a distance, less one, unless it is the end marker's.
func (z *decoder) distance(length int) (int, bool) {
	m, d := &z.m, &z.d
	slot := d.tree(m.slot[lengthState(length)][:])
	if slot < firstModel {
		return int(slot), true
	}
	low := slot/2 - 1 // bits below the two that the slot stands for
	distance := (2 | slot&1) << low
	if slot < lastModel {
		distance += d.reverse(m.special[slot][:], int(low))
	} else {
		distance += d.direct(int(low)-alignBits)<<alignBits + d.reverse(m.align[:], alignBits)
	}
	return int(distance), distance < 1<<31-1
}

// A rangeDecoder takes bits of their probabilities from src.
type rangeDecoder struct {
	src         []byte
	at          int
	over        int // bytes taken beyond the end
	code, width uint32
}

// next is the byte that refills the code, or zero beyond the end.
func (d *rangeDecoder) next() uint32 {
	if d.at < len(d.src) {
		d.at++
		return uint32(d.src[d.at-1])
	}
	d.over++
	return 0
}

func (d *rangeDecoder) bit(p *uint16) uint32 {
	bound := d.width >> probBits * uint32(*p)
	bit := uint32(0)
	if d.code < bound {
		d.width = bound
		*p += (1<<probBits - *p) >> moveBits
	} else {
		d.width -= bound
		d.code -= bound
		*p -= *p >> moveBits
		bit = 1
	}
	if d.width < topRange {
		d.width <<= 8
		d.code = d.code<<8 | d.next()
	}
	return bit
}

// direct decodes bits that are as often one as zero.
func (d *rangeDecoder) direct(n int) uint32 {
	v := uint32(0)
	for range n {
		d.width >>= 1
		bit := uint32(0)
		if d.code >= d.width {
			d.code -= d.width
			bit = 1
		}
		v = v<<1 | bit
		if d.width < topRange {
			d.width <<= 8
			d.code = d.code<<8 | d.next()
		}
	}
	return v
}

// tree decodes a number of as many bits as the length of p, a power of two, has values.
func (d *rangeDecoder) tree(p []uint16) uint32 {
	s := uint32(1)
	for s < uint32(len(p)) {
		s = s<<1 | d.bit(&p[s])
	}
	return s - uint32(len(p))
}

// reverse decodes a number of n bits, the lowest first.
func (d *rangeDecoder) reverse(p []uint16, n int) uint32 {
	s := uint32(1)
	for range n {
		s = s<<1 | d.bit(&p[s])
	}
	return bits.Reverse32(s) >> (32 - n)
}

func (d *rangeDecoder) length(l *lengths, ps int) int {
	switch {
	case d.bit(&l.notLow) == 0:
		return minLength + int(d.tree(l.low[ps][:]))
	case d.bit(&l.notMid) == 0:
		return minLength + 8 + int(d.tree(l.mid[ps][:]))
	default:
		return minLength + 16 + int(d.tree(l.high[:]))
	}
}
