package flacenc

import "encoding/binary"

// The checks of a frame's header and of a frame (RFC 9639 sections 9.1.8 and 9.3), the
// most significant bit first, from zero.
const (
	poly8  = 0x07   // x^8 + x^2 + x + 1
	poly16 = 0x8005 // x^16 + x^15 + x^2 + 1
)

var crc8Table = makeCRC8()

// crc16Tables hold what a byte does to the check when 0 to 7 others follow it.
var crc16Tables = makeCRC16()

func makeCRC8() (t [256]byte) {
	for i := range t {
		c := byte(i)
		for range 8 {
			if c&0x80 != 0 {
				c = c<<1 ^ poly8
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}

func makeCRC16() (t [8][256]uint16) {
	for i := range t[0] {
		c := uint16(i) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ poly16
			} else {
				c <<= 1
			}
		}
		t[0][i] = c
	}
	for k := 1; k < len(t); k++ {
		for i := range t[k] {
			c := t[k-1][i]
			t[k][i] = c<<8 ^ t[0][c>>8]
		}
	}
	return t
}

func crc8(p []byte) (c byte) {
	for _, b := range p {
		c = crc8Table[c^b]
	}
	return c
}

func crc16(p []byte) (c uint16) {
	t := &crc16Tables
	for ; len(p) >= 8; p = p[8:] {
		v := binary.BigEndian.Uint64(p) ^ uint64(c)<<48
		c = t[7][v>>56] ^ t[6][v>>48&0xFF] ^ t[5][v>>40&0xFF] ^ t[4][v>>32&0xFF] ^
			t[3][v>>24&0xFF] ^ t[2][v>>16&0xFF] ^ t[1][v>>8&0xFF] ^ t[0][v&0xFF]
	}
	for _, b := range p {
		c = c<<8 ^ t[0][byte(c>>8)^b]
	}
	return c
}
