package drive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"spindle/scsi"
	"spindle/scsi/mmc"
)

// A Class is what an error means for the next step: whether the same command
// may succeed, another command may, or nothing will.
type Class uint8

// The classes.
const (
	OK        Class = iota // no error
	Recovered              // the command was executed, with some effort
	Deferred               // the error of an earlier command
	Transient              // this attempt failed; the same command may succeed
	Busy                   // the drive works on something else; wait and send again
	Attention              // news that leaves the disc as it was; send again
	Changed                // reset, or the medium may be another one; look again
	NotReady               // the drive waits for something; see [WaitReady]
	NoMedium               // nothing in the drive
	Unusable               // the drive cannot use this kind of disc
	Refused                // the drive does not know the command or a field of it
	Boundary               // the sectors asked for are of several kinds
	Sector                 // these sectors cannot be read or written
	Short                  // fewer bytes came than were asked for
	Protected              // by copy protection, or against writing
	Failed                 // the drive says that it failed, in another way
	TimedOut               // no answer in time
	Transport              // the connection failed this command
	Forbidden              // the operating system did not pass the command on
	Gone                   // there is no drive any more
	Canceled               // the context ended
	Other                  // an error that is not of a drive
)

var classNames = [...]string{
	OK: "ok", Recovered: "recovered", Deferred: "deferred", Transient: "transient", Busy: "busy", Attention: "attention",
	Changed: "changed", NotReady: "not ready", NoMedium: "no medium", Unusable: "unusable medium", Refused: "refused",
	Boundary: "boundary", Sector: "sector", Short: "short", Protected: "protected", Failed: "failed",
	TimedOut: "timed out", Transport: "transport", Forbidden: "forbidden", Gone: "gone", Canceled: "canceled", Other: "other",
}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("Class(%d)", uint8(c))
}

// Answered reports whether the drive itself ended the command, so that it is
// there and takes commands.
func (c Class) Answered() bool {
	switch c {
	case OK, TimedOut, Transport, Forbidden, Gone, Canceled, Other:
		return false
	}
	return true
}

// OneCommand reports whether the error concerns one command only, so that it is
// worth sending others: a survey does without this answer, a rip without these
// sectors.
func (c Class) OneCommand() bool {
	switch c {
	case TimedOut, Transport, Forbidden:
		return true
	case NoMedium:
		return false
	}
	return c.Answered()
}

// Classify sorts an error that a command ended with. It is the only place that
// does: everything that retries, waits or gives up decides by its result.
func Classify(err error) Class {
	if err == nil {
		return OK
	}
	if s := scsi.SenseOf(err); s != nil {
		return classOfSense(s)
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.class
		}
	}
	return Other
}

// kinds are the errors that come without sense data.
var kinds = []struct {
	err   error
	class Class
}{
	{context.Canceled, Canceled},
	{context.DeadlineExceeded, Canceled},
	{scsi.ErrGone, Gone},
	{scsi.ErrTrace, Gone}, // a trace that holds no answer
	{scsi.ErrPermission, Forbidden},
	{scsi.ErrTimeout, TimedOut},
	{scsi.ErrBusy, Busy},
	{scsi.ErrTransport, Transport},
	{mmc.ErrShortReply, Short},
	{io.ErrUnexpectedEOF, Short},
}

// anyCode matches every ASC or ASCQ.
const anyCode = -1

// senses says what sense data mean (SPC-4 table 56, MMC-6 annex F). The first
// row that matches counts.
var senses = []struct {
	key       scsi.SenseKey
	asc, ascq int
	class     Class
}{
	{scsi.RecoveredError, anyCode, anyCode, Recovered},

	{scsi.NotReady, scsi.ASCMediumNotPresent, anyCode, NoMedium},
	{scsi.NotReady, scsi.ASCIncompatibleMedium, anyCode, Unusable},
	{scsi.NotReady, scsi.ASCCannotRecoverTOC, anyCode, Unusable},
	{scsi.NotReady, scsi.ASCNotReady, scsi.ASCQBecomingReady, Busy},
	{scsi.NotReady, scsi.ASCNotReady, scsi.ASCQFormatInProgress, Busy},
	{scsi.NotReady, scsi.ASCNotReady, scsi.ASCQOperationInProgress, Busy},
	{scsi.NotReady, scsi.ASCNotReady, scsi.ASCQLongWrite, Busy},
	{scsi.NotReady, anyCode, anyCode, NotReady},

	{scsi.MediumError, anyCode, anyCode, Sector},
	{scsi.BlankCheck, anyCode, anyCode, Sector},

	{scsi.IllegalRequest, scsi.ASCInvalidOpcode, anyCode, Refused},
	{scsi.IllegalRequest, scsi.ASCInvalidFieldInCDB, anyCode, Refused},
	{scsi.IllegalRequest, scsi.ASCInvalidFieldInParameters, anyCode, Refused},
	{scsi.IllegalRequest, scsi.ASCAddressOutOfRange, anyCode, Sector},
	{scsi.IllegalRequest, scsi.ASCIllegalModeForTrack, anyCode, Boundary},
	{scsi.IllegalRequest, scsi.ASCCopyProtection, anyCode, Protected},
	{scsi.DataProtect, anyCode, anyCode, Protected},

	{scsi.UnitAttention, scsi.ASCMediumMayHaveChanged, anyCode, Changed},
	{scsi.UnitAttention, scsi.ASCReset, anyCode, Changed},
	{scsi.UnitAttention, scsi.ASCMediumNotPresent, anyCode, Changed},
	{scsi.UnitAttention, anyCode, anyCode, Attention},

	{scsi.AbortedCommand, anyCode, anyCode, Transient},
	{scsi.HardwareError, scsi.ASCCommunication, anyCode, Transient},
}

func classOfSense(s *scsi.Sense) Class {
	if s.Deferred {
		return Deferred
	}
	for _, r := range senses {
		if r.key == s.Key && matches(r.asc, s.ASC) && matches(r.ascq, s.ASCQ) {
			return r.class
		}
	}
	return Failed
}

func matches(want int, got uint8) bool { return want == anyCode || want == int(got) }
