package flacenc

import "math/bits"

const (
	maxPartition = 6  // as the power of two: 64 parts of a whole block
	maxRice      = 14 // 15 is an escape (RFC 9639 section 9.2.7)
)

// A partition is how a block is divided, each part with a Rice parameter of its own.
type partition struct {
	order uint
	param [1 << maxPartition]uint8
	sum   uint64 // of all numbers
	bits  int    // about how many they take: at most half a bit a number too few
}

// divide chooses the partition of folded numbers that takes least. The first skip of
// them are not coded.
func (p *partition) divide(values []uint32, skip int) {
	n := len(values)
	order := uint(min(maxPartition, bits.TrailingZeros(uint(n))))
	for order > 0 && n>>order <= skip {
		order--
	}
	var sums [1 << maxPartition]uint64
	length := n >> order
	for i := range 1 << order {
		var sum uint64
		from := i * length
		for _, v := range values[max(from, skip) : from+length] {
			sum += uint64(v)
		}
		sums[i] = sum
	}
	p.bits = -1
	var params [1 << maxPartition]uint8
	for {
		total := 0
		length = n >> order
		count := length - skip // in the first part
		for i := range 1 << order {
			k, size := parameter(sums[i], count)
			params[i] = k
			total += 4 + size
			count = length
		}
		if p.bits < 0 || total < p.bits {
			p.bits, p.order = total, order
			copy(p.param[:1<<order], params[:])
		}
		if order == 0 {
			p.sum = sums[0]
			return
		}
		order--
		for i := range 1 << order {
			sums[i] = sums[2*i] + sums[2*i+1]
		}
	}
}

// parameter returns the Rice parameter for n numbers with this sum, and about how many
// bits they take with it.
func parameter(sum uint64, n int) (uint8, int) {
	if n <= 0 {
		return 0, 0
	}
	// The low bits that a parameter takes off are half of what they can be, in the mean.
	size := func(k uint) int {
		return n*int(k+1) + max(0, int(sum>>k)-n/2+n>>(k+1))
	}
	k := uint(min(maxRice, max(0, bits.Len64(sum/uint64(n))-1)))
	best := size(k)
	if k > 0 {
		if s := size(k - 1); s < best {
			return uint8(k - 1), s
		}
	}
	if k < maxRice {
		if s := size(k + 1); s < best {
			return uint8(k + 1), s
		}
	}
	return uint8(k), best
}
