package cdsector

// crcTable is for the polynomial x^16+x^12+x^5+1, most significant bit first.
var crcTable = func() (t [256]uint16) {
	for i := range t {
		c := uint16(i) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x1021
			} else {
				c <<= 1
			}
		}
		t[i] = c
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
	for _, b := range p {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^b]
	}
	return crc
}
