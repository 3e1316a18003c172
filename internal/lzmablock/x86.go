package lzmablock

import "encoding/binary"

// Unfilter undoes in place what makes x86 code compress better: that the targets of calls and jumps are absolute, from
// the start of b on. It is the BCJ filter of the LZMA SDK (x86.c of the xz project documents it), for one whole block.
func Unfilter(b []byte) {
	const instruction = 5                   // bytes: the code of a call or jump, and its target
	const looksBack = 3                     // bytes in which an earlier code counts
	mask, before := uint32(0), -instruction // bits for the bytes before, of which 1 was such a code; where the last was
	for n := 0; n+instruction <= len(b); {
		if b[n]&0xFE != 0xE8 {
			n++
			continue
		}
		if gap := n - before; gap > looksBack {
			mask = 0
		} else {
			mask = mask << (gap - 1) & 7
		}
		before = n
		if mask != 0 && !mayFollow(b[n:], mask) || !isSign(b[n+4]) {
			mask = mask<<1&7 | 1
			n++
			continue
		}
		target := relative(binary.LittleEndian.Uint32(b[n+1:]), uint32(n+instruction), mask)
		// The highest byte is the sign of what is below it.
		target = target&(1<<24-1) | -(target>>24&1)<<24
		binary.LittleEndian.PutUint32(b[n+1:], target)
		n += instruction
	}
}

// isSign reports whether a byte is the highest of a target that is not far away.
func isSign(b byte) bool { return b == 0 || b == 0xFF }

// distance is how far before the highest byte that byte is which a mask makes doubtful.
var distance = [8]int{0, 1, 2, 2, 3, 3, 3, 3}

// mayFollow reports whether an instruction may be one after others that its mask states.
func mayFollow(b []byte, mask uint32) bool {
	allowed := mask == 1 || mask == 2 || mask == 4
	return allowed && !isSign(b[4-distance[mask]])
}

// relative makes a target relative to the next instruction. With a mask, until the doubtful byte is none.
func relative(target, next, mask uint32) uint32 {
	for {
		target -= next
		if mask == 0 {
			return target
		}
		shift := 24 - 8*distance[mask]
		if !isSign(byte(target >> shift)) {
			return target
		}
		target ^= 1<<(shift+8) - 1
	}
}
