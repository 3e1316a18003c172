package lzfse

import "encoding/binary"

// An op is what an opcode of LZVN says.
type op struct {
	size     int // bytes
	literals int // that follow it
	length   int // of a match
	distance int // 0: that of the last match
	end      bool
}

// lzvn unpacks a block of LZVN, which ends with an opcode that says so.
func (o *output) lzvn(src []byte) bool {
	distance := 0
	for len(src) > 0 {
		x, ok := parse(src)
		if !ok || x.size+x.literals > len(src) {
			return false
		}
		if x.end {
			return true
		}
		if x.distance != 0 {
			distance = x.distance
		}
		if !o.literals(src[x.size:x.size+x.literals]) || !o.match(x.length, distance) {
			return false
		}
		src = src[x.size+x.literals:]
	}
	return false
}

// parse reads an opcode. L, M and D are literals, length and distance.
func parse(src []byte) (op, bool) {
	b := int(src[0])
	var next [2]byte
	copy(next[:], src[1:])
	switch {
	case b == 0x06:
		return op{size: 8, end: true}, true
	case b == 0x0E || b == 0x16: // of no meaning
		return op{size: 1}, true
	case b == 0xF0: // 11110000 MMMMMMMM
		return op{size: 2, length: int(next[0]) + 16}, true
	case b > 0xF0: // 1111MMMM
		return op{size: 1, length: b & 0xF}, true
	case b == 0xE0: // 11100000 LLLLLLLL
		return op{size: 2, literals: int(next[0]) + 16}, true
	case b > 0xE0: // 1110LLLL
		return op{size: 1, literals: b & 0xF}, true
	case b>>4 == 0x7 || b>>4 == 0xD:
		return op{}, false
	case b>>5 == 5: // 101LLMMM DDDDDDMM DDDDDDDD
		more := int(binary.LittleEndian.Uint16(next[:]))
		return defined(op{size: 3, literals: b >> 3 & 3, length: (b&7<<2 | more&3) + 3, distance: more >> 2})
	}
	x := op{literals: b >> 6, length: b>>3&7 + 3}
	switch b & 7 {
	case 7: // LLMMM111 DDDDDDDD DDDDDDDD
		x.size, x.distance = 3, int(binary.LittleEndian.Uint16(next[:]))
	case 6: // LLMMM110
		x.size = 1
		return x, x.literals > 0
	default: // LLMMMDDD DDDDDDDD
		x.size, x.distance = 2, b&7<<8|int(next[0])
	}
	return defined(x)
}

// defined refuses an opcode that states no distance.
func defined(x op) (op, bool) { return x, x.distance > 0 }
