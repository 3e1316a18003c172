package ctdb

import "sync"

// The field GF(2^16) of the parity: polynomials over GF(2) modulo x^16+x^12+x^3+x+1,
// whose generator alpha is x.
const (
	fieldPoly  = 0x1100B
	fieldOrder = 1<<16 - 1 // alpha to this is 1
)

// field has the logarithms of the field, and the powers of alpha twice over, so
// that a sum of two logarithms is an index.
type field struct {
	exp [2 * fieldOrder]uint16
	log [1 << 16]uint16
}

var gf = sync.OnceValue(func() *field {
	f := new(field)
	x := 1
	for i := range fieldOrder {
		f.exp[i], f.exp[i+fieldOrder] = uint16(x), uint16(x)
		f.log[x] = uint16(i)
		if x <<= 1; x > fieldOrder {
			x ^= fieldPoly
		}
	}
	return f
})

func (f *field) mul(a, b uint16) uint16 {
	if a == 0 || b == 0 {
		return 0
	}
	return f.exp[int(f.log[a])+int(f.log[b])]
}

// div divides by b, which is not 0.
func (f *field) div(a, b uint16) uint16 {
	if a == 0 {
		return 0
	}
	return f.exp[int(f.log[a])+fieldOrder-int(f.log[b])]
}

// pow returns alpha to the power n, which may be negative.
func (f *field) pow(n int) uint16 {
	if n %= fieldOrder; n < 0 {
		n += fieldOrder
	}
	return f.exp[n]
}

// eval returns a polynomial's value, the coefficient of x^0 first.
func (f *field) eval(p []uint16, x uint16) uint16 {
	var v uint16
	for i := len(p) - 1; i >= 0; i-- {
		v = f.mul(v, x) ^ p[i]
	}
	return v
}
