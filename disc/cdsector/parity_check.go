package cdsector

import "encoding/binary"

// Checking is what a whole disc goes through, so it goes another way than making:
// several chains of sums run side by side, because each step of one waits for the
// last, and the diagonals of Q are read where they lie.
//
// A step along a diagonal is a row down and a column to the right: 44 words. So
// four words that lie side by side belong to four diagonals, each one column
// further on its own than its left neighbour, and a step takes them all to their
// next words. The sums of the four end up with weights that differ by powers of a,
// which is corrected once, at the end. What runs out at the bottom of the matrix
// continues at its top: three copies of it, one below the other, are long enough.
const (
	matrixBytes = qDiags * rowBytes // 2236: all that P and Q cover, with P itself
	stepBytes   = rowBytes + 2      // along a diagonal
	unrolledAt  = 8                 // the first step begins some words before the matrix
	unrolled    = unrolledAt + 3*matrixBytes
)

// parityOK reports whether P and Q of a sector hold. The parity of XA form 1 does
// not cover the header, which counts as four zero bytes.
func parityOK(s *[Size]byte, zeroHeader bool) bool {
	var m [unrolled]byte
	body := m[unrolledAt:]
	copy(body, s[headerAt:headerAt+matrixBytes])
	if zeroHeader {
		clear(body[:userAt-headerAt])
	}
	if checkP(body) != 0 {
		return false
	}
	copy(body[matrixBytes:], body[:matrixBytes])
	copy(body[2*matrixBytes:], body[:matrixBytes])
	q := s[qParityAt:]
	// Each is the last of four diagonals.
	return checkQ(&m, q, [4]int{3, 7, 11, 15})|checkQ(&m, q, [4]int{19, 23, 25, 25}) == 0
}

// checkP returns zero when both syndromes of all columns are.
func checkP(body []byte) uint64 {
	var bad uint64
	for _, c := range [3]int{0, 32, 54} { // 32 byte columns at a time; the last overlap
		var a0, b0, c0, d0, a1, b1, c1, d1 uint64
		for i := c; i < matrixBytes; i += rowBytes {
			row := body[i : i+32]
			a, b := binary.LittleEndian.Uint64(row), binary.LittleEndian.Uint64(row[8:])
			x, y := binary.LittleEndian.Uint64(row[16:]), binary.LittleEndian.Uint64(row[24:])
			a0, a1 = a0^a, times2(a1)^a
			b0, b1 = b0^b, times2(b1)^b
			c0, c1 = c0^x, times2(c1)^x
			d0, d1 = d0^y, times2(d1)^y
		}
		bad |= a0 | a1 | b0 | b1 | c0 | c1 | d0 | d1
	}
	return bad
}

// checkQ returns zero when both syndromes of four times four diagonals are: those
// that end at the given ones.
func checkQ(m *[unrolled]byte, q []byte, last [4]int) uint64 {
	var s0, s1 [4]uint64
	var at [4]int
	for k, d := range last {
		at[k] = unrolledAt + (d-3)*rowBytes - 3*2
	}
	// Three steps in which not all four have begun.
	for mask := uint64(0xFFFF << 48); ; mask = mask>>16 | 0xFFFF<<48 {
		for k := range at {
			v := binary.LittleEndian.Uint64(m[at[k]:]) & mask
			s0[k], s1[k] = s0[k]^v, times2(s1[k])^v
			at[k] += stepBytes
		}
		if mask&0xFFFF0000 != 0 {
			break
		}
	}
	a, b, c, d := at[0], at[1], at[2], at[3]
	a0, b0, c0, d0 := s0[0], s0[1], s0[2], s0[3]
	a1, b1, c1, d1 := s1[0], s1[1], s1[2], s1[3]
	for range qWords - 3 {
		w := binary.LittleEndian.Uint64(m[a:])
		x := binary.LittleEndian.Uint64(m[b:])
		y := binary.LittleEndian.Uint64(m[c:])
		z := binary.LittleEndian.Uint64(m[d:])
		a0, a1 = a0^w, times2(a1)^w
		b0, b1 = b0^x, times2(b1)^x
		c0, c1 = c0^y, times2(c1)^y
		d0, d1 = d0^z, times2(d1)^z
		a, b, c, d = a+stepBytes, b+stepBytes, c+stepBytes, d+stepBytes
	}
	at = [4]int{a, b, c, d}
	s0, s1 = [4]uint64{a0, b0, c0, d0}, [4]uint64{a1, b1, c1, d1}
	// Three in which not all four are still going.
	for mask := uint64(0x0000FFFFFFFFFFFF); mask != 0; mask >>= 16 {
		for k := range at {
			v := binary.LittleEndian.Uint64(m[at[k]:]) & mask
			s0[k], s1[k] = s0[k]^v, times2(s1[k])^v
			at[k] += stepBytes
		}
	}
	var bad uint64
	for k, d := range last {
		x := s1[k]
		for mask := uint64(0x0000FFFFFFFFFFFF); mask != 0; mask >>= 16 {
			x = times2(x)&mask | x&^mask
		}
		at := 2 * (d - 3)
		p0 := reverseWords(binary.LittleEndian.Uint64(q[at:]))
		p1 := reverseWords(binary.LittleEndian.Uint64(q[at+diagBytes:]))
		bad |= (s0[k] ^ p0 ^ p1) | (x ^ times2(times2(p0)^p1))
	}
	return bad
}

// reverseWords turns the order of four words around.
func reverseWords(v uint64) uint64 {
	v = v>>32 | v<<32
	return v>>16&0x0000FFFF0000FFFF | v<<16&0xFFFF0000FFFF0000
}
