// Package digest computes the hashes by which discs are compared: MD5, SHA-1,
// SHA-256 and CRC-32, of a whole image and of each track, in one pass.
package digest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"sync"
)

// Sums are the hashes of one run of bytes, in lower-case hexadecimal.
type Sums struct {
	Size   int64  `json:"size"`
	CRC32  string `json:"crc32"` // IEEE, as in ZIP and DAT files
	MD5    string `json:"md5"`
	SHA1   string `json:"sha1"`
	SHA256 string `json:"sha256"`
}

// set is one of each hash.
type set struct {
	size   int64
	hashes [4]hash.Hash // slowest first
}

func newSet() *set {
	return &set{hashes: [4]hash.Hash{md5.New(), sha1.New(), sha256.New(), crc32.NewIEEE()}}
}

func (s *set) sums() Sums {
	hexOf := func(i int) string { return hex.EncodeToString(s.hashes[i].Sum(nil)) }
	return Sums{Size: s.size, MD5: hexOf(0), SHA1: hexOf(1), SHA256: hexOf(2), CRC32: hexOf(3)}
}

// A Hasher takes the bytes of an image in order and hashes the whole and each of
// its parts.
type Hasher struct {
	ends  []int64 // where each part ends
	whole *set
	parts []*set
	at    int64
}

// New returns a Hasher for an image of parts (tracks) of the given sizes in
// bytes. With one part, its hashes and those of the whole are computed once.
func New(sizes []int64) *Hasher {
	h := new(Hasher)
	var end int64
	for _, n := range sizes {
		end += n
		h.ends = append(h.ends, end)
		h.parts = append(h.parts, newSet())
	}
	if len(sizes) == 1 {
		h.whole = h.parts[0]
	} else {
		h.whole = newSet()
	}
	return h
}

// Offset returns how many bytes have been taken.
func (h *Hasher) Offset() int64 { return h.at }

// Write takes the next bytes. The hashes are computed side by side. The error is
// not nil when there are more bytes than parts.
func (h *Hasher) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		k := 0
		for k < len(h.ends) && h.ends[k] <= h.at {
			k++
		}
		if k == len(h.ends) {
			return total - len(p), fmt.Errorf("digest: %d bytes too many", len(p))
		}
		n := int(min(int64(len(p)), h.ends[k]-h.at))
		h.write(h.parts[k], p[:n])
		h.at += int64(n)
		p = p[n:]
	}
	return total, nil
}

// parallelFrom is the size from which starting goroutines pays.
const parallelFrom = 16 << 10

func (h *Hasher) write(part *set, p []byte) {
	sets := [2]*set{part, h.whole}
	todo := sets[:1]
	if h.whole != part {
		todo = sets[:]
	}
	for _, s := range todo {
		s.size += int64(len(p))
	}
	if len(p) < parallelFrom {
		for _, s := range todo {
			for _, x := range s.hashes {
				x.Write(p)
			}
		}
		return
	}
	// MD5 alone takes about as long as the others together.
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, s := range todo {
			s.hashes[0].Write(p)
		}
	})
	for _, s := range todo {
		for _, x := range s.hashes[1:] {
			x.Write(p)
		}
	}
	wg.Wait()
}

// Sums returns the hashes of the whole and of each part.
func (h *Hasher) Sums() (whole Sums, parts []Sums) {
	for _, s := range h.parts {
		parts = append(parts, s.sums())
	}
	return h.whole.sums(), parts
}
