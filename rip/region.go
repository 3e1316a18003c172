package rip

import (
	"slices"

	"spindle/disc"
	"spindle/drive"
)

// A region is a run of sectors of one kind and its place in the image.
type region struct {
	first  disc.LBA
	count  int
	pos    int64 // of its first byte in the image
	size   int   // bytes of a sector in the image: 2352 or 2048
	coding drive.Coding
	track  *disc.Track
	void   void
}

// A void is why the sectors of a region are not read: they hold no data, and are as good
// as what stands for them in the image.
type void uint8

const (
	notVoid void = iota
	gap          // between the sessions of a DVD or BD: zeros
	runOut       // the run-out blocks of a track that was written at once: marked as such
)

func (r *region) bytes() int64 { return int64(r.count) * int64(r.size) }

// last returns the address after the region's last sector.
func (r *region) last() disc.LBA { return r.first + disc.LBA(r.count) }

// at returns the address of the sector at a position of the image.
func (r *region) at(pos int64) disc.LBA { return r.first + disc.LBA((pos-r.pos)/int64(r.size)) }

// position returns where a sector stands in the image.
func (r *region) position(a disc.LBA) int64 { return r.pos + int64(a-r.first)*int64(r.size) }

// regions are those of an image, in order and without gaps in it.
type regions []region

// size returns the number of bytes of the image.
func (rs regions) size() int64 {
	last := &rs[len(rs)-1]
	return last.pos + last.bytes()
}

// tracks returns the numbers of the tracks, and how many bytes each has in the image.
func (rs regions) tracks() (numbers []int, sizes []int64) {
	for i := range rs {
		r := &rs[i]
		if k := len(numbers) - 1; k >= 0 && numbers[k] == r.track.Number {
			sizes[k] += r.bytes()
			continue
		}
		numbers, sizes = append(numbers, r.track.Number), append(sizes, r.bytes())
	}
	return numbers, sizes
}

func (rs regions) sectors() int64 {
	n := int64(0)
	for i := range rs {
		n += int64(rs[i].count)
	}
	return n
}

// find returns the region that holds a position of the image.
func (rs regions) find(pos int64) *region {
	for i := range rs {
		if r := &rs[i]; pos < r.pos+r.bytes() {
			return r
		}
	}
	return nil
}

func (rs regions) hasAudio() bool {
	return slices.ContainsFunc(rs, func(r region) bool { return r.coding == drive.Audio })
}

// audioAround returns the range of sectors around a region of audio that can be
// read as audio.
func (rs regions) audioAround(r *region) (low, high disc.LBA) {
	low, high = r.first, r.last()
	for i := range rs {
		if s := &rs[i]; s.coding == drive.Audio && s.first == high {
			high = s.last()
		}
	}
	for i := len(rs) - 1; i >= 0; i-- {
		if s := &rs[i]; s.coding == drive.Audio && s.last() == low {
			low = s.first
		}
	}
	return low, high
}
