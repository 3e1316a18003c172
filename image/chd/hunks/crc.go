package hunks

// crc16Start is the CRC-16 of nothing.
const crc16Start uint16 = 0xFFFF

// crc16Table is for the polynomial x^16+x^12+x^5+1, most significant bit first.
var crc16Table = func() (t [256]uint16) {
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

// crc16 continues the checksum of hunks and of maps.
func crc16(c uint16, p []byte) uint16 {
	for _, b := range p {
		c = c<<8 ^ crc16Table[byte(c>>8)^b]
	}
	return c
}
