package rip

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"spindle/iso"
)

// udfVolume puts a UDF file system and nothing else at the start of a disc (ECMA-167 3 and 4): a
// partition at block 300, in it a root directory with n files, each with a file entry of its own,
// and of one block at a place of the disc.
func udfVolume(b []byte, n int, place func(i int) int) {
	le := binary.LittleEndian
	block := func(at int) []byte { return b[at*iso.BlockSize:][:iso.BlockSize] }
	seal := func(at, kind, says int) {
		p := block(at)
		le.PutUint16(p, uint16(kind))
		le.PutUint32(p[12:], uint32(says))
		p[4] = 0
		var sum byte
		for _, c := range p[:16] {
			sum += c
		}
		p[4] = sum
	}
	const start = 300
	clear(b[:(start+2+n)*iso.BlockSize])
	copy(block(16), "\x00BEA01\x01")
	copy(block(17), "\x00NSR03\x01")
	copy(block(18), "\x00TEA01\x01")
	le.PutUint32(block(256)[16:], 16*iso.BlockSize)
	le.PutUint32(block(256)[20:], 32)
	seal(256, 2, 256)
	le.PutUint32(block(32)[188:], start)
	le.PutUint32(block(32)[192:], uint32(len(b)/iso.BlockSize-start))
	seal(32, 5, 32)
	l := block(33)
	le.PutUint32(l[212:], iso.BlockSize)
	le.PutUint32(l[264:], 6)
	copy(l[440:], []byte{1, 6, 1, 0, 0, 0})
	seal(33, 6, 33)
	seal(34, 8, 34)
	le.PutUint32(block(start)[404:], 1)
	seal(start, 256, 0)
	entry := func(at int, kind byte, size int, where int) {
		p := block(start + at)
		p[27] = kind
		le.PutUint32(p[44:], 0x1CE7)
		le.PutUint64(p[56:], uint64(size))
		copy(p[84:], []byte{0, 0x10, 0xE7, 7, 11, 14, 22, 13, 20}) // ECMA-167 4/14.9.13: when it was changed
		le.PutUint32(p[172:], 8)
		le.PutUint32(p[176:], uint32(size))
		le.PutUint32(p[180:], uint32(where))
		seal(start+at, 261, at)
	}
	dir := block(start + 2 + n)
	clear(dir)
	size := 0
	for i := range n {
		id := dir[size:]
		le.PutUint16(id, 257)
		id[19] = 3
		le.PutUint32(id[24:], uint32(2+i))
		copy(id[38:], []byte{8, 'a' + byte(i/26), 'a' + byte(i%26)})
		size += 44
		entry(2+i, 5, iso.BlockSize, place(i)-start)
	}
	entry(1, 4, size, 2+n)
}

// Discs with UDF alone have no path table. One file that is another, or has another date, makes
// another disc, wherever its entry and its content lie.
func TestUDFIsCompared(t *testing.T) {
	t.Parallel()
	const end, stop, files = 20000, 19000, 12
	place := func(i int) int { return 1001 + i*1403 }
	a := makeDVD(nil, rand.New(rand.NewPCG(1, 12)), end)
	udfVolume(a.b, files, place)
	a.change(rand.New(rand.NewPCG(2, 12)), place(0), 1)
	for name, at := range map[string]int{
		"the directory": 300 + 2 + files, "the first entry": 302, "the last entry": 301 + files,
		"the first file": place(0), "another file": place(7),
	} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		stopped(t, a.drive(t), opts, stop, a.size)
		b := a.clone()
		b.user(at)[90] ^= 1
		if _, err := Rip(t.Context(), b.drive(t), opts); !errors.Is(err, ErrOtherDisc) {
			t.Errorf("%s differs: %v", name, err)
		}
		if _, err := Rip(t.Context(), a.drive(t), opts); err != nil {
			t.Errorf("the same disc: %v", err)
		}
	}
}
