package cdsector

import "encoding/binary"

// scramblePattern is the output of the 15-bit shift register x^15+x+1 started
// at 1 (ECMA-130 annex B), for the bytes 12 to 2351 of a sector; the twelve
// bytes of sync are not scrambled.
var scramblePattern = func() (t [Size]byte) {
	reg := uint16(1)
	for i := 12; i < Size; i++ {
		var b byte
		for bit := range 8 {
			b |= byte(reg&1) << bit
			fed := (reg ^ reg>>1) & 1
			reg = reg>>1 | fed<<14
		}
		t[i] = b
	}
	return t
}()

// Scramble scrambles a data sector in place, or undoes it: the operation is its
// own inverse. Drives do this themselves except when writing in raw mode or
// reading a data track as audio.
func Scramble(s *[Size]byte) {
	for i := 8; i+8 <= Size; i += 8 {
		v := binary.LittleEndian.Uint64(s[i:]) ^ binary.LittleEndian.Uint64(scramblePattern[i:])
		binary.LittleEndian.PutUint64(s[i:], v)
	}
}
