package ctdb

import (
	"encoding/binary"
	"runtime"
	"sync"
)

const (
	// columns is the number of words of 16 bits in a row: ten sectors.
	columns = 11760

	// MaxParity is the most parity words of a column.
	MaxParity = 16

	// blockRows is how many rows go through all columns at a time.
	blockRows = 32
)

// A syndrome is that of a column: S[i] is the sum of its words times alpha^(i*(R-1-r)), for
// the word in row r of R.
type syndrome [MaxParity]uint16

// A remainder is the polynomial of a column modulo the product of x - alpha^i, for i from 0 to 15.
// It has the same values at these alpha^i, and is cheaper to keep than they are: a word
// takes two look-ups, not sixteen multiplications. Four coefficients are in
// each number, the lowest in its lowest bits.
type remainder [MaxParity / 4]uint64

// reducers has, for each byte, what its multiple of x^16 is modulo that product: for the lower byte of
// a coefficient, and for the upper.
var reducers = sync.OnceValue(func() *[2][256]remainder {
	f := gf()
	product := []uint16{1}
	for i := range MaxParity {
		next := make([]uint16, len(product)+1)
		for j, c := range product {
			next[j+1] ^= c
			next[j] ^= f.mul(c, f.pow(i))
		}
		product = next
	}
	t := new([2][256]remainder)
	for half := range t {
		for b := range 256 {
			for j := range MaxParity {
				t[half][b][j/4] |= uint64(f.mul(product[j], uint16(b)<<(8*half))) << (16 * (j % 4))
			}
		}
	}
	return t
})

// syndrome returns the values at alpha^0, alpha^1 and so on.
func (r *remainder) syndrome() (s syndrome) {
	f := gf()
	var p [MaxParity]uint16
	for j := range p {
		p[j] = uint16(r[j/4] >> (16 * (j % 4)))
	}
	for i := range s {
		var v uint16
		for j := len(p) - 1; j >= 0; j-- {
			if v != 0 {
				v = f.exp[int(f.log[v])+i]
			}
			v ^= p[j]
		}
		s[i] = v
	}
	return s
}

// A matrix takes the rows of a disc and keeps the remainder of each column.
type matrix struct {
	columns [columns]remainder
	block   []byte // rows that wait
}

// write takes the next bytes.
func (m *matrix) write(p []byte) {
	if m.block == nil {
		m.block = make([]byte, 0, blockRows*columns*2)
	}
	for len(p) > 0 {
		n := min(len(p), cap(m.block)-len(m.block))
		m.block = append(m.block, p[:n]...)
		if p = p[n:]; len(m.block) == cap(m.block) {
			m.flush()
		}
	}
}

// flush takes the rows that wait into the columns, side by side on all cores. They are whole.
func (m *matrix) flush() {
	inParallel(m.take)
	m.block = m.block[:0]
}

// syndromes returns those of all columns, when all is written.
func (m *matrix) syndromes() []syndrome {
	m.flush()
	all := make([]syndrome, columns)
	inParallel(func(first, end int) {
		for c := first; c < end; c++ {
			all[c] = m.columns[c].syndrome()
		}
	})
	return all
}

// inParallel does something with all columns, side by side on all cores.
func inParallel(do func(first, end int)) {
	parts := max(runtime.GOMAXPROCS(0), 1)
	each := (columns + parts - 1) / parts
	var wg sync.WaitGroup
	for first := 0; first < columns; first += each {
		wg.Go(func() { do(first, min(first+each, columns)) })
	}
	wg.Wait()
}

// take continues some columns.
func (m *matrix) take(first, end int) {
	t := reducers()
	for c := first; c < end; c++ {
		r := &m.columns[c]
		a, b, x, y := r[0], r[1], r[2], r[3]
		for at := 2 * c; at+1 < len(m.block); at += 2 * columns {
			low, high := &t[0][byte(y>>48)], &t[1][y>>56]
			y = y<<16 | x>>48
			x = x<<16 | b>>48
			b = b<<16 | a>>48
			a = a<<16 | uint64(binary.LittleEndian.Uint16(m.block[at:]))
			a ^= low[0] ^ high[0]
			b ^= low[1] ^ high[1]
			x ^= low[2] ^ high[2]
			y ^= low[3] ^ high[3]
		}
		*r = remainder{a, b, x, y}
	}
}
