package lzma

import (
	"encoding/binary"
	"math/bits"
)

const (
	niceLength = 64 // matches as long are taken without looking further
	tries      = 48 // of places that may match

	hash2Bits = 10
	hash3Bits = 13
	hash4Bits = 14
	prime     = 0x9E3779B1
)

// A match says that so many bytes equal those at a distance, less one.
type match struct{ length, distance int32 }

// A finder finds earlier matches of what comes next, the shortest distance for each length.
// All places with the same hash of four bytes are in a binary tree, sorted by what follows
// them, with the latest at the root: as in the SDK's match finder BT4.
type finder struct {
	src   []byte
	shift int32 // of places in the heads, so that those of earlier blocks are too low
	head2 []int32
	head3 []int32
	head4 []int32
	sons  []int32 // two of each place: of what is smaller, and what is larger
	found []match
}

func newFinder() finder {
	return finder{
		head2: make([]int32, 1<<hash2Bits), head3: make([]int32, 1<<hash3Bits), head4: make([]int32, 1<<hash4Bits),
		shift: 1,
	}
}

func (f *finder) reset(src []byte) {
	f.shift += int32(len(f.src))
	if int64(f.shift)+int64(len(src)) >= 1<<31-1 {
		clear(f.head2)
		clear(f.head3)
		clear(f.head4)
		f.shift = 1
	}
	f.src = src
	if len(f.sons) < 2*len(src) {
		f.sons = make([]int32, 2*len(src))
	}
}

// matchLength counts how many bytes at a and at b, the later one, are the same, at most limit.
func matchLength(src []byte, a, b, limit int) int {
	n := 0
	for ; limit-n >= 8; n += 8 {
		x := binary.LittleEndian.Uint64(src[a+n:]) ^ binary.LittleEndian.Uint64(src[b+n:])
		if x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for n < limit && src[a+n] == src[b+n] {
		n++
	}
	return n
}

// at enters a place, which have to come one after the other, and returns its matches, each
// longer than the one before.
func (f *finder) at(place int) []match {
	f.found = f.found[:0]
	limit := min(maxLength, len(f.src)-place)
	if limit < 4 {
		return nil
	}
	v := binary.LittleEndian.Uint32(f.src[place:])
	h2, h3, h4 := v<<16*prime>>(32-hash2Bits), v<<8*prime>>(32-hash3Bits), v*prime>>(32-hash4Bits)
	now := int32(place) + f.shift
	near2, near3, root := int(f.head2[h2]-f.shift), int(f.head3[h3]-f.shift), int(f.head4[h4]-f.shift)
	f.head2[h2], f.head3[h3], f.head4[h4] = now, now, now
	longest := 1
	if near2 >= 0 {
		if n := matchLength(f.src, near2, place, limit); n >= 2 {
			longest = n
			f.found = append(f.found, match{int32(n), int32(place - near2 - 1)})
		}
	}
	if near3 >= 0 && near3 != near2 {
		if n := matchLength(f.src, near3, place, limit); n > max(longest, 2) {
			longest = n
			f.found = append(f.found, match{int32(n), int32(place - near3 - 1)})
		}
	}
	f.descend(root, place, limit, longest)
	return f.found
}

// skip enters as many places.
func (f *finder) skip(place, n int) {
	for i := range n {
		f.at(place + i)
	}
}

// descend makes the place the root of its tree, whose root was another, and notes the
// matches that are longer than those known.
func (f *finder) descend(other, place, limit, longest int) {
	src := f.src
	smaller, larger := &f.sons[2*place], &f.sons[2*place+1]
	equalSmaller, equalLarger := 0, 0 // bytes that all below have in common with place
	stop := min(limit, niceLength)
	for range tries {
		if other < 0 {
			break
		}
		n := min(equalSmaller, equalLarger)
		n += matchLength(src, other+n, place+n, limit-n)
		if n > longest {
			longest = n
			f.found = append(f.found, match{int32(n), int32(place - other - 1)})
		}
		sons := f.sons[2*other : 2*other+2]
		if n >= stop { // it takes the other's place
			*smaller, *larger = sons[0], sons[1]
			return
		}
		if src[other+n] < src[place+n] {
			*smaller, smaller = int32(other), &sons[1]
			other, equalSmaller = int(sons[1]), n
		} else {
			*larger, larger = int32(other), &sons[0]
			other, equalLarger = int(sons[0]), n
		}
	}
	*smaller, *larger = -1, -1
}
