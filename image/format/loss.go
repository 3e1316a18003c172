package format

import "fmt"

// A Loss is a part of an image that a format has no place for.
type Loss struct {
	Kind  LossKind
	Count int // of AudioTracks
}

// A LossKind says what is lost.
type LossKind uint8

// What can be lost.
const (
	LaterSessions LossKind = iota + 1 // the sessions after the first
	SomeCDText                        // parts of the CD-TEXT
	SavedSub                          // the sub-channels
	ModeZero                          // that a track is of mode 0
	AudioTracks                       // Count tracks of audio
	AllCDText                         // the CD-TEXT
	Catalogue                         // the catalogue number (MCN)
	ISRCs                             // those of tracks
	LaterIndexes                      // index marks above 1
	TrackFlags                        // pre-emphasis, copying permitted, four channels
	CDIFormat                         // that a session is one of CD-I
)

// losses are what a developer reads.
var losses = map[LossKind]string{
	LaterSessions: "sessions", SomeCDText: "parts of CD-TEXT", SavedSub: "sub-channels", ModeZero: "mode 0", AudioTracks: "audio",
	AllCDText: "CD-TEXT", Catalogue: "catalogue number", ISRCs: "ISRCs", LaterIndexes: "indexes", TrackFlags: "flags", CDIFormat: "CD-I",
}

func (k LossKind) String() string { return losses[k] }

// A LossError is an [ErrCannotHold] for an image of which a part may be left out, if that is
// asked for.
type LossError struct {
	Suffix string // of the file that was to be made
	Loss   Loss
}

func (e *LossError) Error() string {
	return fmt.Sprintf("a %s file %v: %s", e.Suffix, ErrCannotHold, e.Loss.Kind)
}

func (e *LossError) Unwrap() error { return ErrCannotHold }
