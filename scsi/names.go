package scsi

import "fmt"

// Meaning returns the standard's words for the additional sense code, or the
// empty string for one that optical drives do not use (SPC-4 annex D, MMC-6
// annex F).
func (s *Sense) Meaning() string {
	if m, ok := senseMeaning(s.ASC, s.ASCQ); ok {
		return m
	}
	if m, ok := senseMeaning(s.ASC, 0); ok && s.ASCQ != 0 {
		return m + fmt.Sprintf(" (qualifier %02X)", s.ASCQ)
	}
	return ""
}

func senseMeaning(asc, ascq uint8) (string, bool) {
	switch uint16(asc)<<8 | uint16(ascq) {
	case 0x0000:
		return "no additional sense information", true
	case 0x0016:
		return "operation in progress", true
	case 0x0200:
		return "no seek complete", true
	case 0x0400:
		return "not ready, cause not reportable", true
	case 0x0401:
		return "becoming ready", true
	case 0x0402:
		return "initializing command required", true
	case 0x0403:
		return "manual intervention required", true
	case 0x0404:
		return "format in progress", true
	case 0x0407:
		return "operation in progress", true
	case 0x0408:
		return "long write in progress", true
	case 0x0500:
		return "does not respond to selection", true
	case 0x0600:
		return "no reference position found", true
	case 0x0800:
		return "communication failure", true
	case 0x0801:
		return "communication time-out", true
	case 0x0802:
		return "communication parity error", true
	case 0x0900:
		return "track following error", true
	case 0x0901:
		return "tracking servo failure", true
	case 0x0902:
		return "focus servo failure", true
	case 0x0903:
		return "spindle servo failure", true
	case 0x0C00:
		return "write error", true
	case 0x0C07:
		return "write error, recovery needed", true
	case 0x0C09:
		return "write error, loss of streaming", true
	case 0x1100:
		return "unrecovered read error", true
	case 0x1101:
		return "read retries exhausted", true
	case 0x1102:
		return "error too long to correct", true
	case 0x1105:
		return "L-EC uncorrectable error", true
	case 0x1106:
		return "CIRC unrecovered error", true
	case 0x110F:
		return "error reading UPC/EAN number", true
	case 0x1110:
		return "error reading ISRC number", true
	case 0x1500:
		return "random positioning error", true
	case 0x1501:
		return "mechanical positioning error", true
	case 0x1502:
		return "positioning error detected by read of medium", true
	case 0x1700:
		return "recovered data with no error correction applied", true
	case 0x1800:
		return "recovered data with error correction applied", true
	case 0x1A00:
		return "parameter list length error", true
	case 0x1B00:
		return "synchronous data transfer error", true
	case 0x2000:
		return "invalid command operation code", true
	case 0x2100:
		return "logical block address out of range", true
	case 0x2102:
		return "invalid address for write", true
	case 0x2400:
		return "invalid field in CDB", true
	case 0x2500:
		return "logical unit not supported", true
	case 0x2600:
		return "invalid field in parameter list", true
	case 0x2700:
		return "write protected", true
	case 0x2800:
		return "not ready to ready change, medium may have changed", true
	case 0x2900:
		return "power on, reset or bus device reset occurred", true
	case 0x2A00:
		return "parameters changed", true
	case 0x2A01:
		return "mode parameters changed", true
	case 0x2B00:
		return "copy cannot execute", true
	case 0x2C00:
		return "command sequence error", true
	case 0x2E00:
		return "insufficient time for operation", true
	case 0x3000:
		return "incompatible medium installed", true
	case 0x3001:
		return "cannot read medium, unknown format", true
	case 0x3002:
		return "cannot read medium, incompatible format", true
	case 0x3003:
		return "cleaning cartridge installed", true
	case 0x3004:
		return "cannot write medium, unknown format", true
	case 0x3005:
		return "cannot write medium, incompatible format", true
	case 0x3006:
		return "cannot format medium, incompatible medium", true
	case 0x3100:
		return "medium format corrupted", true
	case 0x3101:
		return "format command failed", true
	case 0x3A00:
		return "medium not present", true
	case 0x3A01:
		return "medium not present, tray closed", true
	case 0x3A02:
		return "medium not present, tray open", true
	case 0x3E00:
		return "logical unit has not self-configured yet", true
	case 0x3E01:
		return "logical unit failure", true
	case 0x3E02:
		return "time-out on logical unit", true
	case 0x3F00:
		return "target operating conditions have changed", true
	case 0x4400:
		return "internal target failure", true
	case 0x4700:
		return "SCSI parity error", true
	case 0x4800:
		return "initiator detected error message received", true
	case 0x4B00:
		return "data phase error", true
	case 0x5300:
		return "media load or eject failed", true
	case 0x5302:
		return "medium removal prevented", true
	case 0x5700:
		return "unable to recover table of contents", true
	case 0x5A00:
		return "operator request or state change input", true
	case 0x5A01:
		return "operator medium removal request", true
	case 0x6300:
		return "end of user area encountered on this track", true
	case 0x6400:
		return "illegal mode for this track", true
	case 0x6401:
		return "invalid packet size", true
	case 0x6F00:
		return "copy protection key exchange failure, authentication failure", true
	case 0x6F01:
		return "copy protection key exchange failure, key not present", true
	case 0x6F02:
		return "copy protection key exchange failure, key not established", true
	case 0x6F03:
		return "read of scrambled sector without authentication", true
	case 0x6F04:
		return "media region code is mismatched to logical unit region", true
	case 0x6F05:
		return "drive region must be permanent, region reset count error", true
	case 0x7200:
		return "session fixation error", true
	case 0x7201:
		return "session fixation error writing lead-in", true
	case 0x7202:
		return "session fixation error writing lead-out", true
	case 0x7203:
		return "session fixation error, incomplete track in session", true
	case 0x7300:
		return "CD control error", true
	case 0x7302:
		return "power calibration area is full", true
	case 0x7303:
		return "power calibration area error", true
	}
	return "", false
}

// OpcodeName returns the standard's name of a command.
func OpcodeName(op byte) string {
	switch op {
	case 0x00:
		return "TEST UNIT READY"
	case 0x03:
		return "REQUEST SENSE"
	case 0x04:
		return "FORMAT UNIT"
	case 0x12:
		return "INQUIRY"
	case 0x1B:
		return "START STOP UNIT"
	case 0x1E:
		return "PREVENT ALLOW MEDIUM REMOVAL"
	case 0x23:
		return "READ FORMAT CAPACITIES"
	case 0x25:
		return "READ CAPACITY"
	case 0x28:
		return "READ (10)"
	case 0x2A:
		return "WRITE (10)"
	case 0x35:
		return "SYNCHRONIZE CACHE"
	case 0x3C:
		return "READ BUFFER"
	case 0x42:
		return "READ SUB-CHANNEL"
	case 0x43:
		return "READ TOC/PMA/ATIP"
	case 0x46:
		return "GET CONFIGURATION"
	case 0x4A:
		return "GET EVENT STATUS NOTIFICATION"
	case 0x51:
		return "READ DISC INFORMATION"
	case 0x52:
		return "READ TRACK INFORMATION"
	case 0x53:
		return "RESERVE TRACK"
	case 0x54:
		return "SEND OPC INFORMATION"
	case 0x55:
		return "MODE SELECT (10)"
	case 0x5A:
		return "MODE SENSE (10)"
	case 0x5B:
		return "CLOSE TRACK/SESSION"
	case 0x5C:
		return "READ BUFFER CAPACITY"
	case 0x5D:
		return "SEND CUE SHEET"
	case 0xA1:
		return "BLANK"
	case 0xA4:
		return "REPORT KEY"
	case 0xA8:
		return "READ (12)"
	case 0xAA:
		return "WRITE (12)"
	case 0xAC:
		return "GET PERFORMANCE"
	case 0xAD:
		return "READ DISC STRUCTURE"
	case 0xB6:
		return "SET STREAMING"
	case 0xB9:
		return "READ CD MSF"
	case 0xBB:
		return "SET CD SPEED"
	case 0xBD:
		return "MECHANISM STATUS"
	case 0xBE:
		return "READ CD"
	case 0xBF:
		return "SEND DISC STRUCTURE"
	}
	return fmt.Sprintf("command %02Xh", op)
}
