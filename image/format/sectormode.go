package format

import (
	"io"
	"slices"

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

// OtherSize looks for how many bytes a data track has for each sector, whose first sector stands at a byte of r, and
// the last before end: what a sheet states of that is wrong in some images. It is 0 where nothing speaks against
// stated, the size that is stated: sectors may be damaged, or of a kind that is not known.
func OtherSize(r io.ReaderAt, at, end int64, stated int) int {
	t := stored{r, at, end}
	sizes := []int{cdsector.Size, cdsector.Size + cdsector.SubSize, cdsector.Mode2Size, cdsector.UserSize}
	if t.has(stated) {
		return 0
	}
	if i := slices.IndexFunc(sizes, t.has); i >= 0 {
		return sizes[i]
	}
	// A file system that is not known: the length decides.
	const user = cdsector.UserSize
	if stated != user && !t.anySync(stated) && (end-at)%user == 0 && (end-at)%int64(stated) != 0 {
		return user
	}
	return 0
}

// stored is where sectors stand in a file.
type stored struct {
	r       io.ReaderAt
	at, end int64
}

// has reports whether sectors have so many bytes for sure: by their sync patterns (ECMA-130 14.1), or by the descriptor of a
// volume (ECMA-119 8.1, ECMA-167 2/9.1), which stands in sector 16.
func (t *stored) has(size int) bool {
	const volume = 16
	switch size {
	case cdsector.UserSize:
		return t.isVolume(volume * cdsector.UserSize)
	case cdsector.Mode2Size:
		const subHeader = 8
		return t.isVolume(volume*cdsector.Mode2Size + subHeader)
	}
	for n := range int64(3) {
		if n > 0 && t.at+n*int64(size)+cdsector.Size > t.end {
			break // there are no more
		}
		if !t.sync(n * int64(size)) {
			return false
		}
	}
	return true
}

// sync reports whether a sync pattern stands at a byte of the track.
func (t *stored) sync(at int64) bool {
	var s [cdsector.Size]byte
	_, _ = t.r.ReadAt(s[:], t.at+at)
	return cdsector.HasSync(&s)
}

// anySync reports whether one of the first sectors of a size has a sync pattern, or whether they hold nothing.
func (t *stored) anySync(size int) bool {
	const most = 64
	empty := true
	for n := range int64(most) {
		var s [cdsector.Size]byte
		_, _ = t.r.ReadAt(s[:], t.at+n*int64(size))
		if cdsector.HasSync(&s) {
			return true
		}
		empty = empty && s == [cdsector.Size]byte{}
	}
	return empty
}

// isVolume reports whether a volume descriptor stands at a byte of the track.
func (t *stored) isVolume(at int64) bool {
	var id [5]byte
	_, _ = t.r.ReadAt(id[:], t.at+at+1)
	return string(id[:]) == "CD001" || string(id[:]) == "BEA01"
}
