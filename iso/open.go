package iso

import (
	"errors"
	"fmt"
	"os"

	"spindle/disc"
)

// Sizes, in sectors, up to which an image is taken for one of a CD and of a DVD:
// 90 minutes, and a DVD+R DL.
const (
	largestCD  = 90 * 60 * 75
	largestDVD = 4173824
)

// MediumFor returns the medium that an image of this many sectors is made for.
func MediumFor(sectors int64) disc.Medium {
	switch {
	case sectors <= largestCD:
		return disc.CD
	case sectors <= largestDVD:
		return disc.DVD
	}
	return disc.BD
}

// ErrSize is returned for a file that cannot be a whole image of a data disc.
var ErrSize = errors.New("not a whole number of sectors of 2048 bytes")

// ErrTruncated is returned for a file that is smaller than the volume in it: a
// download that was broken off, most often.
var ErrTruncated = errors.New("cut short")

// Open opens an .iso file as the disc it is made for; see [MediumFor].
func Open(path string) (disc.Image, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return OpenAs(path, MediumFor(st.Size()/BlockSize))
}

// OpenAs opens an .iso file as a disc of the given medium. A file whose
// descriptors promise more than it holds was cut short: its error says so.
func OpenAs(path string, medium disc.Medium) (disc.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	img, err := open(f, medium)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

func open(f *os.File, medium disc.Medium) (disc.Image, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := st.Size()
	n := size / BlockSize
	if v, err := ReadVolume(f, n); err == nil && v.ISOBlocks > n {
		return nil, fmt.Errorf("%w: the file has %d sectors of 2048 bytes, the volume in it %d", ErrTruncated, n, v.ISOBlocks)
	}
	switch {
	case size == 0 || size%BlockSize != 0:
		return nil, fmt.Errorf("%w (%d bytes)", ErrSize, size)
	case n > disc.MaxLBA:
		return nil, fmt.Errorf("%d sectors are more than any disc holds", n)
	}
	form := disc.FormBlock
	if medium == disc.CD {
		form = disc.FormMode1
	}
	l := &disc.Layout{
		Medium: medium,
		Sessions: []disc.Session{{
			Number:  1,
			LeadOut: disc.LBA(n),
			Tracks: []disc.Track{{
				Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(n),
			}},
		}},
	}
	return disc.NewExtentImage(l, []disc.Extent{{Count: int(n), Source: f, Form: form}}, f)
}
