package testdisc

// NetRandom returns the first n bytes of the generator that .NET's System.Random is with a
// seed: Knuth's subtractive generator, with its known slip. CUETools' tests state
// the checksums of discs made with it.
func NetRandom(seed int32, n int) []byte {
	const m = 1<<31 - 1
	var a [56]int32
	j, k := 161803398-seed, int32(1)
	a[55] = j
	for i := 1; i < 55; i++ {
		a[21*i%55] = k
		j, k = k, j-k
		if k < 0 {
			k += m
		}
	}
	for range 4 {
		for i := 1; i <= 55; i++ {
			if a[i] -= a[1+(i+30)%55]; a[i] < 0 {
				a[i] += m
			}
		}
	}
	out := make([]byte, n)
	p, q := 0, 21
	for i := range out {
		p, q = p%55+1, q%55+1
		r := a[p] - a[q]
		if r == m {
			r--
		}
		if r < 0 {
			r += m
		}
		a[p] = r
		out[i] = byte(r)
	}
	return out
}
