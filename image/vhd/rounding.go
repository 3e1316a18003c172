package vhd

import (
	"io"

	"spindle/internal/blocks"
	"spindle/iso"
)

// withoutRounding is the size of what was put into a disk that was made larger so that it has
// whole cylinders, as most programs do: that of the volume of a disc that begins there, where
// nothing but zeros follows. Otherwise it is the size of the disk.
func withoutRounding(f *footer, r io.ReaderAt) int64 {
	if f.size != f.chs {
		return f.size
	}
	v, err := iso.ReadVolume(r, f.size/iso.BlockSize)
	if err != nil {
		return f.size
	}
	end := v.Blocks() * iso.BlockSize
	if end <= 0 || end >= f.size || f.size-end >= f.cylinder {
		return f.size
	}
	rest := make([]byte, f.size-end)
	if blocks.ReadFull(r, rest, end) != nil {
		return f.size
	}
	for _, b := range rest {
		if b != 0 {
			return f.size
		}
	}
	return end
}
