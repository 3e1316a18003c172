package audio

import (
	"math/bits"

	"github.com/mewkiz/flac/frame"
)

// partitions is how many parts of a whole block get a Rice parameter of their own.
const (
	partitionOrder = 4
	partitions     = 1 << partitionOrder
)

// predict chooses how the samples of a channel are coded (RFC 9639 section 9.2): as
// one value, as they are, or as the differences from one of the fixed predictors.
// The library's own choice weighs every parameter for every sample, which takes
// four times as long as all the rest.
func predict(samples []int32, bitsPerSample uint) frame.SubHeader {
	n := len(samples)
	verbatim := frame.SubHeader{Pred: frame.PredVerbatim}
	const maxOrder = 4
	if n <= 2*maxOrder {
		return verbatim
	}
	order, constant := fixedOrder(samples)
	if constant {
		return frame.SubHeader{Pred: frame.PredConstant}
	}
	h := frame.SubHeader{
		Pred: frame.PredFixed, Order: order, ResidualCodingMethod: frame.ResidualCodingMethodRice1, RiceSubframe: new(frame.RiceSubframe),
	}
	parts := 1
	if n == blockSize {
		h.RiceSubframe.PartOrder, parts = partitionOrder, partitions
	}
	cost := order * int(bitsPerSample)
	for i := range parts {
		from, to := i*n/parts, (i+1)*n/parts
		k, size := riceParameter(samples, max(from, order), to, order)
		cost += 4 + size
		h.RiceSubframe.Partitions = append(h.RiceSubframe.Partitions, frame.RicePartition{Param: k})
	}
	if cost >= n*int(bitsPerSample) {
		return verbatim
	}
	return h
}

// fixedOrder returns the order of the predictor that leaves least, and whether all
// samples are the same. Each difference is one of differences.
func fixedOrder(samples []int32) (order int, constant bool) {
	var sums [5]uint64
	var d1, d2, d3 int32 // the last differences
	constant = true
	for i, s := range samples {
		if s != samples[0] {
			constant = false
		}
		e := [5]int32{s}
		if i > 0 {
			e[1] = s - samples[i-1]
			e[2] = e[1] - d1
			e[3] = e[2] - d2
			e[4] = e[3] - d3
		}
		d1, d2, d3 = e[1], e[2], e[3]
		if i < len(sums) { // not all of them mean something yet
			continue
		}
		for k, v := range e {
			sums[k] += uint64(magnitude(v))
		}
	}
	for k, sum := range sums {
		if sum < sums[order] {
			order = k
		}
	}
	return order, constant
}

func magnitude(v int32) uint32 {
	sign := v >> 31
	return uint32((v ^ sign) - sign)
}

// residual is what a fixed predictor leaves of the sample at i.
func residual(s []int32, i, order int) int32 {
	switch order {
	case 1:
		return s[i] - s[i-1]
	case 2:
		return s[i] - 2*s[i-1] + s[i-2]
	case 3:
		return s[i] - 3*s[i-1] + 3*s[i-2] - s[i-3]
	case 4:
		return s[i] - 4*s[i-1] + 6*s[i-2] - 4*s[i-3] + s[i-4]
	}
	return s[i]
}

// riceParameter returns the parameter that suits the mean of what is left of the
// samples [from, to), and about how many bits they take with it.
func riceParameter(s []int32, from, to, order int) (k uint, size int) {
	if from >= to {
		return 0, 0
	}
	var sum uint64 // folded: 0, -1, 1, -2 are 0, 1, 2, 3
	for i := from; i < to; i++ {
		v := residual(s, i, order)
		sum += uint64(uint32(v<<1) ^ uint32(v>>31))
	}
	n := uint64(to - from)
	const most = 14 // 15 is an escape
	k = uint(min(most, max(0, bits.Len64(sum/n)-1)))
	return k, int(n*uint64(k+1) + sum>>k)
}
