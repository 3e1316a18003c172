package format

import (
	"fmt"

	"spindle/disc"
)

// A Reason says why a format cannot hold an image, whatever may be left out.
type Reason uint8

// The reasons.
const (
	OnlyCDs         Reason = iota + 1 // the image is one of another medium
	WholeDiscs                        // a single track was to be taken
	NoData                            // there is only audio
	NoAudio                           // there is only data
	OneDataTrack                      // there are Count data tracks
	OneSong                           // there are Count songs
	BadSectorSize                     // sectors of Count bytes were asked for
	BlocksOfTheDisc                   // sectors of another size than the medium has were asked for
	Gaps                              // sectors between the tracks of a session are in none
	OnlyGDROMs                        // it is no GD-ROM
	BadCodec                          // a codec was asked for that is none of Codecs
	BadOneCodec                       // the same, of a format that takes one
	BadName                           // the name of the file has control characters, and a line of text is to state it
	FirstTrack                        // the first track is number Count, and the format has none but 1 there
)

// reasons are what a developer reads.
var reasons = map[Reason]string{
	OnlyCDs: "not a CD", WholeDiscs: "a single track", NoData: "no data track", NoAudio: "no audio",
	OneDataTrack: "several data tracks", OneSong: "several tracks of audio", BadSectorSize: "no such sector size",
	BlocksOfTheDisc: "the medium has other sectors", Gaps: "sectors in no track", OnlyGDROMs: "not a GD-ROM", BadCodec: "no such codec", BadOneCodec: "no such codec",
	BadName: "control characters in its name", FirstTrack: "the first track is not number 1",
}

func (r Reason) String() string { return reasons[r] }

// A CannotHoldError is an [ErrCannotHold] with its reason.
type CannotHoldError struct {
	Suffix string // of the file that was to be made
	Reason Reason
	Count  int
	Medium disc.Medium // of the image
	Codecs []string    // that there are
}

func (e *CannotHoldError) Error() string {
	return fmt.Sprintf("a %s file %v: %s", e.Suffix, ErrCannotHold, e.Reason)
}

func (e *CannotHoldError) Unwrap() error { return ErrCannotHold }
