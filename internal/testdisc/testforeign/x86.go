package testforeign

import "encoding/binary"

// X86 makes the targets of calls and jumps absolute, as the BCJ filter of LZMA's SDK does before it compresses.
func X86(b []byte) []byte {
	b = append([]byte{}, b...)
	sign := func(c byte) bool { return c == 0 || c == 0xFF }
	codes := 0 // bit n: the byte n+1 before was one of a call or jump that was left as it is
	for at := 0; at+5 <= len(b); {
		if b[at] != 0xE8 && b[at] != 0xE9 {
			codes = codes << 1 & 7
			at++
			continue
		}
		doubtful := map[int]int{1: 3, 2: 2, 4: 1}[codes] // the byte that an earlier code may reach to
		if codes == 3 || codes > 4 || codes > 0 && sign(b[at+doubtful]) || !sign(b[at+4]) {
			codes = codes<<1&7 | 1
			at++
			continue
		}
		target := binary.LittleEndian.Uint32(b[at+1:])
		for {
			target += uint32(at + 5)
			if codes == 0 || !sign(byte(target>>(8*(doubtful-1)))) {
				break
			}
			target ^= 1<<(8*doubtful) - 1
		}
		target &= 1<<25 - 1
		if target>>24 == 1 {
			target |= 0xFF000000
		}
		binary.LittleEndian.PutUint32(b[at+1:], target)
		codes = 0
		at += 5
	}
	return b
}
