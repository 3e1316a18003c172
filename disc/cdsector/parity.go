package cdsector

import "encoding/binary"

// The parity of a data sector is a product code over GF(2^8) with the
// polynomial x^8+x^4+x^3+x^2+1 (ECMA-130 annex A). Bytes 12 to 2351 are seen as
// words of two bytes; the low and the high bytes are coded alike but apart.
//
// P: 43 columns of 24 words get two words of parity each, which makes a matrix
// of 26 rows by 43 columns. Q: 26 diagonals of 43 words over that matrix get
// two words of parity each. Diagonal q takes, for m = 0..42, the word in row
// (q+m) mod 26 and column m.
//
// Both codes are (n, n-2) Reed-Solomon codes with the check matrix
//
//	1       1       ... 1 1
//	a^(n-1) a^(n-2) ... a 1
//
// so that a received vector v has the syndromes S0 = sum v[i] and
// S1 = sum a^(n-1-i) v[i].
const (
	pRows     = 24
	pWords    = 43
	rowBytes  = 2 * pWords // 86
	qDiags    = 26
	qWords    = 43
	diagBytes = 2 * qDiags // 52
)

// gf holds logarithms and powers of a = 2 in GF(2^8) mod 0x11D.
var gf = func() (t struct {
	log [256]uint8
	exp [510]uint8
}) {
	x := 1
	for i := range 255 {
		t.exp[i], t.exp[i+255] = uint8(x), uint8(x)
		t.log[x] = uint8(i)
		x <<= 1
		if x&0x100 != 0 {
			x ^= 0x11D
		}
	}
	return t
}()

func gfDiv(a, b byte) byte {
	if a == 0 {
		return 0
	}
	return gf.exp[int(gf.log[a])+255-int(gf.log[b])]
}

// times2 multiplies eight field elements by a.
func times2(v uint64) uint64 {
	const high = 0x8080808080808080
	return v&^high<<1 ^ (v&high>>7)*0x1D
}

// solveParity turns the sums S0 and S1 over the data words, S1 already
// weighted as if the two parity words followed, into the parity words: p0 with
// weight a and p1 with weight 1 that make both syndromes zero:
//
//	p0 + p1 = S0, a*p0 + p1 = S1  =>  p0 = (S0+S1)/(a+1)
func solveParity(s0, s1 uint64) (p0, p1 uint64) {
	p0 = divideBy3(s0 ^ s1)
	return p0, p0 ^ s0
}

// divideBy3 divides eight field elements by a+1. 1/(a+1) is 0xF4, and a
// multiplication by it is six steps of times2.
func divideBy3(v uint64) uint64 {
	v2 := times2(v)
	v4 := times2(v2)
	r := v4
	v16 := times2(times2(v4))
	v32 := times2(v16)
	v64 := times2(v32)
	v128 := times2(v64)
	return r ^ v16 ^ v32 ^ v64 ^ v128
}

// pSums returns S0 and S1 over rows 0..rows-1 of the matrix for the eight byte
// columns that start at column c. S1 weights row r by a^(rows-1-r).
func pSums(body []byte, c, rows int) (s0, s1 uint64) {
	for i := c; rows > 0; rows-- {
		v := binary.LittleEndian.Uint64(body[i : i+8])
		s0 ^= v
		s1 = times2(s1) ^ v
		i += rowBytes
	}
	return s0, s1
}

// pColumns are the starts of the groups of eight byte columns: eleven groups
// cover the 86 columns, the last one overlapping the one before.
var pColumns = [11]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 78}

// qGroups likewise cover the 52 bytes of the 26 diagonals.
var qGroups = [7]int{0, 8, 16, 24, 32, 40, 44}

// gatherDiagonals arranges the 26 x 43 words of the matrix so that the m-th
// words of all diagonals stand side by side.
func gatherDiagonals(body []byte, out *[qWords * diagBytes]byte) {
	o := 0
	for m := range qWords {
		i := (m%qDiags*pWords + m) * 2
		first := qDiags - m%qDiags
		for range first {
			binary.LittleEndian.PutUint16(out[o:], binary.LittleEndian.Uint16(body[i:]))
			o += 2
			i += rowBytes
		}
		i = m * 2
		for range qDiags - first {
			binary.LittleEndian.PutUint16(out[o:], binary.LittleEndian.Uint16(body[i:]))
			o += 2
			i += rowBytes
		}
	}
}

// putParity computes and stores P and Q. The parity of XA form 1 does not cover
// the header, which counts as four zero bytes.
func putParity(s *[Size]byte, zeroHeader bool) {
	header := [4]byte(s[headerAt:userAt])
	if zeroHeader {
		clear(s[headerAt:userAt])
	}
	body := s[headerAt:]
	var out [2 * rowBytes]byte
	for _, c := range pColumns {
		s0, s1 := pSums(body, c, pRows)
		p0, p1 := solveParity(s0, times2(times2(s1)))
		binary.LittleEndian.PutUint64(out[c:], p0)
		binary.LittleEndian.PutUint64(out[c+rowBytes:], p1)
	}
	copy(s[pParityAt:], out[:])

	var diag [qWords * diagBytes]byte
	gatherDiagonals(body, &diag)
	q := s[qParityAt:]
	for _, c := range qGroups {
		s0, s1 := qSums(&diag, c)
		q0, q1 := solveParity(s0, times2(times2(s1)))
		binary.LittleEndian.PutUint64(q[c:], q0)
		binary.LittleEndian.PutUint64(q[c+diagBytes:], q1)
	}
	copy(s[headerAt:userAt], header[:])
}

func qSums(diag *[qWords * diagBytes]byte, c int) (s0, s1 uint64) {
	for m := c; m < qWords*diagBytes; m += diagBytes {
		v := binary.LittleEndian.Uint64(diag[m : m+8])
		s0 ^= v
		s1 = times2(s1) ^ v
	}
	return s0, s1
}
