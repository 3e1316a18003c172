package testforeign

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"slices"
	"strings"
)

// DAX makes a DAX file whose frames are plain from one on.
func DAX(content []byte, version, plain int) []byte {
	const frame = 8192
	count := (len(content) + frame - 1) / frame
	padded := append(append([]byte{}, content...), make([]byte, count*frame-len(content))...)
	out := make([]byte, 32+count*6)
	copy(out, "DAX\x00")
	binary.LittleEndian.PutUint32(out[4:], uint32(len(content)))
	binary.LittleEndian.PutUint32(out[8:], uint32(version))
	if version == 1 {
		binary.LittleEndian.PutUint32(out[12:], 1)
		out = binary.LittleEndian.AppendUint32(out, uint32(plain))
		out = binary.LittleEndian.AppendUint32(out, uint32(count-plain))
	}
	for i := range count {
		b := padded[i*frame : (i+1)*frame]
		if version == 0 || i < plain {
			b = zlibOf(b)
		}
		binary.LittleEndian.PutUint32(out[32+4*i:], uint32(len(out)))
		binary.LittleEndian.PutUint16(out[32+4*count+2*i:], uint16(len(b)))
		out = append(out, b...)
	}
	return out
}

// VHDX makes a VHDX of blocks of 1 MiB, of which one is zeros and one is not there.
func VHDX(content []byte) []byte {
	const dataAt, mib, headX, headSizeX, regionsX, regionSizeX = 4, 1 << 20, 64 << 10, 4 << 10, 192 << 10, 64 << 10
	put32, put64 := binary.LittleEndian.PutUint32, binary.LittleEndian.PutUint64
	blocks := (len(content) + mib - 1) / mib
	b := make([]byte, (dataAt+blocks)*mib)
	copy(b, "vhdxfile")
	sum := func(s []byte) {
		put32(s[4:], 0)
		put32(s[4:], crc32.Checksum(s, crc32.MakeTable(crc32.Castagnoli)))
	}
	for i := range 2 {
		h := b[headX*(i+1):][:headSizeX]
		copy(h, "head")
		put64(h[8:], uint64(7+i))
		binary.LittleEndian.PutUint16(h[66:], 1)
		sum(h)
		r := b[regionsX+i*regionSizeX:][:regionSizeX]
		copy(r, "regi")
		put32(r[8:], 2)
		for n, id := range []string{"2DC27766-F623-4200-9D64-115E9BFD4A08", "8B7CA206-4790-4B9A-B8FE-575F050F886E"} {
			e := r[16+32*n:]
			copy(e, guid(id))
			put64(e[16:], uint64(2+n)*mib)
			put32(e[24:], mib)
		}
		sum(r)
	}
	m := b[3*mib:]
	copy(m, "metadata")
	binary.LittleEndian.PutUint16(m[10:], 3)
	for n, id := range []string{"CAA16737-FA36-4D43-B3B6-33F0AA44E76B", "2FA54224-CD1B-4876-B211-5DBED83BF4B8", "8141BF1D-A96F-4709-BA47-F233A8FAAB5F"} {
		e := m[32+32*n:]
		copy(e, guid(id))
		put32(e[16:], uint32(64<<10+16*n))
		put32(e[20:], 8)
	}
	put32(m[64<<10:], mib)
	put64(m[64<<10+16:], uint64(len(content)))
	put32(m[64<<10+32:], 512)
	for n := range blocks {
		state := uint64(6)
		part := content[n*mib : min(len(content), (n+1)*mib)]
		if bytes.Count(part, []byte{0}) == len(part) {
			state = uint64(n % 4)
		}
		put64(b[2*mib+8*n:], state|uint64(dataAt+n)<<20)
		copy(b[(dataAt+n)*mib:], part)
		if state != 6 {
			b[(dataAt+n)*mib] = 1 // of no meaning
		}
	}
	return b
}

// guid is an identifier as files of Microsoft have it: of its first three parts, the lowest byte comes first.
func guid(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	must(err)
	slices.Reverse(b[:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	return b
}
