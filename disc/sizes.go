package disc

// Sizes, in sectors, up to which a disc of one data track is taken for a CD and for
// a DVD.
const (
	LargestCD  = 90 * 60 * FramesPerSecond
	LargestDVD = 4173824 // DVD+R DL (ECMA-364)
)

// MediumFor returns the medium that a disc of one data track of this many sectors
// is made for.
func MediumFor(sectors int64) Medium {
	switch {
	case sectors <= LargestCD:
		return CD
	case sectors <= LargestDVD:
		return DVD
	}
	return BD
}
