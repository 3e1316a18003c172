package ctdb

import (
	"hash/crc32"
	"sync"
)

// CRC-32s of parts come from those of beginnings: the CRC of A and B together is that of A
// times x^(8 len(B)), plus that of B, as polynomials modulo that of CRC-32 (zlib,
// crc32_combine). Bit 31 is x^0.
const crcOne = 1 << 31

// crcMul multiplies two polynomials.
func crcMul(a, b uint32) uint32 {
	var product uint32
	for ; a != 0; a <<= 1 {
		product ^= b & uint32(int32(a)>>31)
		b = b>>1 ^ crc32.IEEE&-(b&1)
	}
	return product
}

// crcPowers has x to the powers 8, 16, 32, ...
var crcPowers = sync.OnceValue(func() (p [64]uint32) {
	p[0] = crcOne >> 8
	for i := 1; i < len(p); i++ {
		p[i] = crcMul(p[i-1], p[i-1])
	}
	return p
})

// crcShift returns what moves a CRC before n bytes.
func crcShift(n int64) uint32 {
	powers, x := crcPowers(), uint32(crcOne)
	for i := 0; n > 0; i, n = i+1, n>>1 {
		if n&1 != 0 {
			x = crcMul(x, powers[i])
		}
	}
	return x
}

// crcBare is the CRC of bytes without its inversions: it is linear, so that of a difference
// changes the CRC of what differs.
func crcBare(p []byte) uint32 { return ^crc32.Update(^uint32(0), crc32.IEEETable, p) }
