package burn

import (
	"fmt"

	"spindle/scsi/mmc"
)

// A Refusal says why a disc does not take an image, or is not erased or formatted,
// before anything was sent to the drive that changes the disc. It is a case of the
// error in Kind.
type Refusal struct {
	Kind   error // [ErrOptions], [ErrNotWritable], ...
	Reason Reason
	Disc   mmc.Profile // the kind of disc in the drive
	A, B   int         // the numbers of the Reason, in its order
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("%v: %s", r.Kind, r.Reason) }

// Unwrap returns the kind of the refusal.
func (r *Refusal) Unwrap() error { return r.Kind }

// Reason is why a burn is refused.
type Reason string

// The reasons. The numbers that some have are in brackets.
const (
	UnknownDisc     Reason = "unknown kind of disc"
	ReadOnlyDisc    Reason = "not a recordable disc"
	DiscIsComplete  Reason = "disc is complete"
	DiscIsSpoiled   Reason = "disc is spoiled by a failed burn"
	DriveReadsOnly  Reason = "drive does not write this kind of disc"
	WrittenOnce     Reason = "disc is written once"
	OnlyCDRW        Reason = "only a CD-RW loses a single session"
	NoFullFormat    Reason = "drive offers no full format"
	FormattedLate   Reason = "BD-R is formatted before its first burn"
	NothingToFormat Reason = "no spare areas, no format"
	NoFormat        Reason = "this kind of disc is not formatted"
	NotErasable     Reason = "this kind of disc is not erased"
	NoSimulatedWipe Reason = "a simulation would blank the disc"
	CannotSimulate  Reason = "no simulation on this kind of disc"
	SessionIsOpen   Reason = "last session is open"
	NoSessionAtOnce Reason = "drive does not write session at once"
	NoRaw           Reason = "drive does not write raw"
	NotForCD        Reason = "mode is not one of CDs"
	NotOneTrack     Reason = "track at once needs one track of mode 1"
	SessionsOnUsed  Reason = "several sessions need a blank disc"   // [sessions]
	EmptyTrack      Reason = "track is empty"                       // [track]
	ShortTrack      Reason = "track is shorter than four seconds"   // [track]
	NoPregap        Reason = "audio and data meet without a pregap" // [track, track]
	SpareTooLate    Reason = "spare areas are made before the first burn"
	NoSpare         Reason = "drive offers no spare areas"
	OnlySpare       Reason = "drive does not format without spare areas"
	NoSessions      Reason = "this kind of disc has no sessions"
	RawSessions     Reason = "raw writing makes one session" // [sessions]
	RawOnUsed       Reason = "raw writing needs a blank disc"
	NoLeadIn        Reason = "drive does not say where the lead-in begins"
	ImageOfOther    Reason = "image is of another kind of disc"
	FirstTrack      Reason = "first track is not number 1" // [number]
	TooManyTracks   Reason = "a disc holds 99 tracks"      // [number of the last track]
	NoAppendAtOnce  Reason = "drive does not add a session at once"
	NeverVerified   Reason = "drives do not verify this kind of disc"
	NoWritePoint    Reason = "drive does not say where writing continues"
	NeedsLength     Reason = "this way of writing needs the length beforehand"
	SmallSize       Reason = "volume in the stream is larger than its length" // [length, sectors of the volume]
	ManyTracks      Reason = "image has several tracks"                       // [tracks]
	MadeFor         Reason = "file system is made for another place"          // [sector, sector on the disc]
	MadeForBlank    Reason = "image is made for the beginning of a disc"      // [sector on the disc]
	NotAlike        Reason = "discs are not alike"
	Moved           Reason = "session begins at another place than the image" // [sector on the disc, sector]
	EndedElsewhere  Reason = "disc ends elsewhere than the burn"              // [sector, sector where the burn ended]
	MustCompare     Reason = "disc that could not be read has to be compared afterwards"
)
