package ctdb

// A wrong is an error of a word in a column.
type wrong struct {
	row   int
	value uint16 // what the word differs by
}

// A decoder finds the errors of columns of a number of rows.
type decoder struct {
	rows int
	// seen has the rows in which errors were found: damage has the same rows in many columns.
	seen []int
}

// poly is a polynomial, the coefficient of x^0 first.
type poly [MaxParity + 1]uint16

// decode finds the errors of a column from the difference of its syndromes, n words of it. The
// words in erased rows are suspected, and others may be wrong, too. As many errors are found as n allows: one word of
// parity for each erased row, two for each other error. Of more, it returns false.
func (d *decoder) decode(diff *syndrome, n int, erased []int) ([]wrong, bool) {
	if *diff == (syndrome{}) {
		return nil, true
	}
	locator, degree := d.locate(diff, n, erased)
	if 2*degree-len(erased) > n {
		return nil, false
	}
	for i := degree + 1; i < len(locator); i++ {
		if locator[i] != 0 {
			return nil, false
		}
	}
	rows := d.roots(&locator, degree, erased)
	if len(rows) != degree {
		return nil, false
	}
	errs := d.values(diff, n, &locator, rows)
	return errs, d.explain(diff, n, errs)
}

// locate finds the polynomial whose roots are the inverses of the places of errors
// (Berlekamp and Massey), beginning with those that are known, and how many roots it has.
func (d *decoder) locate(diff *syndrome, n int, erased []int) (locator poly, degree int) {
	f := gf()
	locator[0] = 1
	for _, r := range erased {
		x := f.pow(d.rows - 1 - r)
		for j := MaxParity; j > 0; j-- {
			locator[j] ^= f.mul(locator[j-1], x)
		}
	}
	previous := locator
	degree = len(erased)
	for k := len(erased); k < n; k++ {
		var delta uint16
		for j := 0; j <= k; j++ {
			delta ^= f.mul(locator[j], diff[k-j])
		}
		copy(previous[1:], previous[:MaxParity]) // times x
		previous[0] = 0
		if delta == 0 {
			continue
		}
		old := locator
		for j := range locator {
			locator[j] ^= f.mul(delta, previous[j])
		}
		if 2*degree <= k+len(erased) {
			degree = k + 1 - degree + len(erased)
			for j := range old {
				previous[j] = f.div(old[j], delta)
			}
		}
	}
	return locator, degree
}

// roots returns the rows that a locator names, as far as there are such.
func (d *decoder) roots(locator *poly, degree int, erased []int) []int {
	var rows []int
	add := func(r int) {
		for _, x := range rows {
			if x == r {
				return
			}
		}
		rows = append(rows, r)
	}
	for _, list := range [][]int{erased, d.seen} {
		for _, r := range list {
			if len(rows) < degree && gf().eval(locator[:degree+1], gf().pow(r-d.rows+1)) == 0 {
				add(r)
			}
		}
	}
	if len(rows) < degree {
		rows = d.search(locator, degree)
		for _, r := range rows {
			if len(d.seen) == 4*MaxParity {
				d.seen = d.seen[1:]
			}
			d.seen = append(d.seen, r)
		}
	}
	return rows
}

// search tries all rows (Chien): each term takes a step from row to row.
func (d *decoder) search(locator *poly, degree int) []int {
	f := gf()
	var logs, steps [MaxParity + 1]int
	var terms int
	for j := 1; j <= degree; j++ {
		if locator[j] != 0 {
			logs[terms], steps[terms] = int(f.log[locator[j]]), fieldOrder-j
			terms++
		}
	}
	var rows []int
	for r := d.rows - 1; r >= 0 && len(rows) < degree; r-- { // the place of row r is alpha^(R-1-r)
		v := locator[0]
		for j := range terms {
			v ^= f.exp[logs[j]]
			if logs[j] += steps[j]; logs[j] >= fieldOrder {
				logs[j] -= fieldOrder
			}
		}
		if v == 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

// values finds by how much the words in rows are wrong (Forney, for roots from alpha^0 on).
func (d *decoder) values(diff *syndrome, n int, locator *poly, rows []int) []wrong {
	f := gf()
	var evaluator [MaxParity]uint16 // the syndrome times the locator, modulo x^n
	for i := range n {
		for j := 0; j <= i; j++ {
			evaluator[i] ^= f.mul(locator[j], diff[i-j])
		}
	}
	var derivative [MaxParity]uint16
	for j := 1; j < len(locator); j += 2 {
		derivative[j-1] = locator[j]
	}
	var errs []wrong
	for _, r := range rows {
		place, inverse := f.pow(d.rows-1-r), f.pow(r-d.rows+1)
		slope := f.eval(derivative[:], inverse)
		if slope == 0 {
			return nil
		}
		if v := f.div(f.mul(place, f.eval(evaluator[:n], inverse)), slope); v != 0 {
			errs = append(errs, wrong{r, v})
		}
	}
	return errs
}

// explain reports whether errors have the syndromes that were found.
func (d *decoder) explain(diff *syndrome, n int, errs []wrong) bool {
	f := gf()
	for i := range n {
		v := diff[i]
		for _, e := range errs {
			v ^= f.mul(e.value, f.pow(i*(d.rows-1-e.row)))
		}
		if v != 0 {
			return false
		}
	}
	return true
}
