package sim

import (
	"encoding/binary"

	"spindle/scsi"
)

// need is the state that a command asks of the drive.
type need uint8

const (
	nothing     need = iota // works in every state
	noAttention             // fails while a unit attention is pending
	aMedium                 // noAttention, and the medium must be ready
)

// A command is one that the drive knows.
type command struct {
	needs need
	run   func(*Drive, *scsi.Command) (int, error)
}

// commands are those that the drive knows.
var commands = map[scsi.Opcode]command{
	scsi.OpInquiry:          {nothing, (*Drive).inquiry},
	scsi.OpRequestSense:     {nothing, (*Drive).requestSense},
	scsi.OpGetConfiguration: {nothing, (*Drive).getConfiguration},
	scsi.OpGetEventStatus:   {nothing, (*Drive).getEventStatus},

	scsi.OpStartStopUnit:        {noAttention, (*Drive).startStop},
	scsi.OpPreventAllowRemoval:  {noAttention, (*Drive).preventAllow},
	scsi.OpModeSelect10:         {noAttention, (*Drive).modeSelect},
	scsi.OpModeSense10:          {noAttention, (*Drive).modeSense},
	scsi.OpReportKey:            {noAttention, (*Drive).reportKey},
	scsi.OpMechanismStatus:      {noAttention, (*Drive).mechanismStatus},
	scsi.OpReadFormatCapacities: {noAttention, (*Drive).formatCapacities},
	scsi.OpSetCDSpeed:           {noAttention, (*Drive).setCDSpeed},
	scsi.OpReadBufferCapacity:   {noAttention, (*Drive).readBufferCapacity},

	scsi.OpTestUnitReady:        {aMedium, func(*Drive, *scsi.Command) (int, error) { return 0, nil }},
	scsi.OpReadCapacity:         {aMedium, (*Drive).readCapacity},
	scsi.OpRead10:               {aMedium, (*Drive).readBlocks},
	scsi.OpRead12:               {aMedium, (*Drive).readBlocks},
	scsi.OpReadSubChannel:       {aMedium, (*Drive).readSubChannel},
	scsi.OpReadTOC:              {aMedium, (*Drive).readTOC},
	scsi.OpReadDiscInformation:  {aMedium, (*Drive).discInfo},
	scsi.OpReadTrackInformation: {aMedium, (*Drive).trackInfo},
	scsi.OpGetPerformance:       {aMedium, (*Drive).getPerformance},
	scsi.OpReadDiscStructure:    {aMedium, (*Drive).discStructure},
	scsi.OpSetStreaming:         {aMedium, (*Drive).setStreaming},
	scsi.OpReadCD:               {aMedium, (*Drive).readCD},
	scsi.OpReadCDMSF:            {aMedium, (*Drive).readCD},

	scsi.OpFormatUnit:        {aMedium, (*Drive).formatUnit},
	scsi.OpWrite10:           {aMedium, (*Drive).write},
	scsi.OpWrite12:           {aMedium, (*Drive).write},
	scsi.OpWriteAndVerify10:  {aMedium, (*Drive).write},
	scsi.OpSynchronizeCache:  {aMedium, withoutData((*Drive).synchronize)},
	scsi.OpReserveTrack:      {aMedium, withoutData((*Drive).reserveTrack)},
	scsi.OpSendOPC:           {aMedium, withoutData((*Drive).sendOPC)},
	scsi.OpCloseTrackSession: {aMedium, withoutData((*Drive).closeTrackSession)},
	scsi.OpSendCueSheet:      {aMedium, (*Drive).sendCueSheet},
	scsi.OpBlank:             {aMedium, withoutData((*Drive).blankDisc)},
	scsi.OpSendDiscStructure: {aMedium, (*Drive).sendDiscStructure},
}

// withoutData is a command that transfers nothing.
func withoutData(run func(*Drive, *scsi.Command) error) func(*Drive, *scsi.Command) (int, error) {
	return func(d *Drive, c *scsi.Command) (int, error) { return 0, run(d, c) }
}

func (d *Drive) preventAllow(c *scsi.Command) (int, error) {
	d.locked = c.CDB[4]&1 != 0
	return 0, nil
}

func (d *Drive) setCDSpeed(c *scsi.Command) (int, error) {
	if d.disc != nil {
		d.setWriteSpeed(alloc16(c, 4))
	}
	return d.setSpeed(int(binary.BigEndian.Uint16(c.CDB[2:])))
}
