package scsi

import "fmt"

// Opcode is the first byte of a command descriptor block.
type Opcode uint8

// The opcodes that optical drives know (MMC-6 table 221, SPC-4 annex E), those of
// earlier standards that are still sent (MMC-3), and one vendor's.
const (
	OpTestUnitReady         Opcode = 0x00
	OpRequestSense          Opcode = 0x03
	OpFormatUnit            Opcode = 0x04
	OpRead6                 Opcode = 0x08
	OpInquiry               Opcode = 0x12
	OpModeSelect6           Opcode = 0x15
	OpModeSense6            Opcode = 0x1A
	OpStartStopUnit         Opcode = 0x1B
	OpPreventAllowRemoval   Opcode = 0x1E
	OpReadFormatCapacities  Opcode = 0x23
	OpReadCapacity          Opcode = 0x25
	OpRead10                Opcode = 0x28
	OpWrite10               Opcode = 0x2A
	OpSeek10                Opcode = 0x2B
	OpWriteAndVerify10      Opcode = 0x2E
	OpVerify10              Opcode = 0x2F
	OpSynchronizeCache      Opcode = 0x35
	OpWriteBuffer           Opcode = 0x3B
	OpReadBuffer            Opcode = 0x3C
	OpReadSubChannel        Opcode = 0x42
	OpReadTOC               Opcode = 0x43
	OpPlayAudio10           Opcode = 0x45
	OpGetConfiguration      Opcode = 0x46
	OpPlayAudioMSF          Opcode = 0x47
	OpGetEventStatus        Opcode = 0x4A
	OpPauseResume           Opcode = 0x4B
	OpStopPlayScan          Opcode = 0x4E
	OpReadDiscInformation   Opcode = 0x51
	OpReadTrackInformation  Opcode = 0x52
	OpReserveTrack          Opcode = 0x53
	OpSendOPC               Opcode = 0x54
	OpModeSelect10          Opcode = 0x55
	OpRepairTrack           Opcode = 0x58
	OpModeSense10           Opcode = 0x5A
	OpCloseTrackSession     Opcode = 0x5B
	OpReadBufferCapacity    Opcode = 0x5C
	OpSendCueSheet          Opcode = 0x5D
	OpReportLUNs            Opcode = 0xA0
	OpBlank                 Opcode = 0xA1
	OpSecurityProtocolIn    Opcode = 0xA2
	OpSendKey               Opcode = 0xA3
	OpReportKey             Opcode = 0xA4
	OpLoadUnload            Opcode = 0xA6
	OpSetReadAhead          Opcode = 0xA7
	OpRead12                Opcode = 0xA8
	OpWrite12               Opcode = 0xAA
	OpReadMediaSerialNumber Opcode = 0xAB
	OpGetPerformance        Opcode = 0xAC
	OpReadDiscStructure     Opcode = 0xAD
	OpSecurityProtocolOut   Opcode = 0xB5
	OpSetStreaming          Opcode = 0xB6
	OpReadCDMSF             Opcode = 0xB9
	OpSetCDSpeed            Opcode = 0xBB
	OpMechanismStatus       Opcode = 0xBD
	OpReadCD                Opcode = 0xBE
	OpSendDiscStructure     Opcode = 0xBF
	OpReadCDDA              Opcode = 0xD8 // Plextor
)

// opcodes is what is known of each command. Entries without a name are unknown.
var opcodes = [256]struct {
	name      string // as the standard writes it
	length    uint8  // of the CDB, in bytes
	direction Direction
}{
	OpTestUnitReady:         {"TEST UNIT READY", 6, None},
	OpRequestSense:          {"REQUEST SENSE", 6, In},
	OpFormatUnit:            {"FORMAT UNIT", 6, Out},
	OpRead6:                 {"READ (6)", 6, In},
	OpInquiry:               {"INQUIRY", 6, In},
	OpModeSelect6:           {"MODE SELECT (6)", 6, Out},
	OpModeSense6:            {"MODE SENSE (6)", 6, In},
	OpStartStopUnit:         {"START STOP UNIT", 6, None},
	OpPreventAllowRemoval:   {"PREVENT ALLOW MEDIUM REMOVAL", 6, None},
	OpReadFormatCapacities:  {"READ FORMAT CAPACITIES", 10, In},
	OpReadCapacity:          {"READ CAPACITY", 10, In},
	OpRead10:                {"READ (10)", 10, In},
	OpWrite10:               {"WRITE (10)", 10, Out},
	OpSeek10:                {"SEEK (10)", 10, None},
	OpWriteAndVerify10:      {"WRITE AND VERIFY (10)", 10, Out},
	OpVerify10:              {"VERIFY (10)", 10, None},
	OpSynchronizeCache:      {"SYNCHRONIZE CACHE", 10, None},
	OpWriteBuffer:           {"WRITE BUFFER", 10, Out},
	OpReadBuffer:            {"READ BUFFER", 10, In},
	OpReadSubChannel:        {"READ SUB-CHANNEL", 10, In},
	OpReadTOC:               {"READ TOC/PMA/ATIP", 10, In},
	OpPlayAudio10:           {"PLAY AUDIO (10)", 10, None},
	OpGetConfiguration:      {"GET CONFIGURATION", 10, In},
	OpPlayAudioMSF:          {"PLAY AUDIO MSF", 10, None},
	OpGetEventStatus:        {"GET EVENT STATUS NOTIFICATION", 10, In},
	OpPauseResume:           {"PAUSE/RESUME", 10, None},
	OpStopPlayScan:          {"STOP PLAY/SCAN", 10, None},
	OpReadDiscInformation:   {"READ DISC INFORMATION", 10, In},
	OpReadTrackInformation:  {"READ TRACK INFORMATION", 10, In},
	OpReserveTrack:          {"RESERVE TRACK", 10, None},
	OpSendOPC:               {"SEND OPC INFORMATION", 10, Out},
	OpModeSelect10:          {"MODE SELECT (10)", 10, Out},
	OpRepairTrack:           {"REPAIR TRACK", 10, None},
	OpModeSense10:           {"MODE SENSE (10)", 10, In},
	OpCloseTrackSession:     {"CLOSE TRACK/SESSION", 10, None},
	OpReadBufferCapacity:    {"READ BUFFER CAPACITY", 10, In},
	OpSendCueSheet:          {"SEND CUE SHEET", 10, Out},
	OpReportLUNs:            {"REPORT LUNS", 12, In},
	OpBlank:                 {"BLANK", 12, None},
	OpSecurityProtocolIn:    {"SECURITY PROTOCOL IN", 12, In},
	OpSendKey:               {"SEND KEY", 12, Out},
	OpReportKey:             {"REPORT KEY", 12, In},
	OpLoadUnload:            {"LOAD/UNLOAD MEDIUM", 12, None},
	OpSetReadAhead:          {"SET READ AHEAD", 12, None},
	OpRead12:                {"READ (12)", 12, In},
	OpWrite12:               {"WRITE (12)", 12, Out},
	OpReadMediaSerialNumber: {"READ MEDIA SERIAL NUMBER", 12, In},
	OpGetPerformance:        {"GET PERFORMANCE", 12, In},
	OpReadDiscStructure:     {"READ DISC STRUCTURE", 12, In},
	OpSecurityProtocolOut:   {"SECURITY PROTOCOL OUT", 12, Out},
	OpSetStreaming:          {"SET STREAMING", 12, Out},
	OpReadCDMSF:             {"READ CD MSF", 12, In},
	OpSetCDSpeed:            {"SET CD SPEED", 12, None},
	OpMechanismStatus:       {"MECHANISM STATUS", 12, In},
	OpReadCD:                {"READ CD", 12, In},
	OpSendDiscStructure:     {"SEND DISC STRUCTURE", 12, Out},
	OpReadCDDA:              {"READ CD-DA", 12, In},
}

// groupLengths are the CDB lengths by group code, the top three bits of an opcode
// (SPC-4 4.2.5.1). Groups 3, 6 and 7 are reserved or the vendor's; their lengths
// here are those the Linux kernel assumes (scsi_command_size_tbl).
var groupLengths = [8]uint8{6, 10, 10, 12, 16, 12, 10, 10}

// Known reports whether the table of opcodes names the command.
func (o Opcode) Known() bool { return opcodes[o].name != "" }

// String returns the standard's name of the command: "READ CD". An unknown one is
// "command F1h".
func (o Opcode) String() string {
	if o.Known() {
		return opcodes[o].name
	}
	return fmt.Sprintf("command %02Xh", uint8(o))
}

// CDBLength returns the number of bytes of the command descriptor block: 6, 10,
// 12 or 16. For an unknown command the opcode's group code decides.
func (o Opcode) CDBLength() int {
	if o.Known() {
		return int(opcodes[o].length)
	}
	return int(groupLengths[o>>5])
}

// Direction returns which way the command's data go, and None for an unknown
// command. Commands with optional data have their direction: SEND OPC INFORMATION
// is Out.
func (o Opcode) Direction() Direction { return opcodes[o].direction }
