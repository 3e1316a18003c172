package burn

import "fmt"

// A NoteCode says what a [Note] is about.
type NoteCode string

// The notes. Those with a number have it in the fields of the same name.
const (
	NoteOverburn    NoteCode = "beyond the stated capacity"      // by Sectors
	NotePadded      NoteCode = "padded to the shortest track"    // with Sectors of zeros, as a track on a CD must be
	NoteLengthened  NoteCode = "sessions are lengthened"         // by Sectors of zeros in all, so that each begins where the image has it
	NoteFixed       NoteCode = "a track of a fixed length"       // of Sectors: what a pipe does not fill of it becomes zeros
	NoteStream      NoteCode = "the stream has ended"            // after Bytes, written as Sectors, with zeros at their end
	NoteNoText      NoteCode = "no CD-TEXT"                      // the drive does not write it, or not behind an earlier session
	NoteCalibration NoteCode = "calibration failed"              // of the laser's power, when the drive was asked for it
	NoteUnread      NoteCode = "the open session cannot be read" // so that a burn is resumed by what the journal and the drive say
	NoteResidue     NoteCode = "residue of a write"              // that the adapter claims of a WRITE that ended well
	NoteFullBlank   NoteCode = "blanking the whole disc"         // since minimal blanking failed; it takes as long as writing it
)

// A Note is something worth knowing about a burn that is no error. The fields beside
// the code are set as [NoteCode] states.
type Note struct {
	Code    NoteCode
	Sectors int
	Bytes   int64
}

func (n Note) String() string {
	if n.Sectors == 0 {
		return string(n.Code)
	}
	return fmt.Sprintf("%s (%d sectors)", n.Code, n.Sectors)
}
