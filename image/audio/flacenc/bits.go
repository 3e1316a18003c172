package flacenc

import "encoding/binary"

// bitWriter packs numbers, the most significant bit first (RFC 9639 section 5). Its
// buffer has room for the largest frame, and for the eight bytes that put stores.
type bitWriter struct {
	buf  []byte
	at   int    // whole bytes
	acc  uint64 // bits behind them, from the top
	bits uint   // how many: less than 8
}

func (w *bitWriter) reset() { w.at, w.acc, w.bits = 0, 0, 0 }

// put appends the n low bits of v, which has no others: at most 56.
func (w *bitWriter) put(v uint64, n uint) {
	acc := w.acc | v<<((64-w.bits-n)&63)
	binary.BigEndian.PutUint64(w.buf[w.at:], acc)
	n += w.bits
	w.at += int(n >> 3)
	w.acc, w.bits = acc<<(n&^7&63), n&7
}

// signed appends a number of n bits in two's complement.
func (w *bitWriter) signed(v int32, n uint) { w.put(uint64(uint32(v))&(1<<n-1), n) }

// unary appends n zeros and a one.
func (w *bitWriter) unary(n uint32) {
	for ; n >= 32; n -= 32 {
		w.put(0, 32)
	}
	w.put(1, uint(n)+1)
}

// align fills the last byte with zeros.
func (w *bitWriter) align() {
	if w.bits > 0 {
		w.put(0, 8-w.bits)
	}
}

// length is the number of bits written.
func (w *bitWriter) length() int { return w.at*8 + int(w.bits) }

// mark is a place to which rewind goes back.
type mark struct {
	at   int
	acc  uint64
	bits uint
}

func (w *bitWriter) mark() mark    { return mark{w.at, w.acc, w.bits} }
func (w *bitWriter) rewind(m mark) { w.at, w.acc, w.bits = m.at, m.acc, m.bits }

// coded appends a number as UTF-8 would, up to 36 bits (RFC 9639 section 9.1.5).
func (w *bitWriter) coded(v uint64) {
	if v < 0x80 {
		w.put(v, 8)
		return
	}
	more := uint(1) // bytes that follow the first, of six bits each
	for v>>(6*more+6-more) != 0 {
		more++
	}
	lead := uint64(0xFF) << (7 - more) & 0xFF
	w.put(lead|v>>(6*more), 8)
	for i := int(more) - 1; i >= 0; i-- {
		w.put(0x80|v>>(6*uint(i))&0x3F, 8)
	}
}

// rice appends numbers, folded to be positive, in the Rice code of a parameter: the
// high bits in unary, the k low ones as they are (section 9.2.7.3).
func (w *bitWriter) rice(values []uint32, k uint) {
	k &= 31
	buf, at, acc, n := w.buf, w.at, w.acc, w.bits
	stop, low := uint64(1)<<k, uint64(1)<<k-1
	for len(values) >= 2 {
		a, b := values[0], values[1]
		na, nb := uint(a>>k)+k+1, uint(b>>k)+k+1
		if na+nb > 56 {
			w.at, w.acc, w.bits = at, acc, n
			w.long(a, k)
			w.long(b, k)
			at, acc, n = w.at, w.acc, w.bits
		} else {
			v := (stop|uint64(a)&low)<<(nb&63) | stop | uint64(b)&low
			acc |= v << ((64 - n - na - nb) & 63)
			binary.BigEndian.PutUint64(buf[at:], acc)
			n += na + nb
			at += int(n >> 3)
			acc <<= n &^ 7 & 63
			n &= 7
		}
		values = values[2:]
	}
	w.at, w.acc, w.bits = at, acc, n
	if len(values) > 0 {
		w.long(values[0], k)
	}
}

// long appends the Rice code of one number, of any length.
func (w *bitWriter) long(v uint32, k uint) {
	w.unary(v >> k)
	if k > 0 {
		w.put(uint64(v)&(1<<k-1), k)
	}
}
