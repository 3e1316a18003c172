package cdsector

// Word by word, P and Q correct two erasures each. All words of a sector together are a system of linear
// equations over GF(2^8), which says what as many erasures are as it has independent
// equations. Even and odd bytes belong to different words, and are two systems.

// Words and equations of one of the two systems: each word gives two.
const (
	planeP, planeQ = rowBytes / 2, diagBytes / 2
	equations      = 2 * (planeP + planeQ)
)

// solve computes the bytes that e marks from all others, where these are right. It reports
// whether there is one solution.
func solve(s *[Size]byte, k Kind, e *Erasures) bool {
	t := *s
	if k == Form1 {
		clear(t[headerAt:userAt])
	}
	for plane := range 2 {
		if !solvePlane(&t, k, e, plane) {
			return false
		}
	}
	copy(s[userAt:], t[userAt:])
	if k != Form1 {
		copy(s[headerAt:userAt], t[headerAt:userAt])
	}
	return true
}

// A row is an equation: the factors of the unknown bytes, and at the end what they add up to.
type row []byte

// solvePlane computes the marked bytes among the even, or the odd ones.
func solvePlane(s *[Size]byte, k Kind, e *Erasures, plane int) bool {
	first := headerAt
	if k == Form1 {
		first = userAt
	}
	var column [Size]int // of a byte, from 1; 0: it is known
	var unknown []int
	for at := first + plane; at < Size; at += 2 {
		if e.Has(at) {
			unknown = append(unknown, at)
			column[at] = len(unknown)
		}
	}
	if len(unknown) == 0 {
		return true
	}
	if len(unknown) > equations {
		return false
	}
	rows := make([]row, 0, equations)
	for i := plane; i < len(pPositions); i += 2 {
		rows = appendRows(rows, s, pPositions[i][:], &column, len(unknown))
	}
	for i := plane; i < len(qPositions); i += 2 {
		rows = appendRows(rows, s, qPositions[i][:], &column, len(unknown))
	}
	if !eliminate(rows, len(unknown)) {
		return false
	}
	for i, at := range unknown {
		s[at] ^= rows[i][len(unknown)]
	}
	return true
}

// appendRows adds the two equations of a code word.
func appendRows(rows []row, s *[Size]byte, pos []int, column *[Size]int, unknowns int) []row {
	a, b := make(row, unknowns+1), make(row, unknowns+1)
	n := len(pos)
	var s0, s1 byte
	for i, p := range pos {
		v := s[p]
		s0 ^= v
		s1 = s1<<1 ^ s1>>7*0x1D ^ v
		if c := column[p]; c > 0 {
			a[c-1], b[c-1] = 1, gf.exp[n-1-i]
		}
	}
	a[unknowns], b[unknowns] = s0, s1
	return append(rows, a, b)
}

// eliminate solves equations in so many unknowns: afterwards row i ends with the value of
// unknown i. It reports whether there is one solution.
func eliminate(rows []row, unknowns int) bool {
	for c := range unknowns {
		pivot := c
		for pivot < len(rows) && rows[pivot][c] == 0 {
			pivot++
		}
		if pivot == len(rows) {
			return false // too few that are independent
		}
		rows[c], rows[pivot] = rows[pivot], rows[c]
		scale(rows[c][c:], gfDiv(1, rows[c][c]))
		for i := range rows {
			if f := rows[i][c]; i != c && f != 0 {
				subtract(rows[i][c:], rows[c][c:], f)
			}
		}
	}
	for _, r := range rows[unknowns:] {
		if r[unknowns] != 0 {
			return false // a byte is wrong that is not marked
		}
	}
	return true
}

func scale(r row, f byte) {
	for i := range r {
		r[i] = gfMul(r[i], f)
	}
}

func subtract(r, from row, f byte) {
	l := int(gf.log[f])
	for i, v := range from {
		if v != 0 {
			r[i] ^= gf.exp[l+int(gf.log[v])]
		}
	}
}
