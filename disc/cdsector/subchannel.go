package cdsector

import (
	"errors"
	"fmt"

	"spindle/addr"
)

// Deinterleave turns the 96 bytes of sub-channel as a drive reads them raw (each
// byte one symbol, bit 7 = P ... bit 0 = W) into twelve bytes of P, twelve of Q,
// and so on to W. dst and src must not overlap.
func Deinterleave(dst, src *[SubSize]byte) {
	*dst = [SubSize]byte{}
	for i, b := range src {
		for ch := range 8 {
			dst[ch*QSize+i/8] |= b >> (7 - ch) & 1 << (7 - i%8)
		}
	}
}

// Interleave is the inverse of [Deinterleave].
func Interleave(dst, src *[SubSize]byte) {
	for i := range dst {
		var b byte
		for ch := range 8 {
			b |= src[ch*QSize+i/8] >> (7 - i%8) & 1 << (7 - ch)
		}
		dst[i] = b
	}
}

// DeinterleaveQ extracts the twelve bytes of Q alone from a raw sub-channel.
func DeinterleaveQ(src *[SubSize]byte) (q [QSize]byte) {
	for i, b := range src {
		q[i/8] |= b >> 6 & 1 << (7 - i%8)
	}
	return q
}

// errQCRC is returned for a Q frame whose CRC is wrong. Single wrong frames are
// normal, for the sub-channel has no error correction.
var errQCRC = errors.New("Q sub-channel frame has a wrong CRC")

// Q is one frame of the Q sub-channel in the program area (ECMA-130 22.3.3).
// Which fields count depends on ADR.
type Q struct {
	Control uint8 // upper four bits of the frame: see disc.Control
	ADR     uint8 // 1 position, 2 media catalogue number, 3 ISRC

	// ADR 1
	Track int      // 0 in the lead-in, 1 to 99, or LeadOut
	Index int      // 0 in a pregap
	Rel   addr.MSF // time in the track; counts down in the pregap
	Abs   addr.MSF // absolute time

	// ADR 2 and 3
	MCN  string // 13 digits
	ISRC string // 12 characters
	// AFrame is the frame part of the absolute time, which ADR 2 and 3 keep.
	AFrame int
}

// LeadOut is the track number that Q states in the lead-out (AAh).
const LeadOut = 0xAA

// isrcChar and isrcCode translate between ASCII and the six-bit codes of an ISRC (ECMA-130
// 22.3.4.2, IEC 60908): digits from 0, letters from 17.
func isrcChar(code byte) (byte, bool) {
	switch {
	case code <= 9:
		return '0' + code, true
	case code >= 17 && code <= 42:
		return 'A' + code - 17, true
	}
	return 0, false
}

func isrcCode(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'Z':
		return c - 'A' + 17, true
	}
	return 0, false
}

// ValidISRC reports whether s has the form of an ISRC: two letters or digits of
// country, three of owner, then seven digits (ISO 3901).
func ValidISRC(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		code, ok := isrcCode(s[i])
		if !ok || i >= 5 && code > 9 {
			return false
		}
	}
	return true
}

// ValidMCN reports whether s is a media catalogue number: 13 digits. The check
// digit is not looked at; many discs carry a wrong one.
func ValidMCN(s string) bool {
	if len(s) != 13 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Encode returns the twelve bytes of the frame, CRC included. An invalid MCN or
// ISRC is encoded as zeros.
func (q *Q) Encode() (p [QSize]byte) {
	p[0] = q.Control<<4 | q.ADR&15
	switch q.ADR {
	case 2:
		if ValidMCN(q.MCN) {
			for i := range len(q.MCN) {
				p[1+i/2] |= (q.MCN[i] - '0') << (4 - i%2*4)
			}
		}
		p[9] = addr.ToBCD(q.AFrame)
	case 3:
		if ValidISRC(q.ISRC) {
			var bits uint32
			for i := range 5 {
				code, _ := isrcCode(q.ISRC[i])
				bits = bits<<6 | uint32(code)
			}
			bits <<= 2
			p[1], p[2], p[3], p[4] = byte(bits>>24), byte(bits>>16), byte(bits>>8), byte(bits)
			for i := range 7 {
				p[5+i/2] |= (q.ISRC[5+i] - '0') << (4 - i%2*4)
			}
		}
		p[9] = addr.ToBCD(q.AFrame)
	default:
		p[1] = addr.ToBCD(q.Track)
		if q.Track == LeadOut {
			p[1] = LeadOut
		}
		p[2] = addr.ToBCD(q.Index)
		p[3], p[4], p[5] = addr.ToBCD(q.Rel.M), addr.ToBCD(q.Rel.S), addr.ToBCD(q.Rel.F)
		p[7], p[8], p[9] = addr.ToBCD(q.Abs.M), addr.ToBCD(q.Abs.S), addr.ToBCD(q.Abs.F)
	}
	crc := CRC16(p[:10])
	p[10], p[11] = byte(crc>>8), byte(crc)
	return p
}

// DecodeQ reads a Q frame. It returns [errQCRC] when the CRC is wrong, and
// another error for a frame with a right CRC whose content makes no sense.
func DecodeQ(p *[QSize]byte) (Q, error) {
	if crc := CRC16(p[:10]); p[10] != byte(crc>>8) || p[11] != byte(crc) {
		return Q{}, errQCRC
	}
	return decodeQBody(p)
}

// DecodeFormattedQ reads the position frame that a drive gives as "formatted Q"
// (READ CD sub-channel selection 2), whose CRC many drives leave out: it is
// checked only when it is not zero.
func DecodeFormattedQ(p *[16]byte) (Q, error) {
	f := [QSize]byte(p[:QSize])
	if f[10]|f[11] != 0 {
		return DecodeQ(&f)
	}
	return decodeQBody(&f)
}

func decodeQBody(p *[QSize]byte) (Q, error) {
	q := Q{Control: p[0] >> 4, ADR: p[0] & 15}
	switch q.ADR {
	case 1:
		return q, q.decodePosition(p)
	case 2:
		var mcn [13]byte
		for i := range mcn {
			d := p[1+i/2] >> (4 - i%2*4) & 15
			if d > 9 {
				return q, fmt.Errorf("Q frame: catalogue number has a digit %#x", d)
			}
			mcn[i] = '0' + d
		}
		q.MCN = string(mcn[:])
		return q, q.decodeAFrame(p[9])
	case 3:
		var isrc [12]byte
		bits := uint32(p[1])<<24 | uint32(p[2])<<16 | uint32(p[3])<<8 | uint32(p[4])
		for i := range 5 {
			c, ok := isrcChar(byte(bits >> (26 - 6*i) & 63))
			if !ok {
				return q, errors.New("Q frame: ISRC has an undefined character")
			}
			isrc[i] = c
		}
		for i := range 7 {
			d := p[5+i/2] >> (4 - i%2*4) & 15
			if d > 9 {
				return q, fmt.Errorf("Q frame: ISRC has a digit %#x", d)
			}
			isrc[5+i] = '0' + d
		}
		q.ISRC = string(isrc[:])
		return q, q.decodeAFrame(p[9])
	}
	return q, nil
}

func (q *Q) decodeAFrame(b byte) error {
	n, ok := addr.FromBCD(b)
	if !ok {
		return fmt.Errorf("Q frame: byte %#02x is not BCD", b)
	}
	q.AFrame = n
	return nil
}

func (q *Q) decodePosition(p *[QSize]byte) error {
	var n [8]int
	for i, b := range [8]byte{p[1], p[2], p[3], p[4], p[5], p[7], p[8], p[9]} {
		v, ok := addr.FromBCD(b)
		if !ok && (i != 0 || b != LeadOut) {
			return fmt.Errorf("Q frame: byte %#02x is not BCD", b)
		}
		n[i] = v
	}
	q.Track, q.Index = n[0], n[1]
	if p[1] == LeadOut {
		q.Track = LeadOut
	}
	q.Rel, q.Abs = addr.MSF{M: n[2], S: n[3], F: n[4]}, addr.MSF{M: n[5], S: n[6], F: n[7]}
	return nil
}
