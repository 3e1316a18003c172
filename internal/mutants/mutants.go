// Package mutants damages files as discs, networks and hostile people do, for tests of what reads them.
// The damage is always the same for a seed.
package mutants

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
)

// Count is how many mutants of a file a test tries: a sample, or with SPINDLE_CAMPAIGN=all a thousand.
func Count() int {
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" {
		return 1000
	}
	return 5
}

// Of returns mutant n of a file, which has one to three changes. Half of them are near the start or the
// end, where formats have their headers.
func Of(b []byte, n uint64) []byte {
	r := rand.New(rand.NewPCG(n, 13))
	b = bytes.Clone(b)
	for range 1 + r.IntN(3) {
		if len(b) == 0 {
			break
		}
		b = change(r, b)
	}
	return b
}

// place is where a change of a file is.
func place(r *rand.Rand, size int) int {
	const edge = 1 << 10
	switch r.IntN(4) {
	case 0:
		return r.IntN(min(size, 64)) // the first fields
	case 1:
		return r.IntN(min(size, edge))
	case 2:
		return size - 1 - r.IntN(min(size, edge))
	}
	return r.IntN(size)
}

// extremes are numbers at which a parser may go wrong.
var extremes = []uint64{0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1}

// change makes one change.
func change(r *rand.Rand, b []byte) []byte {
	at := place(r, len(b))
	length := 1 + r.IntN(min(64, len(b)-at))
	switch r.IntN(9) {
	case 0:
		b[at] ^= 1 << r.IntN(8)
	case 1:
		b[at] = byte(r.Uint32())
	case 2, 3:
		number(r, b[at:])
	case 4: // a field that is also that of another place: it overlaps, or leads back
		from := place(r, len(b))
		copy(b[at:], bytes.Clone(b[from:min(len(b), from+length)]))
	case 5:
		clear(b[at : at+length])
	case 6:
		b = b[:at]
	case 7:
		b = slices.Delete(b, at, at+length)
	case 8:
		b = slices.Insert(b, at, bytes.Clone(b[at:at+length])...)
	}
	return b
}

// number puts a number there, in one of the sizes and byte orders.
func number(r *rand.Rand, b []byte) {
	x := extremes[r.IntN(len(extremes))]
	var f [8]byte
	size := 1 << r.IntN(4)
	if r.IntN(2) == 0 {
		binary.LittleEndian.PutUint64(f[:], x)
		copy(b, f[:size])
		return
	}
	binary.BigEndian.PutUint64(f[:], x)
	copy(b, f[8-size:])
}
