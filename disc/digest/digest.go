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
	"sync/atomic"
)

// Sums are the hashes of one run of bytes, in lower-case hexadecimal; one that was not
// wanted is empty.
type Sums struct {
	Size   int64  `json:"size"`
	CRC32  string `json:"crc32"` // IEEE, as in ZIP and DAT files
	MD5    string `json:"md5"`
	SHA1   string `json:"sha1"`
	SHA256 string `json:"sha256"`
}

// A Set says which hashes are wanted.
type Set uint8

// The hashes, and all of them.
const (
	CRC32 Set = 1 << iota
	MD5
	SHA1
	SHA256

	All = CRC32 | MD5 | SHA1 | SHA256
)

// The hashes are computed in two lanes that take about the same time: MD5 alone, and
// the others.
const lanes = 2

// algorithms are the hashes, each with its lane and its place in Sums.
var algorithms = [...]struct {
	kind Set
	lane int
	make func() hash.Hash
	sum  func(*Sums) *string
}{
	{MD5, 0, md5.New, func(s *Sums) *string { return &s.MD5 }},
	{SHA1, 1, sha1.New, func(s *Sums) *string { return &s.SHA1 }},
	{SHA256, 1, sha256.New, func(s *Sums) *string { return &s.SHA256 }},
	{CRC32, 1, func() hash.Hash { return crc32.NewIEEE() }, func(s *Sums) *string { return &s.CRC32 }},
}

// running are the hashes of one run of bytes, as far as they have come.
type running struct {
	size   int64
	hashes [len(algorithms)]hash.Hash // as in algorithms; nil: not wanted
	lanes  [lanes][]hash.Hash
}

func newRunning(wanted Set) *running {
	r := new(running)
	for i, a := range algorithms {
		if wanted&a.kind != 0 {
			r.hashes[i] = a.make()
			r.lanes[a.lane] = append(r.lanes[a.lane], r.hashes[i])
		}
	}
	return r
}

func (r *running) sums() Sums {
	s := Sums{Size: r.size}
	for i, a := range algorithms {
		if r.hashes[i] != nil {
			*a.sum(&s) = hex.EncodeToString(r.hashes[i].Sum(nil))
		}
	}
	return s
}

// A Hasher takes the bytes of an image in order and hashes the whole and each of
// its parts.
type Hasher struct {
	ends  []int64 // where each part ends
	whole *running
	parts []*running
	at    [lanes]int64 // how far each lane is
}

// New returns a Hasher for an image of parts (tracks) of the given sizes in
// bytes. With one part, its hashes and those of the whole are computed once.
func New(wanted Set, sizes []int64) *Hasher {
	h := new(Hasher)
	var end int64
	for _, n := range sizes {
		end += n
		h.ends = append(h.ends, end)
		h.parts = append(h.parts, newRunning(wanted))
	}
	if len(sizes) == 1 {
		h.whole = h.parts[0]
	} else {
		h.whole = newRunning(wanted)
	}
	return h
}

// Offset returns how many bytes have been taken.
func (h *Hasher) Offset() int64 { return h.at[0] }

// parallelFrom is the size from which starting goroutines pays.
const parallelFrom = 16 << 10

// Write takes the next bytes. The hashes are computed side by side. The error is
// not nil when there are more bytes than parts.
func (h *Hasher) Write(p []byte) (int, error) {
	if len(p) < parallelFrom {
		n, err := h.write(0, p)
		if err == nil {
			n, err = h.write(1, p)
		}
		return n, err
	}
	var wg sync.WaitGroup
	wg.Go(func() { h.write(0, p) }) // the other lane has the same error
	n, err := h.write(1, p)
	wg.Wait()
	return n, err
}

// write takes the next bytes of a lane.
func (h *Hasher) write(lane int, p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		k := 0
		for k < len(h.ends) && h.ends[k] <= h.at[lane] {
			k++
		}
		if k == len(h.ends) {
			return total - len(p), fmt.Errorf("digest: %d bytes too many", len(p))
		}
		n := int(min(int64(len(p)), h.ends[k]-h.at[lane]))
		for _, s := range [...]*running{h.parts[k], h.whole} {
			for _, x := range s.lanes[lane] {
				x.Write(p[:n])
			}
			if lane == 0 {
				s.size += int64(n)
			}
			if h.whole == h.parts[k] {
				break
			}
		}
		h.at[lane] += int64(n)
		p = p[n:]
	}
	return total, nil
}

// Sums returns the hashes of the whole and of each part.
func (h *Hasher) Sums() (whole Sums, parts []Sums) {
	for _, s := range h.parts {
		parts = append(parts, s.sums())
	}
	return h.whole.sums(), parts
}

// A Feed hashes buffers while other work is done: each lane at its own pace.
type Feed struct {
	todo [lanes]chan *fed
	wg   sync.WaitGroup
	errs [lanes]error
	once sync.Once
}

// fed is a buffer on its way through the lanes.
type fed struct {
	p    []byte
	left atomic.Int32 // lanes that have not had it
	done func()
}

// Feed starts hashing what [Feed.Put] gives, up to depth buffers behind. Nothing else
// may be written until [Feed.Close] returns.
func (h *Hasher) Feed(depth int) *Feed {
	f := new(Feed)
	for k := range f.todo {
		f.todo[k] = make(chan *fed, depth)
		f.wg.Go(func() {
			for x := range f.todo[k] {
				if _, err := h.write(k, x.p); err != nil {
					f.errs[k] = err
				}
				if x.left.Add(-1) == 0 {
					x.done()
				}
			}
		})
	}
	return f
}

// Put gives the next bytes. done is called, from another goroutine, when they are
// not needed any more.
func (f *Feed) Put(p []byte, done func()) {
	x := &fed{p: p, done: done}
	x.left.Store(lanes)
	for k := range f.todo {
		f.todo[k] <- x
	}
}

// Close waits until all is hashed.
func (f *Feed) Close() error {
	f.once.Do(func() {
		for k := range f.todo {
			close(f.todo[k])
		}
	})
	f.wg.Wait()
	return f.errs[0]
}
