package mmc

import (
	"context"

	"spindle/addr"
	"spindle/scsi"
)

// DiscStatus is the state of a disc.
type DiscStatus uint8

// The states.
const (
	DiscBlank      DiscStatus = 0
	DiscAppendable DiscStatus = 1
	DiscComplete   DiscStatus = 2
	DiscOther      DiscStatus = 3 // randomly writable
)

func (s DiscStatus) String() string {
	return [...]string{"blank", "appendable", "complete", "overwritable"}[s&3]
}

// SessionState is the state of the last session.
type SessionState uint8

// The session states.
const (
	SessionEmpty      SessionState = 0
	SessionIncomplete SessionState = 1
	SessionDamaged    SessionState = 2
	SessionComplete   SessionState = 3
)

// BackgroundFormat is how far the format of a DVD+RW, or of another medium that is
// formatted in the background, has come (6.22.3.1.13).
type BackgroundFormat uint8

// The states of a background format.
const (
	BackgroundNone      BackgroundFormat = 0
	BackgroundSuspended BackgroundFormat = 1
	BackgroundRunning   BackgroundFormat = 2
	BackgroundComplete  BackgroundFormat = 3
)

func (b BackgroundFormat) String() string {
	return [...]string{"none", "suspended", "running", "complete"}[b&3]
}

// SessionFormat is the kind of the sessions of a CD, as PSEC of point A0h, mode
// page 05h and READ DISC INFORMATION state it (6.22.3.1.14).
type SessionFormat uint8

// The session formats.
const (
	SessionCDROM     SessionFormat = 0x00 // CD-DA or CD-ROM
	SessionCDI       SessionFormat = 0x10
	SessionXA        SessionFormat = 0x20
	SessionUndefined SessionFormat = 0xFF
)

var sessionFormatNames = map[SessionFormat]string{
	SessionCDROM: "CD-DA or CD-ROM", SessionCDI: "CD-I", SessionXA: "CD-ROM XA", SessionUndefined: "undefined",
}

func (f SessionFormat) String() string { return name(sessionFormatNames, f, "session format") }

// DiscInfo is the standard answer of READ DISC INFORMATION (6.22.3.1).
type DiscInfo struct {
	Status            DiscStatus
	LastSession       SessionState
	Erasable          bool
	FirstTrack        int
	Sessions          int
	FirstTrackInLast  int // first track of the last session
	LastTrackInLast   int
	DiscType          SessionFormat
	BackgroundFormat  BackgroundFormat
	DiscID            uint32
	DiscIDValid       bool
	LastLeadIn        [4]byte // start, on CDs: 0, minutes, seconds, frames; elsewhere an LBA
	LastPossibleStart [4]byte // of the lead-out, in the same form
}

// DiscInfo asks for the state of the disc.
func (d *Drive) DiscInfo(ctx context.Context) (DiscInfo, error) {
	const size = 34
	cdb := newCDB(scsi.OpReadDiscInformation)
	put16(cdb[7:], size)
	b, err := d.in(ctx, cdb, make([]byte, size), medium)
	if err != nil {
		return DiscInfo{}, err
	}
	if b, err = sized16(scsi.OpReadDiscInformation, b, 24); err != nil {
		return DiscInfo{}, err
	}
	return DiscInfo{
		Status:            DiscStatus(b[2] & 3),
		LastSession:       SessionState(b[2] >> 2 & 3),
		Erasable:          bit(b[2], 4),
		FirstTrack:        int(b[3]),
		Sessions:          int(b[9])<<8 | int(b[4]),
		FirstTrackInLast:  int(b[10])<<8 | int(b[5]),
		LastTrackInLast:   int(b[11])<<8 | int(b[6]),
		DiscIDValid:       bit(b[7], 7),
		BackgroundFormat:  BackgroundFormat(b[7] & 3),
		DiscType:          SessionFormat(b[8]),
		DiscID:            get32(b[12:]),
		LastLeadIn:        [4]byte(b[16:20]),
		LastPossibleStart: [4]byte(b[20:24]),
	}, nil
}

// Control is the four CONTROL bits of a track (ECMA-130 22.3.1), which mode page
// 05h calls Track Mode.
type Control uint8

// The control bits. Without ControlData, a track holds audio.
const (
	ControlPreEmphasis   Control = 1 // audio
	ControlIncremental   Control = 1 // data: recorded in packets
	ControlCopyPermitted Control = 2
	ControlData          Control = 4
	ControlFourChannel   Control = 8 // audio
)

// DataMode is the mode of the data of a track (6.27.3.10).
type DataMode uint8

// The data modes.
const (
	DataMode1       DataMode = 1
	DataMode2       DataMode = 2
	DataModeUnknown DataMode = 15
)

// TrackInfo is the answer of READ TRACK INFORMATION (6.27).
type TrackInfo struct {
	Track, Session     int
	Mode               Control
	DataMode           DataMode
	Damaged            bool
	Copy               bool
	Reserved           bool
	Blank              bool
	Packet             bool // recorded in packets, or incrementally
	FixedPacket        bool
	Start              addr.LBA
	NextWritable       addr.LBA
	NextWritableValid  bool
	Free               uint32 // blocks
	PacketSize         uint32 // blocks
	Size               uint32 // blocks
	LastRecorded       addr.LBA
	LastRecordedValid  bool
	LayerJumpRecording uint8 // LJRS, DVD-R DL
}

// TrackInfo asks for a track by its number.
func (d *Drive) TrackInfo(ctx context.Context, track int) (TrackInfo, error) {
	if err := within(scsi.OpReadTrackInformation, "track", int64(track), 0, most16); err != nil {
		return TrackInfo{}, err
	}
	return d.trackInfo(ctx, 1, uint32(track))
}

// TrackInfoAt asks for the track that holds an address.
func (d *Drive) TrackInfoAt(ctx context.Context, lba addr.LBA) (TrackInfo, error) {
	return d.trackInfo(ctx, 0, uint32(lba))
}

func (d *Drive) trackInfo(ctx context.Context, kind byte, number uint32) (TrackInfo, error) {
	const size = 36
	cdb := newCDB(scsi.OpReadTrackInformation)
	cdb[1] = kind
	put32(cdb[2:], number)
	put16(cdb[7:], size)
	b, err := d.in(ctx, cdb, make([]byte, size), medium)
	if err != nil {
		return TrackInfo{}, err
	}
	if b, err = sized16(scsi.OpReadTrackInformation, b, 28); err != nil {
		return TrackInfo{}, err
	}
	t := TrackInfo{
		Track: int(b[2]), Session: int(b[3]),
		LayerJumpRecording: b[5] >> 6, Damaged: bit(b[5], 5), Copy: bit(b[5], 4), Mode: Control(b[5] & 15),
		Reserved: bit(b[6], 7), Blank: bit(b[6], 6), Packet: bit(b[6], 5), FixedPacket: bit(b[6], 4),
		DataMode: DataMode(b[6] & 15), LastRecordedValid: bit(b[7], 1), NextWritableValid: bit(b[7], 0),
		Start: addr.LBA(get32(b[8:])), NextWritable: addr.LBA(get32(b[12:])), Free: get32(b[16:]),
		PacketSize: get32(b[20:]), Size: get32(b[24:]),
	}
	if len(b) >= 32 {
		t.LastRecorded = addr.LBA(get32(b[28:]))
	}
	if len(b) >= 34 {
		t.Track |= int(b[32]) << 8
		t.Session |= int(b[33]) << 8
	}
	return t, nil
}

// Capacity is the answer of READ CAPACITY (6.24).
type Capacity struct {
	Blocks    int64
	BlockSize int // bytes
}

// Capacity asks how many blocks the medium has. On CDs the answer is a hint:
// tracks written at once end with two run-out blocks that cannot be read.
func (d *Drive) Capacity(ctx context.Context) (Capacity, error) {
	b, err := d.in(ctx, newCDB(scsi.OpReadCapacity), make([]byte, 8), medium)
	if err != nil {
		return Capacity{}, err
	}
	if err := need(scsi.OpReadCapacity, b, 8); err != nil {
		return Capacity{}, err
	}
	return Capacity{Blocks: int64(get32(b)) + 1, BlockSize: int(get32(b[4:]))}, nil
}
