package flacenc

import "sync"

// bareCoders are those that [AppendFrames] has used.
var bareCoders = sync.Pool{New: func() any { return new(bareCoder) }}

type bareCoder struct {
	coder
	room [maxFrame]byte
}

// AppendFrames appends the frames of samples to dst, without the head of a file: for
// containers that have their own. The samples are as those that an [Encoder] takes. Each
// frame but the last has block of each channel, from 16 to 4096.
func AppendFrames(dst, samples []byte, block int) []byte {
	const smallest = 16 // RFC 9639 section 9.1.1
	block = min(max(block, smallest), blockSize)
	c := bareCoders.Get().(*bareCoder)
	defer bareCoders.Put(c)
	for number := uint64(0); len(samples) >= 4; number++ {
		n := min(block, len(samples)/4)
		c.w = bitWriter{buf: c.room[:]}
		c.frame(samples[:n*4], number)
		dst = append(dst, c.w.buf[:c.w.at]...)
		samples = samples[n*4:]
	}
	return dst
}
