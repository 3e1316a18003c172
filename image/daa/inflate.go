package daa

import (
	"errors"
	"io"
)

// errDeflate means that a chunk is not what deflate makes.
var errDeflate = errors.New("corrupt deflate data")

// reordered unpacks deflate (RFC 1951) whose kinds of blocks have other numbers than usual: as where a block begins is
// known only once the one before is unpacked, no usual reader can be given the right ones. It is for chunks that are in
// memory, and keeps all that it has unpacked, up to [maxChunk] bytes.
type reordered struct {
	in    bitReader
	order [3]int // the number of stored, fixed and dynamic blocks
	out   []byte
	given int
	last  bool // no block follows
}

// Read implements [io.Reader].
func (z *reordered) Read(p []byte) (int, error) {
	for z.given == len(z.out) {
		if z.last {
			return 0, io.EOF
		}
		if err := z.block(); err != nil {
			return 0, err
		}
	}
	n := copy(p, z.out[z.given:])
	z.given += n
	return n, nil
}

func (z *reordered) block() error {
	z.last = z.in.take(1) == 1
	number := int(z.in.take(2))
	var err error
	switch {
	case z.in.over:
		err = io.ErrUnexpectedEOF
	case number == z.order[0]:
		err = z.stored()
	case number == z.order[1]:
		err = z.codes(fixedCodes())
	case number == z.order[2]:
		var literals, distances *huffman
		if literals, distances, err = z.trees(); err == nil {
			err = z.codes(literals, distances)
		}
	default:
		err = errDeflate
	}
	if err == nil && z.in.over {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (z *reordered) stored() error {
	b, ok := z.in.bytes(4)
	if !ok {
		return io.ErrUnexpectedEOF
	}
	length := int(b[0]) | int(b[1])<<8
	if length != 0xFFFF^(int(b[2])|int(b[3])<<8) {
		return errDeflate
	}
	if b, ok = z.in.bytes(length); !ok {
		return io.ErrUnexpectedEOF
	}
	return z.add(b)
}

// add appends bytes, of which there are no more than a chunk has.
func (z *reordered) add(b []byte) error {
	if len(z.out)+len(b) > maxChunk {
		return errDeflate
	}
	z.out = append(z.out, b...)
	return nil
}

// What a symbol beyond the literals stands for: the least length or distance, and how many bits say by how much more.
const (
	endOfBlock   = 256
	firstLength  = 257
	lengthCodes  = 29
	longest      = 258
	distanceCode = 30
)

// span returns what code n of lengths (group 4) or distances (group 2) stands for.
func span(n, group, first int) (base, bits int) {
	if n < 2*group {
		return first + n, 0
	}
	bits = n/group - 1
	return first + (group+n%group)<<bits, bits
}

// codes unpacks a block of symbols.
func (z *reordered) codes(literals, distances *huffman) error {
	for !z.in.over {
		switch s := literals.symbol(&z.in); {
		case s < 0 || s >= firstLength+lengthCodes:
			return errDeflate
		case s == endOfBlock:
			return nil
		case s < endOfBlock:
			if err := z.add([]byte{byte(s)}); err != nil {
				return err
			}
		default:
			if err := z.repeat(s-firstLength, distances); err != nil {
				return err
			}
		}
	}
	return io.ErrUnexpectedEOF
}

// repeat unpacks the repetition of what was unpacked.
func (z *reordered) repeat(code int, distances *huffman) error {
	length, bits := longest, 0
	if code < lengthCodes-1 {
		length, bits = span(code, 4, 3)
	}
	length += int(z.in.take(bits))
	d := distances.symbol(&z.in)
	if d < 0 || d >= distanceCode {
		return errDeflate
	}
	back, bits := span(d, 2, 1)
	back += int(z.in.take(bits))
	if back > len(z.out) || len(z.out)+length > maxChunk {
		return errDeflate
	}
	for range length {
		z.out = append(z.out, z.out[len(z.out)-back])
	}
	return nil
}

// trees reads the codes of a dynamic block.
func (z *reordered) trees() (literals, distances *huffman, err error) {
	nl, nd, nc := int(z.in.take(5))+firstLength, int(z.in.take(5))+1, int(z.in.take(4))+4
	var small [19]byte
	for _, at := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:nc] {
		small[at] = byte(z.in.take(3))
	}
	lengths, err := z.lengths(newHuffman(small[:]), nl+nd)
	if err != nil {
		return nil, nil, err
	}
	return newHuffman(lengths[:nl]), newHuffman(lengths[nl:]), nil
}

// lengths reads how long n codes are.
func (z *reordered) lengths(small *huffman, n int) ([]byte, error) {
	var all []byte
	for len(all) < n && !z.in.over {
		s := small.symbol(&z.in)
		value, times := byte(0), 1
		switch {
		case s < 0:
			return nil, errDeflate
		case s < 16:
			value = byte(s)
		case s == 16 && len(all) == 0:
			return nil, errDeflate
		case s == 16:
			value, times = all[len(all)-1], 3+int(z.in.take(2))
		case s == 17:
			times = 3 + int(z.in.take(3))
		default:
			times = 11 + int(z.in.take(7))
		}
		for range times {
			all = append(all, value)
		}
	}
	if len(all) != n {
		return nil, errDeflate
	}
	return all, nil
}

// A huffman is a canonical code: how many codes there are of each length, and the symbols in the order of their codes.
type huffman struct {
	count   [16]int
	symbols []int
}

func newHuffman(lengths []byte) *huffman {
	h := &huffman{}
	for _, l := range lengths {
		h.count[l]++
	}
	h.count[0] = 0
	for length := byte(1); length < 16; length++ {
		for s, l := range lengths {
			if l == length {
				h.symbols = append(h.symbols, s)
			}
		}
	}
	return h
}

// symbol reads a symbol. It is negative where there is no such code.
func (h *huffman) symbol(in *bitReader) int {
	code, first, at := 0, 0, 0
	for _, n := range h.count[1:] {
		code |= int(in.take(1))
		if code-first < n {
			return h.symbols[at+code-first]
		}
		at += n
		first = (first + n) << 1
		code <<= 1
	}
	return -1
}

// fixedCodes are those of blocks that state none.
func fixedCodes() (literals, distances *huffman) {
	var l [288]byte
	for s := range l {
		switch {
		case s < 144, s >= 280:
			l[s] = 8
		case s < 256:
			l[s] = 9
		default:
			l[s] = 7
		}
	}
	var d [distanceCode]byte
	for s := range d {
		d[s] = 5
	}
	return newHuffman(l[:]), newHuffman(d[:])
}

// A bitReader takes bits, the lowest of each byte first.
type bitReader struct {
	b    []byte
	at   int // in bits
	over bool
}

func (r *bitReader) take(n int) (v uint32) {
	for k := range n {
		if r.at/8 >= len(r.b) {
			r.over = true
			return 0
		}
		v |= uint32(r.b[r.at/8]>>(r.at%8)&1) << k
		r.at++
	}
	return v
}

// bytes takes whole bytes, from the next on.
func (r *bitReader) bytes(n int) ([]byte, bool) {
	at := (r.at + 7) / 8
	if n > len(r.b)-at {
		return nil, false
	}
	r.at = (at + n) * 8
	return r.b[at : at+n], true
}
