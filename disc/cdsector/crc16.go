package cdsector

// crcTables are for the polynomial x^16+x^12+x^5+1, most significant bit first: the first takes a
// byte into the CRC, each of the others a byte that stands one further in front.
var crcTables = func() (t [8][256]uint16) {
	for i := range t[0] {
		c := uint16(i) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x1021
			} else {
				c <<= 1
			}
		}
		t[0][i] = c
	}
	for n := 1; n < len(t); n++ {
		for i, c := range t[n-1] {
			t[n][i] = c<<8 ^ t[0][c>>8]
		}
	}
	return t
}()

// CRC16 returns the CRC that guards a Q sub-channel frame (ECMA-130 22.3.6) and
// a CD-TEXT pack (IEC 61866): polynomial 0x1021, start value zero, result
// inverted. It is stored most significant byte first.
func CRC16(p []byte) uint16 { return ^ExtendCRC16(0, p) }

// ExtendCRC16 continues a CRC of the same polynomial over more bytes. Formats differ in the
// value that they start with, and in whether they invert the result.
func ExtendCRC16(crc uint16, p []byte) uint16 {
	t := &crcTables
	for ; len(p) >= 8; p = p[8:] {
		crc = t[7][byte(crc>>8)^p[0]] ^ t[6][byte(crc)^p[1]] ^ t[5][p[2]] ^ t[4][p[3]] ^
			t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]]
	}
	for _, b := range p {
		crc = crc<<8 ^ t[0][byte(crc>>8)^b]
	}
	return crc
}
