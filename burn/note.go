package burn

import "fmt"

// A Note is something worth knowing about a burn that is no error: an
// [OverburnNote], a [PadNote], a [FullBlankNote], a [FixedNote], a [ResidueNote], a
// [CalibrationNote], an [UnreadNote], a [TextNote] or a [StreamNote].
type Note interface {
	fmt.Stringer
	note()
}

// An OverburnNote says that the image has so many sectors more than the disc states to hold.
type OverburnNote struct{ Sectors int }

// A PadNote says that so many sectors of zeros follow the image, so that its track has the
// least length of a track on a CD.
type PadNote struct{ Sectors int }

// A FullBlankNote says that the drive could not blank the disc the quick way, and erases all
// of it, which takes as long as writing it.
type FullBlankNote struct{}

// A FixedNote says that what a pipe does not fill of its track, of so many sectors, is
// written as zeros: the disc must know the length before the first write.
type FixedNote struct{ Sectors int }

// A StreamNote says how many bytes came through a pipe, and how many sectors are
// written of them, with zeros at their end.
type StreamNote struct {
	Bytes   int64
	Sectors int
}

// A ResidueNote says that the adapter claims not to have transferred all of a WRITE that
// ended well.
type ResidueNote struct{}

// A CalibrationNote says that the drive did not find the power of its laser when it was
// asked to.
type CalibrationNote struct{}

func (CalibrationNote) note() {}

// An UnreadNote says that the drive does not read an open session, so that a burn is
// resumed by what the journal and the drive say.
type UnreadNote struct{}

func (UnreadNote) note() {}

// A TextNote says that the CD-TEXT of the image does not come onto the disc: the drive
// does not write it, or not behind an earlier session.
type TextNote struct{}

func (TextNote) note() {}

func (ResidueNote) note()   {}
func (FixedNote) note()     {}
func (StreamNote) note()    {}
func (OverburnNote) note()  {}
func (PadNote) note()       {}
func (FullBlankNote) note() {}

func (n OverburnNote) String() string {
	return fmt.Sprintf("%d sectors beyond the stated capacity", n.Sectors)
}

func (n PadNote) String() string { return fmt.Sprintf("padded with %d sectors", n.Sectors) }

func (n FixedNote) String() string {
	return fmt.Sprintf("a track of %d sectors, whatever comes", n.Sectors)
}

func (CalibrationNote) String() string { return "calibration failed" }

func (UnreadNote) String() string { return "the open session cannot be read" }

func (TextNote) String() string { return "no CD-TEXT" }

func (ResidueNote) String() string { return "residue of a write" }

func (n StreamNote) String() string {
	return fmt.Sprintf("%d bytes of a stream in %d sectors", n.Bytes, n.Sectors)
}

func (FullBlankNote) String() string { return "minimal blanking failed; blanking the whole disc" }
