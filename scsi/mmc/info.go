package mmc

import (
	"context"

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

// DiscInfo is the standard answer of READ DISC INFORMATION (6.22.3.1).
type DiscInfo struct {
	Status            DiscStatus
	LastSession       SessionState
	Erasable          bool
	FirstTrack        int
	Sessions          int
	FirstTrackInLast  int // first track of the last session
	LastTrackInLast   int
	DiscType          uint8 // 00h CD-DA or CD-ROM, 10h CD-I, 20h XA, FFh undefined
	BackgroundFormat  uint8 // 0 none, 1 suspended, 2 running, 3 complete
	DiscID            uint32
	DiscIDValid       bool
	LastLeadIn        [4]byte
	LastPossibleStart [4]byte // of the lead-out
}

// DiscInfo asks for the state of the disc.
func (d *Drive) DiscInfo(ctx context.Context) (DiscInfo, error) {
	const size = 34
	cdb := []byte{byte(scsi.OpReadDiscInformation), 0, 0, 0, 0, 0, 0, 0, size, 0}
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
		BackgroundFormat:  b[7] & 3,
		DiscType:          b[8],
		DiscID:            get32(b[12:]),
		LastLeadIn:        [4]byte(b[16:20]),
		LastPossibleStart: [4]byte(b[20:24]),
	}, nil
}

// TrackInfo is the answer of READ TRACK INFORMATION (6.27).
type TrackInfo struct {
	Track, Session     int
	Mode               uint8 // CONTROL bits
	DataMode           uint8 // 1, 2, or 15: not known
	Damaged            bool
	Copy               bool
	Reserved           bool
	Blank              bool
	Packet             bool // recorded in packets, or incrementally
	FixedPacket        bool
	Start              int32
	NextWritable       int32
	NextWritableValid  bool
	Free               uint32 // blocks
	PacketSize         uint32 // blocks
	Size               uint32 // blocks
	LastRecorded       int32
	LastRecordedValid  bool
	LayerJumpRecording uint8
}

// TrackInfo asks for a track by its number.
func (d *Drive) TrackInfo(ctx context.Context, track int) (TrackInfo, error) {
	return d.trackInfo(ctx, 1, uint32(track))
}

// TrackInfoAt asks for the track that holds an address.
func (d *Drive) TrackInfoAt(ctx context.Context, lba int32) (TrackInfo, error) {
	return d.trackInfo(ctx, 0, uint32(lba))
}

func (d *Drive) trackInfo(ctx context.Context, kind byte, number uint32) (TrackInfo, error) {
	const size = 36
	cdb := []byte{byte(scsi.OpReadTrackInformation), kind, 0, 0, 0, 0, 0, 0, size, 0}
	put32(cdb[2:], number)
	b, err := d.in(ctx, cdb, make([]byte, size), medium)
	if err != nil {
		return TrackInfo{}, err
	}
	if b, err = sized16(scsi.OpReadTrackInformation, b, 28); err != nil {
		return TrackInfo{}, err
	}
	t := TrackInfo{
		Track: int(b[2]), Session: int(b[3]),
		LayerJumpRecording: b[5] >> 6, Damaged: bit(b[5], 5), Copy: bit(b[5], 4), Mode: b[5] & 15,
		Reserved: bit(b[6], 7), Blank: bit(b[6], 6), Packet: bit(b[6], 5), FixedPacket: bit(b[6], 4),
		DataMode: b[6] & 15, LastRecordedValid: bit(b[7], 1), NextWritableValid: bit(b[7], 0),
		Start: int32(get32(b[8:])), NextWritable: int32(get32(b[12:])), Free: get32(b[16:]),
		PacketSize: get32(b[20:]), Size: get32(b[24:]),
	}
	if len(b) >= 32 {
		t.LastRecorded = int32(get32(b[28:]))
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
	b, err := d.in(ctx, []byte{byte(scsi.OpReadCapacity), 0, 0, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 8), medium)
	if err != nil {
		return Capacity{}, err
	}
	if err := need(scsi.OpReadCapacity, b, 8); err != nil {
		return Capacity{}, err
	}
	return Capacity{Blocks: int64(get32(b)) + 1, BlockSize: int(get32(b[4:]))}, nil
}

// FormatCapacity is one descriptor of READ FORMAT CAPACITIES (6.23).
type FormatCapacity struct {
	Blocks uint32
	// Type: of the first descriptor, 1 unformatted, 2 formatted, 3 no
	// medium; of the others the format type of FORMAT UNIT.
	Type  uint8
	Param uint32 // block length, or what the format type defines
}

// FormatCapacities asks for the formats the medium can have. The first one is
// the current state, the others are on offer.
func (d *Drive) FormatCapacities(ctx context.Context) ([]FormatCapacity, error) {
	const size = 252
	b, err := d.in(ctx, []byte{byte(scsi.OpReadFormatCapacities), 0, 0, 0, 0, 0, 0, 0, size, 0}, make([]byte, size), medium)
	if err != nil {
		return nil, err
	}
	if err := need(scsi.OpReadFormatCapacities, b, 12); err != nil {
		return nil, err
	}
	b = b[4:min(len(b), 4+int(b[3]))]
	var all []FormatCapacity
	for ; len(b) >= 8; b = b[8:] {
		f := FormatCapacity{Blocks: get32(b), Type: b[4] >> 2, Param: get32(b[4:]) & 0xFFFFFF}
		if all == nil {
			f.Type = b[4] & 3
		}
		all = append(all, f)
	}
	return all, nil
}
