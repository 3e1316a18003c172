package cdsector

import "encoding/binary"

// The EDC is a 32-bit CRC with the polynomial
// (x^16+x^15+x^2+1)(x^16+x^2+x+1), bits taken least significant first
// (ECMA-130 14.3). In reflected form that is 0xD8018001.
const edcPolynomial = 0xD8018001

// edcTables holds sixteen tables, so that sixteen bytes are taken at a step
// ("slicing by 16").
var edcTables = makeEDCTables()

func makeEDCTables() *[16][256]uint32 {
	var t [16][256]uint32
	for i := range t[0] {
		c := uint32(i)
		for range 8 {
			c = c>>1 ^ edcPolynomial&-(c&1)
		}
		t[0][i] = c
	}
	for k := 1; k < 16; k++ {
		for i := range t[k] {
			c := t[k-1][i]
			t[k][i] = c>>8 ^ t[0][c&0xFF]
		}
	}
	return &t
}

// edc returns the error detection code of p (ECMA-130 14.3). It is stored least
// significant byte first.
func edc(p []byte) uint32 { return EDC(0, p) }

// EDC continues an error detection code, which begins as 0, over the bytes that follow: that
// of a sector, or of anything else (an ECM file has one of all that it holds).
func EDC(c uint32, p []byte) uint32 {
	t := edcTables
	for len(p) >= 16 {
		lo, hi := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
		// What does not wait for the step before comes first.
		rest := t[11][byte(lo>>32)] ^ t[10][byte(lo>>40)] ^ t[9][byte(lo>>48)] ^ t[8][byte(lo>>56)] ^
			t[7][byte(hi)] ^ t[6][byte(hi>>8)] ^ t[5][byte(hi>>16)] ^ t[4][byte(hi>>24)] ^
			t[3][byte(hi>>32)] ^ t[2][byte(hi>>40)] ^ t[1][byte(hi>>48)] ^ t[0][byte(hi>>56)]
		c ^= uint32(lo)
		c = rest ^ (t[15][byte(c)] ^ t[14][byte(c>>8)]) ^ (t[13][byte(c>>16)] ^ t[12][byte(c>>24)])
		p = p[16:]
	}
	for _, b := range p {
		c = c>>8 ^ t[0][byte(c)^b]
	}
	return c
}
