// Package burn writes disc images onto recordable discs, reads them back, and
// knows what to do after a burn that failed.
//
// A burn has four parts, each of which can be used alone: [Survey] says what disc
// is in the drive, [MakePlan] says in which steps the image comes onto it, a
// [Burner] executes the steps, and [Verify] compares the disc with the image. A
// [Journal] records what happened, so that a failed burn can be resumed.
//
// The sequences of commands are those of the MMC standard, as libburn, growisofs
// and cdrdao have proven them.
package burn

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"spindle/disc"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// Errors that a burn can end with before the disc is touched, for errors.Is.
var (
	// ErrNotWritable: the disc, or the drive, cannot be written.
	ErrNotWritable = errors.New("burn: disc is not writable")
	// ErrNotBlank: there is something on the disc already.
	ErrNotBlank = errors.New("burn: disc is not blank")
	// ErrTooLarge: the image does not fit.
	ErrTooLarge = errors.New("burn: image does not fit")
	// ErrWrongMedium: the image is not for this kind of disc.
	ErrWrongMedium = errors.New("burn: image is for another kind of disc")
	// ErrImage: no disc can hold the image as it is.
	ErrImage = errors.New("burn: no disc can hold the image")
	// ErrAddress: the image is made for another place on a disc.
	ErrAddress = errors.New("burn: image is made for another place")
	// ErrNoSimulation: this kind of disc cannot be written with the laser off.
	ErrNoSimulation = errors.New("burn: no simulation")
	// ErrOptions: the options contradict each other.
	ErrOptions = errors.New("burn: contradictory options")
)

// Cases of [ErrOptions] that have a way out.
var (
	// ErrOnceOnly: a DVD-RW that was blanked the quick way takes one
	// session, disc at once; one that was blanked as a whole takes more.
	ErrOnceOnly = fmt.Errorf("%w: the disc can be written at once only", ErrOptions)
	// ErrNeedsFormat: the disc is overwritten, and is made new by
	// formatting it, not by blanking.
	ErrNeedsFormat = fmt.Errorf("%w: the disc is formatted, not blanked", ErrOptions)
)

// A FitError is an image that does not fit. It is a case of [ErrTooLarge].
type FitError struct{ Need, Free int } // sectors

func (e *FitError) Error() string {
	return fmt.Sprintf("%v: it needs %d sectors, and %d are free", ErrTooLarge, e.Need, e.Free)
}

func (e *FitError) Unwrap() error { return ErrTooLarge }

// ErrSource means that the image could not be read while it was burned, or it changed.
var ErrSource = errors.New("the image cannot be read")

// A ShortStreamError is a stream that ended before the volume in it did. It is a case of
// [ErrSource].
type ShortStreamError struct{ Got, Want int64 } // bytes

func (e *ShortStreamError) Error() string {
	return fmt.Sprintf("%v: the stream ended after %d bytes, and its volume has %d", ErrSource, e.Got, e.Want)
}

// Unwrap returns ErrSource.
func (e *ShortStreamError) Unwrap() error { return ErrSource }

// ErrImageChanged means that the image is not the one it was. It is a case of [ErrSource], and
// what every [*ImageChangedError] is.
var ErrImageChanged = fmt.Errorf("%w: it has changed", ErrSource)

// A Change is how a file of an image differs from what it was.
type Change uint8

// The changes.
const (
	ContentChanged Change = iota
	SizeChanged           // it was OldSize, and is NewSize
	Touched               // it was written to at ModTime
	FileAdded             // it was not a part of the image
	FileRemoved           // it is a part of the image no longer
	CutShort              // it ended while it was read
)

// An ImageChangedError names the file of the image that has changed.
type ImageChangedError struct {
	File             string
	Change           Change
	OldSize, NewSize int64 // bytes
	ModTime          time.Time
}

func (e *ImageChangedError) Error() string {
	switch e.Change {
	case SizeChanged:
		return fmt.Sprintf("%v: %s had %d bytes, and has %d", ErrImageChanged, e.File, e.OldSize, e.NewSize)
	case Touched:
		return fmt.Sprintf("%v: %s was written to at %s", ErrImageChanged, e.File, e.ModTime.Format(time.DateTime))
	case FileAdded:
		return fmt.Sprintf("%v: it did not consist of %s", ErrImageChanged, e.File)
	case FileRemoved:
		return fmt.Sprintf("%v: it no longer consists of %s", ErrImageChanged, e.File)
	case CutShort:
		return fmt.Sprintf("%v: %s was cut short", ErrImageChanged, e.File)
	}
	return fmt.Sprintf("%v: the content of %s is not what was burned", ErrImageChanged, e.File)
}

func (e *ImageChangedError) Unwrap() error { return ErrImageChanged }

// Mode is how an image comes onto a disc.
type Mode string

// The modes.
const (
	Auto          Mode = ""
	SessionAtOnce Mode = "session at once"
	TrackAtOnce   Mode = "track at once"
	Raw96         Mode = "raw"
	DiscAtOnce    Mode = "disc at once" // DVD-R
	Incremental   Mode = "incremental"  // DVD-R
	Sequential    Mode = "sequential"   // DVD+R, BD-R
	Overwrite     Mode = "overwrite"
)

// Spare is how much of a BD is set aside for defects.
type Spare string

// The spare areas.
const (
	SpareNone    Spare = "none"
	SpareMinimum Spare = "min"
	SpareDefault Spare = "default"
)

// Options change how an image is burned. The zero value is right for most discs.
type Options struct {
	Mode     Mode
	Speed    float64 // multiple of 1x; 0: the highest
	Multi    bool    // leave the disc open for another session
	Simulate bool    // with the laser off
	Blank    bool    // erase a rewritable disc first
	Full     bool    // erase or format all of it
	Spare    Spare   // BD; empty: none on BD-R, the default on BD-RE
	Overburn bool    // try more than the disc states to hold
	AnyPlace bool    // burn an image that is made for another address
	// Streaming: a DVD-RAM or BD-RE is written without the drive's own verification.
	Streaming bool
}

// Phase is a part of a burn.
type Phase string

// The phases.
const (
	Preparing  Phase = "preparing"
	Checking   Phase = "checking"  // the image, against what was sent of it
	Comparing  Phase = "comparing" // the disc with the image, before a burn is resumed
	Blanking   Phase = "blanking"
	Formatting Phase = "formatting"
	Writing    Phase = "writing"
	Closing    Phase = "closing"
	Verifying  Phase = "verifying"
)

// Progress is how far a burn has come.
type Progress struct {
	Phase Phase
	Done  int64 // bytes; of phases without data, of 1000
	Total int64
	// Speed of the last moments in bytes a second of the drive's clock, and
	// the speed of 1x.
	Speed, OneX float64
	// DriveBuffer and HostBuffer say how full the buffers are, from 0 to 1;
	// DriveBuffer is negative where the drive does not say.
	DriveBuffer, HostBuffer float64
}

// Observer follows a burn. Its methods are called one at a time, and not
// from the goroutine that feeds the drive.
type Observer interface {
	Progress(Progress)
	Note(Note)
}

type silent struct{}

func (silent) Progress(Progress) {}
func (silent) Note(Note)         {}

// DiscState is what a disc is after a burn.
type DiscState string

// The states.
const (
	Untouched    DiscState = "untouched"    // nothing was sent to it
	StillBlank   DiscState = "blank"        // still, or again
	Appendable   DiscState = "appendable"   // takes a further session
	Overwritable DiscState = "overwritable" // can be written again at any place
	Complete     DiscState = "complete"
	Spoiled      DiscState = "spoiled" // cannot be used before it is blanked, if ever
	Unknown      DiscState = "unknown" // the drive does not say
)

// A Sum covers what a drive took of the image: its first Bytes bytes, in the order
// and the form in which the plan sends them.
type Sum struct {
	Bytes  int64
	SHA256 [sha256.Size]byte
}

// A Position is how far a burn has come.
type Position struct {
	Step int      // in the plan
	LBA  disc.LBA // after the last sector that the drive took
	Sent Sum
}

// An Error is a burn that failed.
type Error struct {
	Step  Step
	At    Position
	State DiscState
	Err   error
}

func (e *Error) Error() string {
	if e.Writing() {
		return fmt.Sprintf("burn: writing sector %d: %v", e.At.LBA, e.Err)
	}
	return fmt.Sprintf("burn: %s: %v", e.Step.doing(), e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Writing reports whether the burn failed while sectors were written, at At.LBA.
func (e *Error) Writing() bool { return Writes(e.Step) }

// AtClose reports whether all data were on their way to the disc already when the
// burn failed: only the end is missing.
func (e *Error) AtClose() bool {
	switch s := e.Step.(type) {
	case CloseStep:
		return true
	case SyncStep:
		sense := scsi.SenseOf(e.Err)
		return s.Last && sense != nil && sense.ASC == 0x72
	}
	return false
}

// Times that the drive may take for what it does on its own.
const (
	pollEvery  = 500 * time.Millisecond
	closeLimit = 60 * time.Minute // a lead-out, a border, a short disc that is filled up
	eraseLimit = 5 * time.Hour    // a whole disc at low speed
)

// speedUnit is the number of bytes of user data a second at 1x.
func speedUnit(p mmc.Profile) float64 {
	switch {
	case p.IsBD():
		return mmc.BDSpeed
	case p.IsDVD():
		return mmc.DVDSpeed
	}
	return mmc.CDSpeed
}
