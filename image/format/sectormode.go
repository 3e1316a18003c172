package format

import (
	"io"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// SectorMode looks into a sector of a data track, which stands whole at a byte of r: what
// descriptors say of the mode is wrong in some images. Where it has no sync pattern, the mode
// is the one that is stated.
func SectorMode(r io.ReaderAt, at int64, stated disc.Mode) disc.Mode {
	var s [cdsector.Size]byte
	if _, err := r.ReadAt(s[:], at); err != nil || !cdsector.HasSync(&s) {
		return stated
	}
	switch s[15] & 3 {
	case 0:
		return disc.Mode0
	case 2:
		return disc.Mode2
	}
	return disc.Mode1
}
