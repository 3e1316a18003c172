package scsi

import (
	"fmt"
)

// The additional sense codes of optical drives (SPC-4 annex D, MMC-6 annex F).
// Each has qualifiers, of which those that decide something are named ASCQ….
const (
	ASCNoAdditionalSense          = 0x00
	ASCNoSeekComplete             = 0x02
	ASCNotReady                   = 0x04
	ASCNoResponseToSelection      = 0x05
	ASCNoReferencePosition        = 0x06
	ASCCommunication              = 0x08
	ASCTrackFollowing             = 0x09
	ASCWriteError                 = 0x0C
	ASCUnrecoveredRead            = 0x11
	ASCPositioning                = 0x15
	ASCRecoveredWithoutCorrection = 0x17
	ASCRecoveredWithCorrection    = 0x18
	ASCParameterListLength        = 0x1A
	ASCSynchronousTransfer        = 0x1B
	ASCInvalidOpcode              = 0x20
	ASCAddressOutOfRange          = 0x21
	ASCInvalidFieldInCDB          = 0x24
	ASCUnitNotSupported           = 0x25
	ASCInvalidFieldInParameters   = 0x26
	ASCWriteProtected             = 0x27
	ASCMediumMayHaveChanged       = 0x28
	ASCReset                      = 0x29
	ASCParametersChanged          = 0x2A
	ASCCopyCannotExecute          = 0x2B
	ASCCommandSequence            = 0x2C
	ASCInsufficientTime           = 0x2E
	ASCIncompatibleMedium         = 0x30
	ASCMediumFormatCorrupted      = 0x31
	ASCSavingNotSupported         = 0x39
	ASCMediumNotPresent           = 0x3A
	ASCUnitFailure                = 0x3E
	ASCOperatingConditionsChanged = 0x3F
	ASCInternalFailure            = 0x44
	ASCParityError                = 0x47
	ASCInitiatorDetectedError     = 0x48
	ASCDataPhaseError             = 0x4B
	ASCLoadOrEjectFailed          = 0x53
	ASCCannotRecoverTOC           = 0x57
	ASCOperatorRequest            = 0x5A
	ASCEndOfUserArea              = 0x63
	ASCIllegalModeForTrack        = 0x64
	ASCCopyProtection             = 0x6F
	ASCSessionFixation            = 0x72
	ASCCDControl                  = 0x73
)

// Additional sense code qualifiers, under the code that they belong to. Zero is the
// code itself.
const (
	// ASCNotReady:
	ASCQCauseNotReportable  = 0x00
	ASCQBecomingReady       = 0x01
	ASCQStartRequired       = 0x02
	ASCQManualIntervention  = 0x03
	ASCQFormatInProgress    = 0x04
	ASCQOperationInProgress = 0x07
	ASCQLongWrite           = 0x08

	// ASCWriteError:
	ASCQRecoveryNeeded  = 0x07
	ASCQLossOfStreaming = 0x09

	// ASCUnrecoveredRead:
	ASCQLECUncorrectable = 0x05
	ASCQCIRCUnrecovered  = 0x06

	// ASCAddressOutOfRange:
	ASCQInvalidWriteAddress = 0x02

	// ASCIncompatibleMedium:
	ASCQCannotReadFormat        = 0x02
	ASCQCannotWriteFormat       = 0x05
	ASCQCannotFormat            = 0x06
	ASCQApplicationCodeMismatch = 0x08

	// ASCMediumFormatCorrupted:
	ASCQFormatFailed = 0x01

	// ASCMediumNotPresent:
	ASCQTrayClosed = 0x01
	ASCQTrayOpen   = 0x02

	// ASCLoadOrEjectFailed:
	ASCQRemovalPrevented = 0x02

	// ASCCopyProtection:
	ASCQScrambledSector = 0x03
	ASCQRegionMismatch  = 0x04

	// ASCSessionFixation:
	ASCQIncompleteTrack    = 0x03
	ASCQPartlyWrittenTrack = 0x04
	ASCQNoMoreTracks       = 0x05

	// ASCCDControl:
	ASCQCalibrationAreaAlmostFull = 0x01
	ASCQCalibrationAreaFull       = 0x02
	ASCQCalibrationAreaError      = 0x03
)

// senseMeanings are the standard's words for codes and qualifiers.
var senseMeanings = []struct {
	asc, ascq uint8
	meaning   string
}{
	{ASCNoAdditionalSense, 0x00, "no additional sense information"},
	{ASCNoAdditionalSense, 0x16, "operation in progress"},
	{ASCNoSeekComplete, 0x00, "no seek complete"},
	{ASCNotReady, ASCQCauseNotReportable, "not ready, cause not reportable"},
	{ASCNotReady, ASCQBecomingReady, "becoming ready"},
	{ASCNotReady, ASCQStartRequired, "initializing command required"},
	{ASCNotReady, ASCQManualIntervention, "manual intervention required"},
	{ASCNotReady, ASCQFormatInProgress, "format in progress"},
	{ASCNotReady, ASCQOperationInProgress, "operation in progress"},
	{ASCNotReady, ASCQLongWrite, "long write in progress"},
	{ASCNoResponseToSelection, 0x00, "does not respond to selection"},
	{ASCNoReferencePosition, 0x00, "no reference position found"},
	{ASCCommunication, 0x00, "communication failure"},
	{ASCCommunication, 0x01, "communication time-out"},
	{ASCCommunication, 0x02, "communication parity error"},
	{ASCTrackFollowing, 0x00, "track following error"},
	{ASCTrackFollowing, 0x01, "tracking servo failure"},
	{ASCTrackFollowing, 0x02, "focus servo failure"},
	{ASCTrackFollowing, 0x03, "spindle servo failure"},
	{ASCWriteError, 0x00, "write error"},
	{ASCWriteError, ASCQRecoveryNeeded, "write error, recovery needed"},
	{ASCWriteError, ASCQLossOfStreaming, "write error, loss of streaming"},
	{ASCWriteError, 0x0A, "write error, padding blocks added"},
	{ASCUnrecoveredRead, 0x00, "unrecovered read error"},
	{ASCUnrecoveredRead, 0x01, "read retries exhausted"},
	{ASCUnrecoveredRead, 0x02, "error too long to correct"},
	{ASCUnrecoveredRead, ASCQLECUncorrectable, "L-EC uncorrectable error"},
	{ASCUnrecoveredRead, ASCQCIRCUnrecovered, "CIRC unrecovered error"},
	{ASCUnrecoveredRead, 0x0F, "error reading UPC/EAN number"},
	{ASCUnrecoveredRead, 0x10, "error reading ISRC number"},
	{ASCPositioning, 0x00, "random positioning error"},
	{ASCPositioning, 0x01, "mechanical positioning error"},
	{ASCPositioning, 0x02, "positioning error detected by read of medium"},
	{ASCRecoveredWithoutCorrection, 0x00, "recovered data with no error correction applied"},
	{ASCRecoveredWithCorrection, 0x00, "recovered data with error correction applied"},
	{ASCParameterListLength, 0x00, "parameter list length error"},
	{ASCSynchronousTransfer, 0x00, "synchronous data transfer error"},
	{ASCInvalidOpcode, 0x00, "invalid command operation code"},
	{ASCAddressOutOfRange, 0x00, "logical block address out of range"},
	{ASCAddressOutOfRange, ASCQInvalidWriteAddress, "invalid address for write"},
	{ASCInvalidFieldInCDB, 0x00, "invalid field in CDB"},
	{ASCUnitNotSupported, 0x00, "logical unit not supported"},
	{ASCInvalidFieldInParameters, 0x00, "invalid field in parameter list"},
	{ASCWriteProtected, 0x00, "write protected"},
	{ASCMediumMayHaveChanged, 0x00, "not ready to ready change, medium may have changed"},
	{ASCReset, 0x00, "power on, reset or bus device reset occurred"},
	{ASCParametersChanged, 0x00, "parameters changed"},
	{ASCParametersChanged, 0x01, "mode parameters changed"},
	{ASCCopyCannotExecute, 0x00, "copy cannot execute"},
	{ASCCommandSequence, 0x00, "command sequence error"},
	{ASCInsufficientTime, 0x00, "insufficient time for operation"},
	{ASCIncompatibleMedium, 0x00, "incompatible medium installed"},
	{ASCIncompatibleMedium, 0x01, "cannot read medium, unknown format"},
	{ASCIncompatibleMedium, ASCQCannotReadFormat, "cannot read medium, incompatible format"},
	{ASCIncompatibleMedium, 0x03, "cleaning cartridge installed"},
	{ASCIncompatibleMedium, 0x04, "cannot write medium, unknown format"},
	{ASCIncompatibleMedium, ASCQCannotWriteFormat, "cannot write medium, incompatible format"},
	{ASCIncompatibleMedium, ASCQCannotFormat, "cannot format medium, incompatible medium"},
	{ASCIncompatibleMedium, ASCQApplicationCodeMismatch, "cannot write, application code mismatch"},
	{ASCMediumFormatCorrupted, 0x00, "medium format corrupted"},
	{ASCMediumFormatCorrupted, ASCQFormatFailed, "format command failed"},
	{ASCSavingNotSupported, 0x00, "saving parameters not supported"},
	{ASCMediumNotPresent, 0x00, "medium not present"},
	{ASCMediumNotPresent, ASCQTrayClosed, "medium not present, tray closed"},
	{ASCMediumNotPresent, ASCQTrayOpen, "medium not present, tray open"},
	{ASCUnitFailure, 0x00, "logical unit has not self-configured yet"},
	{ASCUnitFailure, 0x01, "logical unit failure"},
	{ASCUnitFailure, 0x02, "time-out on logical unit"},
	{ASCOperatingConditionsChanged, 0x00, "target operating conditions have changed"},
	{ASCInternalFailure, 0x00, "internal target failure"},
	{ASCParityError, 0x00, "SCSI parity error"},
	{ASCInitiatorDetectedError, 0x00, "initiator detected error message received"},
	{ASCDataPhaseError, 0x00, "data phase error"},
	{ASCLoadOrEjectFailed, 0x00, "media load or eject failed"},
	{ASCLoadOrEjectFailed, ASCQRemovalPrevented, "medium removal prevented"},
	{ASCCannotRecoverTOC, 0x00, "unable to recover table of contents"},
	{ASCOperatorRequest, 0x00, "operator request or state change input"},
	{ASCOperatorRequest, 0x01, "operator medium removal request"},
	{ASCEndOfUserArea, 0x00, "end of user area encountered on this track"},
	{ASCIllegalModeForTrack, 0x00, "illegal mode for this track"},
	{ASCIllegalModeForTrack, 0x01, "invalid packet size"},
	{ASCCopyProtection, 0x00, "copy protection key exchange failure, authentication failure"},
	{ASCCopyProtection, 0x01, "copy protection key exchange failure, key not present"},
	{ASCCopyProtection, 0x02, "copy protection key exchange failure, key not established"},
	{ASCCopyProtection, ASCQScrambledSector, "read of scrambled sector without authentication"},
	{ASCCopyProtection, ASCQRegionMismatch, "media region code is mismatched to logical unit region"},
	{ASCCopyProtection, 0x05, "drive region must be permanent, region reset count error"},
	{ASCSessionFixation, 0x00, "session fixation error"},
	{ASCSessionFixation, 0x01, "session fixation error writing lead-in"},
	{ASCSessionFixation, 0x02, "session fixation error writing lead-out"},
	{ASCSessionFixation, ASCQIncompleteTrack, "session fixation error, incomplete track in session"},
	{ASCSessionFixation, ASCQPartlyWrittenTrack, "empty or partially written reserved track"},
	{ASCSessionFixation, ASCQNoMoreTracks, "no more track reservations allowed"},
	{ASCCDControl, 0x00, "CD control error"},
	{ASCCDControl, ASCQCalibrationAreaAlmostFull, "power calibration area almost full"},
	{ASCCDControl, ASCQCalibrationAreaFull, "power calibration area is full"},
	{ASCCDControl, ASCQCalibrationAreaError, "power calibration area error"},
	{ASCCDControl, 0x04, "program memory area update failure"},
	{ASCCDControl, 0x05, "program memory area is full"},
}

// Meaning returns the standard's words for the additional sense code, or the
// empty string for one that optical drives do not use (SPC-4 annex D, MMC-6
// annex F).
func (s *Sense) Meaning() string {
	general := ""
	for i := range senseMeanings {
		m := &senseMeanings[i]
		switch {
		case m.asc != s.ASC:
		case m.ascq == s.ASCQ:
			return m.meaning
		case m.ascq == 0:
			general = fmt.Sprintf("%s (qualifier %02X)", m.meaning, s.ASCQ)
		}
	}
	return general
}
